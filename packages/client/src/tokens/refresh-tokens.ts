import { formatScope } from '@warder/protocol'
import type { TokenSet } from '../records.ts'
import type { DpopState } from './dpop/send-with-token.ts'
import { requestToken, type TokenRequest } from './request-token.ts'

export interface RefreshRequest
  extends Pick<TokenRequest, 'metadata' | 'outbound' | 'trace' | 'now' | 'timeoutMs'> {
  readonly registration: NonNullable<TokenRequest['registration']>
  readonly tokens: TokenSet & { readonly refreshToken: string }
  /** What the tokens are for (CL-20); undefined: the parameter is left out, as some servers want it. */
  readonly resource: string | undefined
  readonly dpop?: DpopState | undefined
  /** A server that forgets the scopes unless they are repeated. */
  readonly repeatScopes?: boolean | undefined
}

/**
 * New tokens for a refresh token (RFC 6749 section 6), bound to the key that the old ones are bound to. What the answer leaves out
 * stays as it was: refresh token, scopes, ID token. The generation is one more.
 *
 * Throws as `requestToken` does; `invalid_grant` that is not transient means that only a sign-in helps. Does not store anything,
 * and does not keep two processes from doing this at once: that is `useTokens`.
 */
export async function refreshTokens(request: RefreshRequest): Promise<TokenSet> {
  const { tokens, resource, dpop, repeatScopes = false } = request
  const scope = formatScope(tokens.scopes ?? tokens.asked ?? [])
  const fresh = await requestToken({
    ...request,
    step: 'refresh',
    fields: {
      grant_type: 'refresh_token',
      refresh_token: tokens.refreshToken,
      ...(resource !== undefined && { resource }),
      ...(repeatScopes && scope !== '' && { scope }),
    },
    dpop:
      dpop === undefined || tokens.dpopKey === undefined
        ? undefined
        : { state: dpop, need: tokens.tokenType === 'DPoP' ? 'required' : 'preferred', key: tokens.dpopKey },
  })
  return {
    ...fresh,
    refreshToken: fresh.refreshToken ?? tokens.refreshToken,
    scopes: fresh.scopes ?? tokens.scopes,
    asked: tokens.asked,
    idToken: fresh.idToken ?? tokens.idToken,
    generation: tokens.generation + 1,
  }
}
