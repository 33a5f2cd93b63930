import type { WireError } from '../child-peer.ts'

/** What went wrong between us and the server, for whoever decides what the host hears of it. */
export type TroubleKind =
  /** No connection, or it broke. */
  | 'unreachable'
  /** It answered, but not as an MCP server does. */
  | 'answer'
  /** 401 or 403: what we sent is not enough. */
  | 'unauthorized'
  /** The session is over. */
  | 'session'

/** The message is one sentence for people, without anything secret; `wire` is the JSON-RPC error that the server sent along. */
export class ServerTrouble extends Error {
  override readonly name = 'ServerTrouble'
  readonly kind: TroubleKind
  readonly status: number | undefined
  readonly wire: WireError | undefined

  constructor(
    kind: TroubleKind,
    message: string,
    notes: { readonly status?: number; readonly wire?: WireError | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: notes.cause })
    this.kind = kind
    this.status = notes.status
    this.wire = notes.wire
  }
}

/** Whether a second try would change nothing. */
export function isFinalTrouble(error: unknown): boolean {
  return error instanceof ServerTrouble && error.kind !== 'unreachable'
}

/** What the client throws when somebody has to sign in and cannot do so here; known by its name, since the client is not. */
export interface SignInRequired extends Error {
  readonly name: 'SignInRequired'
  readonly reason?: string
  readonly authorizationUrl?: string
}

export function isSignInRequired(error: unknown): error is SignInRequired {
  return error instanceof Error && error.name === 'SignInRequired'
}

/** The innermost cause says what happened ("connect ECONNREFUSED …"); the outer ones say only that something did. */
export function innermostWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error instanceof AggregateError ? error.errors[0] : error.cause
  return cause instanceof Error ? innermostWords(cause) : error.message
}
