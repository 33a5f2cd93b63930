import { createHash } from 'node:crypto'
import { Refusal, readStrictText } from '@warder/protocol'
import type { PendingSignIn } from '../browser-sign-in.ts'
import type { CredentialStore } from '../storage/credential-store.ts'

/** One sign-in of a user that waits for its callback. */
interface Waiting {
  /** SHA-256 of `state`. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly endsAt: number
  readonly pending: PendingSignIn
}

const name = 'pending'
/** Windows in which one user may have begun at once; the oldest gives way. */
const maxWaiting = 5

const idOf = (state: string): string => createHash('sha256').update(state).digest('hex')

/** Keeps a sign-in in the user's own part of the store, for the process to which the callback comes. */
export async function keepPending(
  store: CredentialStore,
  pending: PendingSignIn,
  times: { readonly now: number; readonly endsAt: number },
): Promise<void> {
  await store.locked(name, async () => {
    const waiting = (await readWaiting(store)).filter(({ endsAt }) => endsAt > times.now)
    const added: Waiting = { id: idOf(pending.record.state), endsAt: times.endsAt, pending }
    await writeWaiting(store, [...waiting, added].slice(-maxWaiting))
  })
}

/** Takes the sign-in of this state out of the store: whoever comes second, in any process, gets undefined, as after its end. */
export async function takePending(
  store: CredentialStore,
  state: string,
  now: number,
): Promise<PendingSignIn | undefined> {
  const id = idOf(state)
  return store.locked(name, async () => {
    const waiting = await readWaiting(store)
    const found = waiting.find((one) => one.id === id)
    if (found === undefined) return undefined
    await writeWaiting(
      store,
      waiting.filter((one) => one !== found),
    )
    return found.endsAt > now ? found.pending : undefined
  })
}

async function readWaiting(store: CredentialStore): Promise<readonly Waiting[]> {
  const text = await store.read(name)
  if (text === undefined) return []
  try {
    const { version, waiting } = readStrictText(text) as {
      readonly version: number
      readonly waiting: Waiting[]
    }
    return version === 1 ? waiting : []
  } catch (error) {
    // Of another version, or damaged: those who wait in it begin again.
    if (error instanceof Refusal) return []
    throw error
  }
}

async function writeWaiting(store: CredentialStore, waiting: readonly Waiting[]): Promise<void> {
  if (waiting.length === 0) await store.remove(name)
  else await store.write(name, JSON.stringify({ version: 1, waiting }))
}
