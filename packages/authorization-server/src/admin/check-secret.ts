import type { Store } from '@warder/store'
import { makeFailClosedStore } from '../fail-closed-store.ts'
import { makeKeyLoader } from '../tokens/keys.ts'

/**
 * Whether a secret is the one that seals the signing keys of a store, before anything else is done with that store; makes the
 * first key where there is none. Throws `keys.unavailable` when it is not, `store.unavailable` when the store does not answer.
 */
export async function checkSecret(options: {
  readonly store: Store
  /** 32 bytes. */
  readonly secret: Uint8Array
  /** Milliseconds since the epoch. */
  readonly now: number
}): Promise<void> {
  const { secret, now } = options
  await makeKeyLoader({ store: makeFailClosedStore(options.store), secret, now: () => now })()
}
