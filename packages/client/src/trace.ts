import type { Reason } from '@warder/protocol'

/** The stations of a sign-in, in the order in which they are met. */
export type TraceStep =
  | 'challenge'
  | 'resource-metadata'
  | 'server-metadata'
  | 'registration'
  | 'authorize'
  | 'callback'
  | 'token'
  | 'refresh'
  | 'revoke'
  | 'step-up'
  | 'store'

/**
 * One thing that the client did or decided. No field ever holds a secret: no token, code, verifier, state, client secret, nor
 * words of an error that an authorization server sent before its answer was proven.
 */
export interface TraceEvent {
  readonly step: TraceStep
  readonly outcome: 'tried' | 'chosen' | 'refused' | 'absent' | 'failed' | 'done'
  readonly url?: string
  /** Plain words for the person who reads the trace. */
  readonly why?: string
  readonly refusal?: Reason
  readonly data?: Readonly<Record<string, unknown>>
}

/** Told of everything the client does, for `warder token explain`, for doctors and for tests. It must not throw. */
export type Trace = (event: TraceEvent) => void

/** The trace of someone who does not want one. */
export const silent: Trace = () => {}
