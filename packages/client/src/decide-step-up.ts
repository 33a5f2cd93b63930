import { Refusal } from '@warder/protocol'

/** What to do when the server wants more scopes than the token has. */
export interface StepUpPolicy {
  /** `auto` asks the authorization server, where the user is shown what for; `ask` asks the user here first. */
  readonly mode: 'deny' | 'ask' | 'auto'
  /**
   * No scope beyond these is asked for because a server wants it, at a sign-in or later; what the user names is
   * not limited. Absent: no such limit.
   */
  readonly ceiling?: readonly string[] | undefined
  /** For `ask`: shown is the whole of what would be asked for. */
  readonly ask?: ((wanted: StepUpRequest) => Promise<boolean>) | undefined
}

export interface StepUpRequest {
  readonly resource: string
  /** Such as `tools/call create_note`. */
  readonly operation: string
  /** What was asked for before. */
  readonly before: readonly string[]
  /** All that would be asked for. */
  readonly scopes: readonly string[]
}

/** At most so many authorization requests for one operation on one resource, the first sign-in included. */
const maxAuthorizations = 3

/**
 * The scopes of a step-up (CL-33, CL-34): what was asked for or granted before and what the challenge names, up to the ceiling.
 * Throws `step-up.denied` and, after three authorization requests for the same operation, `step-up.exhausted` (CL-35, Q14).
 */
export async function decideStepUp(of: {
  readonly policy: StepUpPolicy
  readonly challenged: readonly string[] | undefined
  /** What the token has, if that is known. */
  readonly granted?: readonly string[] | undefined
  readonly before: readonly string[]
  readonly resource: string
  readonly operation: string
  /** Authorization requests that were made for this operation, and questions that the user was asked here. */
  readonly attempts: number
}): Promise<readonly string[]> {
  const { policy, challenged, before, resource, operation } = of
  const refused = (detail: string): Refusal =>
    new Refusal('step-up.denied', { detail, ...(challenged && { scopes: challenged }) })
  if (policy.mode === 'deny') throw refused('it must not be asked for more')
  if (challenged === undefined) throw refused('the server does not say which scopes it wants')
  if (of.attempts >= maxAuthorizations) {
    throw new Refusal('step-up.exhausted', { detail: operation, scopes: challenged })
  }
  if (challenged.every((scope) => of.granted?.includes(scope) === true)) {
    // Asking for what is there already would only send the user through the same page again.
    throw refused('all of it was granted already')
  }
  checkCeiling(policy, challenged)
  const scopes = [...new Set([...before, ...challenged])]
  if (policy.mode === 'auto') return scopes
  const isAllowed = await policy.ask?.({ resource, operation, before, scopes })
  if (isAllowed !== true) throw refused('the user did not want it')
  return scopes
}

/** Throws `step-up.denied` where a server wants a scope beyond the ceiling. */
export function checkCeiling({ ceiling }: StepUpPolicy, wanted: readonly string[]): void {
  const beyond = wanted.filter((scope) => ceiling?.includes(scope) === false)
  if (beyond.length === 0) return
  throw new Refusal('step-up.denied', { detail: `${beyond.join(' ')}: beyond the ceiling`, scopes: wanted })
}

/** Whether a step-up was not even begun: nothing has failed then, and the answer of the server stands. */
export function isStepUpRefusal(error: unknown): error is Refusal {
  return error instanceof Refusal && error.reason.startsWith('step-up.')
}
