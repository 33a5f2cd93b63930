import type { Reason } from '@warder/protocol'

/** What is known of a request to an authorization server that brought nothing. */
export interface TokenFailure {
  /** The OAuth `error` (RFC 6749 section 5.2), where the answer had one of the right form. */
  readonly error?: string | undefined
  /** HTTP status; absent where no answer came. */
  readonly status?: number | undefined
  /** The same request may succeed later: nothing that is stored is wrong because of it. */
  readonly transient: boolean
  /** The server's own words, without control characters and without our secrets. Not proven to come from an honest server. */
  readonly description?: string | undefined
  /** Why Warder itself would not take the answer. */
  readonly reason?: Reason | undefined
  readonly cause?: unknown
}

/**
 * Thrown where a request to a token, device or revocation endpoint brought nothing. The message holds the `error` word and the
 * status, never a description and never a secret.
 *
 * `transient` is true for a network that failed, a deadline, a 5xx, a 429 and `temporarily_unavailable`, whatever else the
 * answer says: look at it before `error`.
 */
export class TokenEndpointError extends Error {
  override readonly name = 'TokenEndpointError'
  readonly error: string | undefined
  readonly status: number | undefined
  readonly transient: boolean
  readonly description: string | undefined
  readonly reason: Reason | undefined

  constructor(failure: TokenFailure) {
    super(words(failure), { cause: failure.cause })
    this.error = failure.error
    this.status = failure.status
    this.transient = failure.transient
    this.description = failure.description
    this.reason = failure.reason
  }
}

function words({ error, status, reason }: TokenFailure): string {
  if (reason !== undefined) return `the answer of the authorization server cannot be used (${reason})`
  if (status === undefined) {
    return error === undefined ? 'the authorization server did not answer' : `the sign-in ended with ${error}`
  }
  if (error === undefined) return `the authorization server answered with status ${status}`
  return `the authorization server answered ${error} (status ${status})`
}
