import { formatScope } from '@warder/protocol'
import type { Grant } from '@warder/store'
import type { Services } from '../services.ts'
import { makeId } from './secret.ts'
import { signAccessToken } from './sign.ts'

/** Seconds that an access token lives. */
export const accessTokenSeconds = 600
/** Milliseconds that a code lives. */
export const codeMs = 60_000
/** Milliseconds by which a clock may have been ahead when it is set right. */
export const clockSkewMs = 10_000
/** Milliseconds without use after which a refresh token ends. */
export const refreshIdleMs: number = 30 * 24 * 3_600_000
/** Milliseconds for which a retried refresh gets the same successor. */
export const refreshGraceMs = 30_000

/** The wire shape of a token answer (RFC 6749 section 5.1). */
export interface TokenAnswer {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly scope: string
  readonly refresh_token?: string
}

/**
 * Issues the access token of a live grant. The caller has consumed the code or refresh token before, and has checked that
 * `scopes` lie within the grant; nothing is checked or stored here.
 */
export async function issueTokens(
  { issuer, loadKeys, now }: Pick<Services, 'issuer' | 'loadKeys' | 'now'>,
  proved: {
    readonly grant: Grant
    readonly scopes: readonly string[]
    readonly refreshToken: string | undefined
  },
): Promise<TokenAnswer> {
  const { grant, scopes, refreshToken } = proved
  const issuedAt = Math.floor(now() / 1000)
  const scope = formatScope(scopes)
  const accessToken = signAccessToken(await loadKeys(), {
    iss: issuer.url,
    sub: grant.userId,
    aud: grant.resource,
    iat: issuedAt,
    exp: issuedAt + accessTokenSeconds,
    jti: makeId(),
    client_id: grant.clientId,
    scope,
    // When the user showed the password (RFC 9068 section 2.2.1), however often the token was refreshed since.
    auth_time: Math.floor(grant.signedInAt / 1000),
    grant_id: grant.id,
    client_class: grant.clientClass,
  })
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: accessTokenSeconds,
    scope,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
  }
}
