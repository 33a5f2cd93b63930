import { type Challenge, Refusal, readChallenges } from '@warder/protocol'
import type { TokenSet } from '../../records.ts'
import type { DpopKeys } from './dpop-key.ts'
import type { DpopNonces } from './dpop-nonces.ts'
import { makeDpopProof } from './dpop-proof.ts'

/** What proofs are made with: one for a client, for as long as it lives. */
export interface DpopState {
  readonly keys: DpopKeys
  readonly nonces: DpopNonces
}

/** False for a token that is bound to a key which only another process has, or which cannot be read any more. */
export async function canSend(tokens: TokenSet, { keys }: DpopState): Promise<boolean> {
  if (tokens.tokenType === 'Bearer') return true
  return tokens.dpopKey !== undefined && (await keys.open(tokens.dpopKey)) !== undefined
}

/**
 * Sends one request to the resource with the access token (CL-25, CL-26), and a fresh proof where the token is bound (DP-01). A
 * resource that wants a nonce says so with a 401; then the request is sent once more with it, and the second answer counts.
 *
 * `send` must be able to send the request twice. Throws `client-key.unusable` where the key of the token is not to be had.
 */
export async function sendWithToken(options: {
  readonly tokens: TokenSet
  readonly dpop: DpopState
  readonly method: string
  readonly url: string
  /** Milliseconds. */
  readonly now?: (() => number) | undefined
  readonly send: (headers: Readonly<Record<string, string>>) => Promise<Response>
}): Promise<Response> {
  const { tokens, dpop, url, send } = options
  if (tokens.tokenType === 'Bearer') return send({ authorization: `Bearer ${tokens.accessToken}` })
  const known = (): string | undefined => dpop.nonces.get('resource', url)
  const attempt = async (nonce: string | undefined): Promise<Response> => {
    const answer = await send(await boundHeaders({ ...options, nonce }))
    dpop.nonces.learn('resource', url, answer.headers)
    return answer
  }
  const sent = known()
  const first = await attempt(sent)
  // Compared with what this request has sent: another one, at the same time, may have learnt the nonce before it.
  const wanted = known()
  if (wanted === sent || first.status !== 401 || !asksForNonce(first.headers)) return first
  await first.body?.cancel()
  return attempt(wanted)
}

async function boundHeaders(options: {
  readonly tokens: TokenSet
  readonly dpop: DpopState
  readonly method: string
  readonly url: string
  readonly now?: (() => number) | undefined
  readonly nonce: string | undefined
}): Promise<Readonly<Record<string, string>>> {
  const { tokens, dpop, method, url, nonce, now = Date.now } = options
  const key = tokens.dpopKey === undefined ? undefined : await dpop.keys.open(tokens.dpopKey)
  if (key === undefined)
    throw new Refusal('client-key.unusable', { detail: 'the token is bound to another key' })
  const { accessToken } = tokens
  const proof = await makeDpopProof({
    key,
    method,
    url,
    now: Math.floor(now() / 1000),
    accessToken,
    nonce,
  })
  return { authorization: `DPoP ${accessToken}`, dpop: proof }
}

function asksForNonce(headers: Headers): boolean {
  const isThat = ({ scheme, params }: Challenge): boolean =>
    scheme.toLowerCase() === 'dpop' && params.get('error') === 'use_dpop_nonce'
  return readChallenges(headers.get('www-authenticate') ?? '').some(isThat)
}
