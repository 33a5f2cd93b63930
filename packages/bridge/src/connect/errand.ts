import { AsyncLocalStorage } from 'node:async_hooks'

/** On whose behalf something is sent to the server: known at the fetch, through everything that one request leads to. */
export interface Errand {
  /** Whether a person may be asked to sign in for it. */
  readonly mayAsk: boolean
  /** Whether something was sent that the server has not taken yet; then a sign-in may be what is waited for. */
  isHeldUp: boolean
}

const errands = new AsyncLocalStorage<Errand>()

export function makeErrand(mayAsk: boolean): Errand {
  return { mayAsk, isHeldUp: false }
}

/** Does something on an errand: whatever is fetched for it, also later, belongs to it. */
export function runErrand<Result>(errand: Errand, work: () => Result): Result {
  return errands.run(errand, work)
}

/** What happens by itself: it never leads to a person, even where a request of the host has set it off. */
export function runQuietly<Result>(work: () => Result): Result {
  return runErrand(makeErrand(false), work)
}

export function currentErrand(): Errand | undefined {
  return errands.getStore()
}
