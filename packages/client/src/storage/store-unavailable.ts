/** Why a store of credentials cannot be used. None of these means that a credential is absent. */
export type StoreTrouble =
  /** It is there, and somebody has to unlock it first. */
  | 'locked'
  /** It did not answer in time. */
  | 'timeout'
  /** This machine or session has none, or what is needed to open it is not there. */
  | 'missing'
  /** It is there and refuses, its key is wrong, or what it holds was damaged. */
  | 'denied'

/**
 * A store of credentials that cannot be used now. `message` is for a person and says what to do; it never holds a value, a key
 * or a passphrase. Whoever catches it must not conclude that nobody is signed in.
 */
export class StoreUnavailable extends Error {
  readonly reason: StoreTrouble

  constructor(reason: StoreTrouble, message: string) {
    super(message)
    this.name = 'StoreUnavailable'
    this.reason = reason
  }
}

/** Whether one record is what cannot be had, as opposed to the whole store for now. */
export function isDamaged(error: unknown): error is StoreUnavailable {
  return error instanceof StoreUnavailable && error.reason === 'denied'
}
