import type { Principal } from '@warder/policy'
import {
  type ChallengeParams,
  formatChallenge,
  type JsonRpcId,
  jsonRpcError,
  type Refusal,
} from '@warder/protocol'

/** What the writer of a refusal may know about the request. */
export interface RefusalContext {
  readonly id?: JsonRpcId
  readonly principal?: Principal
  /** The protocol revision of the message; absent: a client of 2025-11-25 or before. */
  readonly era?: string
  /** `Allow` of a 405; by default what an MCP endpoint knows. */
  readonly allow?: string
}

/** An HTTP answer that every adapter can write. */
export interface RefusalAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What a challenge names. */
export interface ChallengeFacts {
  readonly metadataUrl: string
  /** Scopes of the challenge of a 401; undefined while the policy cannot be read. */
  readonly startScopes: readonly string[] | undefined
  /** Scopes of the challenge of a 403. */
  readonly neededScopes: readonly string[]
}

const defaultRetryAfter = 5

/**
 * Writes a refusal for an MCP client: the status and words of the catalogue, a challenge where one helps (RFC 6750 section 3,
 * MCP RS-03, RS-05, RS-11, RS-20, RS-21), a JSON-RPC error where the reason has a code, else an OAuth error. Nothing of the
 * request but its id is repeated.
 */
export function writeRefusal(
  refusal: Refusal,
  context: RefusalContext,
  facts: ChallengeFacts,
): RefusalAnswer {
  const { rule, notes } = refusal
  const challenge = makeChallenge(refusal, facts)
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
  }
  if (challenge !== undefined) headers['www-authenticate'] = formatChallenge(challenge)
  if (rule.status === 503 || rule.status === 429)
    headers['retry-after'] = String(notes.retryAfter ?? defaultRetryAfter)
  if (rule.status === 405) headers['allow'] = context.allow ?? 'GET, POST, DELETE'
  return { status: rule.status, headers, body: JSON.stringify(makeBody(refusal, context)) }
}

function makeChallenge({ reason, rule }: Refusal, facts: ChallengeFacts): ChallengeParams | undefined {
  const common = { resourceMetadata: facts.metadataUrl, errorDescription: rule.says }
  const start = facts.startScopes?.length ? { scope: facts.startScopes.join(' ') } : {}
  // Without credentials there is no error to name (RFC 6750 section 3.1).
  if (reason === 'token.missing') return { resourceMetadata: facts.metadataUrl, ...start }
  if (reason === 'token.two-places') return { ...common, error: 'invalid_request' }
  if (reason === 'scope.insufficient') {
    return { ...common, error: 'insufficient_scope', scope: facts.neededScopes.join(' ') }
  }
  return rule.error === 'invalid_token' ? { ...common, error: 'invalid_token', ...start } : undefined
}

function makeBody({ reason, rule, notes }: Refusal, context: RefusalContext): object {
  if (rule.code === undefined) return { error: rule.error, error_description: rule.says }
  if (reason !== 'scope.insufficient') return jsonRpcError(context.id, rule.code, rule.says, notes.data)
  const scopes = notes.scopes ?? []
  return jsonRpcError(context.id, rule.code, `${rule.says} Needed: ${scopes.join(' ')}.`, { reason, scopes })
}
