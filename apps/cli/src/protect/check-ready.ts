import { setTimeout as delay } from 'node:timers/promises'
import type { Store } from '@warder/store'
import type { Issuing } from './issuing.ts'

const patienceMs = 2_000

/** Throws while this node cannot do its work: its facts are not fresh, or the store does not answer soon. */
export async function checkReady(
  store: Pick<Store, 'ping'>,
  issuing: Pick<Issuing, 'isFresh'>,
): Promise<void> {
  if (!issuing.isFresh()) throw new Error('the changes of the store are not heard')
  const timer = new AbortController()
  const late = delay(patienceMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error('the store does not answer')
  })
  try {
    await Promise.race([store.ping(), late])
  } finally {
    timer.abort()
    late.catch(() => {})
  }
}
