import type { ClientParts } from './client-parts.ts'
import { decideScopes } from './decide-scopes.ts'
import type { Discovery } from './discover.ts'
import type { ServerEntry } from './records.ts'
import { type DpopNeed, decideDpop } from './tokens/dpop/decide-dpop.ts'
import type { AskForBound } from './tokens/request-token.ts'

/** What a sign-in goes by. */
export interface SignInRequest {
  readonly discovery: Discovery
  /** Decided by a step-up; default: what `decideScopes` says. */
  readonly scopes?: readonly string[] | undefined
  /** The sign-in that this one takes the place of. */
  readonly before?: ServerEntry | undefined
  /** A client id that the authorization server does not know any more. */
  readonly dead?: string | undefined
  readonly signal: AbortSignal
}

/** The scopes to ask for. Throws as `decideScopes`. */
export function scopesOf(
  { options, stepUp }: ClientParts,
  { discovery, scopes, before }: SignInRequest,
): readonly string[] {
  if (scopes !== undefined) return scopes
  const { metadata, resourceMetadata, challenge } = discovery
  return decideScopes({
    pins: options.scopes,
    challenged: challenge?.scopes,
    listed: resourceMetadata?.scopesSupported,
    before: sameBefore(discovery, before)?.scopes,
    ceiling: stepUp.ceiling,
    metadata,
  })
}

/** What the user wants to be sent as `resource`, now or at the sign-in before. */
export function sendResourceOf(
  { options }: ClientParts,
  { discovery, before }: SignInRequest,
): string | false | undefined {
  return options.sendResource ?? sameBefore(discovery, before)?.sendResource
}

/** The sign-in before this one, if it was at the same authorization server for the same resource. */
function sameBefore(
  { issuer, resource }: Discovery,
  before: ServerEntry | undefined,
): ServerEntry | undefined {
  return before?.issuer === issuer && before.resource === resource ? before : undefined
}

/** Whether to ask for tokens that are bound to a key. */
export function needOf(
  { options }: ClientParts,
  { metadata, resourceMetadata, challenge }: Discovery,
): DpopNeed {
  return decideDpop({
    mode: options.dpop ?? 'auto',
    serverAlgorithms: metadata.dpopSigningAlgs,
    resourceAlgorithms: resourceMetadata?.dpopSigningAlgs,
    isRequiredByResource: resourceMetadata?.dpopRequired,
    challenged: challenge?.schemes,
  })
}

export function boundBy({ dpop }: ClientParts, need: DpopNeed): AskForBound | undefined {
  return need === 'none' ? undefined : { state: dpop, need }
}
