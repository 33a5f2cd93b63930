import type { OutboundFetch } from '@warder/outbound'
import { Refusal } from '@warder/protocol'
import type { TokenSet } from '../records.ts'
import { silent, type Trace } from '../trace.ts'
import { authenticateClient, type TokenClient, type TokenServer } from './authenticate-client.ts'
import { postForm } from './post-form.ts'
import { TokenEndpointError } from './token-endpoint-error.ts'

/**
 * What became of one token at its server. `absent`: there was none. `unsupported`: the server revokes no tokens of this kind, so
 * it lives until it ends by itself. `failed`: the server did not answer in time, or said no.
 */
export type Revoked = 'revoked' | 'absent' | 'unsupported' | 'failed'

export interface Revocation {
  readonly refreshToken: Revoked
  readonly accessToken: Revoked
}

export interface RevocationRequest {
  /** Who issued the tokens; compared raw with the metadata, so that no other server ever sees them (CL-37). */
  readonly issuer: string
  readonly metadata: TokenServer
  readonly registration: TokenClient
  readonly tokens: Pick<TokenSet, 'accessToken' | 'refreshToken'>
  readonly outbound: OutboundFetch
  readonly trace?: Trace | undefined
  /** Milliseconds. */
  readonly now?: (() => number) | undefined
  /** For both tokens together, in milliseconds. Default 5,000: nobody waits longer to sign out. */
  readonly budgetMs?: number | undefined
}

/** Less is no time to ask: a timer that has used up the whole budget may have ended a moment before it. */
const leastMs = 10

/**
 * Revokes the refresh token, then the access token (RFC 7009), and says of each what became of it; a server that is down makes
 * nothing throw. Does not forget the tokens here: that is the caller's business, whatever the answer is.
 */
export async function revokeTokens(request: RevocationRequest): Promise<Revocation> {
  const { issuer, metadata, tokens, budgetMs = 5_000 } = request
  if (metadata.issuer !== issuer) return { refreshToken: 'failed', accessToken: 'failed' }
  const endsAt = performance.now() + budgetMs
  const revoke = async (token: string | undefined, hint: string): Promise<Revoked> =>
    token === undefined ? 'absent' : revokeOne(request, token, hint, endsAt - performance.now())
  const refreshToken = await revoke(tokens.refreshToken, 'refresh_token')
  const accessToken = await revoke(tokens.accessToken, 'access_token')
  return { refreshToken, accessToken }
}

async function revokeOne(
  request: RevocationRequest,
  token: string,
  hint: string,
  timeoutMs: number,
): Promise<Revoked> {
  const { metadata, registration, outbound, trace = silent, now = Date.now } = request
  const url = metadata.revocationEndpoint
  if (url === undefined) return 'unsupported'
  const said = { step: 'revoke', url, data: { token: hint } } as const
  if (timeoutMs < leastMs) return 'failed'
  try {
    const who = await authenticateClient(
      registration,
      {
        issuer: metadata.issuer,
        methods: metadata.revocationEndpointAuthMethods ?? metadata.tokenEndpointAuthMethods,
        algorithms: metadata.tokenEndpointAuthSigningAlgs,
      },
      Math.floor(now() / 1000),
    )
    const fields = { token, token_type_hint: hint, ...who.fields }
    await postForm({ url, outbound, timeoutMs, headers: who.headers, fields })
    trace({ ...said, outcome: 'done' })
    return 'revoked'
  } catch (error) {
    if (error instanceof TokenEndpointError && error.error === 'unsupported_token_type') {
      trace({ ...said, outcome: 'absent', why: 'the server does not revoke tokens of this kind' })
      return 'unsupported'
    }
    if (!(error instanceof TokenEndpointError || error instanceof Refusal)) throw error
    trace({ ...said, outcome: 'failed', why: error.message })
    return 'failed'
  }
}
