import type { OutboundFetch } from '@warder/outbound'
import { Refusal } from '@warder/protocol'
import type { TokenSet } from '../records.ts'
import { silent, type Trace } from '../trace.ts'
import { authenticateClient, type TokenClient, type TokenServer } from './authenticate-client.ts'
import type { DpopNeed } from './dpop/decide-dpop.ts'
import type { DpopKey } from './dpop/dpop-key.ts'
import { makeDpopProof } from './dpop/dpop-proof.ts'
import type { DpopState } from './dpop/send-with-token.ts'
import { type FormAnswer, postForm } from './post-form.ts'
import { type ReadTokens, readTokenAnswer } from './read-token-answer.ts'
import { TokenEndpointError } from './token-endpoint-error.ts'

/** Asks that the tokens be bound to a key. */
export interface AskForBound {
  readonly state: DpopState
  readonly need: DpopNeed
  /** The key that a refresh token is bound to, as it is stored; default: a new key. */
  readonly key?: JsonWebKey | undefined
}

export interface TokenRequest {
  readonly metadata: TokenServer
  /** Who asks; undefined: nobody says who it is, neither by `client_id` nor by authentication (MCP WI-01). */
  readonly registration?: TokenClient | undefined
  /** `grant_type` and what belongs to it, `scope` and `resource` included. */
  readonly fields: Readonly<Record<string, string>>
  readonly outbound: OutboundFetch
  readonly dpop?: AskForBound | undefined
  readonly trace?: Trace | undefined
  /** The station in the trace. Default `token`. */
  readonly step?: 'token' | 'refresh' | undefined
  /** Milliseconds. Default: the clock of the system. */
  readonly now?: (() => number) | undefined
  readonly timeoutMs?: number | undefined
}

/**
 * One request to the token endpoint (RFC 6749 section 5, RFC 9449 section 5), repeated only where the server wants a DPoP nonce.
 * What comes back has generation 0; whoever stores it counts on.
 *
 * Throws `TokenEndpointError` for everything that the server or the network did, and the `Refusal` of a client that cannot
 * authenticate. Does not check that the scopes suffice, nor an ID token.
 */
export async function requestToken(request: TokenRequest): Promise<TokenSet> {
  const { metadata, fields, dpop, trace = silent, step = 'token' } = request
  const url = metadata.tokenEndpoint
  const need = dpop?.need ?? 'none'
  trace({ step, outcome: 'tried', url, data: { grant: fields['grant_type'] ?? '' } })
  try {
    const key = dpop === undefined || need === 'none' ? undefined : await openKey(dpop)
    const answer = await send(request, key)
    const tokens = readAnswer(request, answer, key === undefined ? 'none' : need)
    trace({ step, outcome: 'done', url, data: { type: tokens.tokenType, scopes: tokens.scopes ?? [] } })
    const isBound = tokens.tokenType === 'DPoP' && key !== undefined
    return { ...tokens, ...(isBound && { dpopKey: key.stored }), generation: 0 }
  } catch (error) {
    traceFailure(trace, step, url, error)
    throw error
  }
}

async function openKey({ state, key }: AskForBound): Promise<DpopKey> {
  const found = key === undefined ? await state.keys.make() : await state.keys.open(key)
  if (found !== undefined) return found
  throw new Refusal('client-key.unusable', { detail: 'the tokens are bound to another key' })
}

/** With a nonce that is known, or without; a server that wants another one names it, and is asked once more. */
async function send(request: TokenRequest, key: DpopKey | undefined): Promise<FormAnswer> {
  const { dpop, metadata } = request
  const known = (): string | undefined =>
    dpop?.state.nonces.get('authorization-server', metadata.tokenEndpoint)
  const sent = known()
  try {
    return await sendOnce(request, key, sent)
  } catch (error) {
    const isAsked = error instanceof TokenEndpointError && error.error === 'use_dpop_nonce'
    // Compared with what this request has sent: another one, at the same time, may have learnt the nonce before it.
    const wanted = known()
    if (key === undefined || !isAsked || wanted === sent) throw error
    return await sendOnce(request, key, wanted)
  }
}

async function sendOnce(
  request: TokenRequest,
  key: DpopKey | undefined,
  nonce: string | undefined,
): Promise<FormAnswer> {
  const { metadata, registration, fields, outbound, dpop, timeoutMs } = request
  const url = metadata.tokenEndpoint
  const now = secondsOf(request)
  const proof = key && (await makeDpopProof({ key, method: 'POST', url, now, nonce }))
  const who = registration && (await authenticateClient(registration, endpointOf(metadata), now))
  return postForm({
    url,
    outbound,
    timeoutMs,
    sawHeaders: (headers) => dpop?.state.nonces.learn('authorization-server', url, headers),
    headers: { ...who?.headers, ...(proof !== undefined && { dpop: proof }) },
    fields: { ...fields, ...who?.fields },
  })
}

function endpointOf(server: TokenServer): Parameters<typeof authenticateClient>[1] {
  return {
    issuer: server.issuer,
    methods: server.tokenEndpointAuthMethods,
    algorithms: server.tokenEndpointAuthSigningAlgs,
  }
}

function readAnswer(request: TokenRequest, { status, json }: FormAnswer, dpop: DpopNeed): ReadTokens {
  try {
    return readTokenAnswer(json, { scope: request.fields['scope'], dpop, now: secondsOf(request) })
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new TokenEndpointError({ status, transient: false, reason: cause.reason, cause })
  }
}

function secondsOf({ now = Date.now }: TokenRequest): number {
  return Math.floor(now() / 1000)
}

function traceFailure(trace: Trace, step: 'token' | 'refresh', url: string, error: unknown): void {
  if (error instanceof TokenEndpointError) {
    const { message, reason } = error
    const said = { step, url, why: message, data: { status: error.status, error: error.error } }
    trace(
      reason === undefined
        ? { ...said, outcome: 'failed' }
        : { ...said, outcome: 'refused', refusal: reason },
    )
  } else if (error instanceof Refusal) trace({ step, url, outcome: 'refused', refusal: error.reason })
}
