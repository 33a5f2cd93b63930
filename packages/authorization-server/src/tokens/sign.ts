import { createLocalJWKSet, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { KeyRing } from './keys.ts'

/** The claims of an access token (RFC 9068 section 2.2), and two of our own: the grant, and how sure the client is. */
export interface AccessTokenClaims extends JWTPayload {
  readonly iss: string
  readonly sub: string
  /** Exactly one audience: a string, never a list. */
  readonly aud: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly client_id: string
  readonly scope: string
  readonly auth_time: number
  readonly grant_id: string
  readonly client_class: string
}

/** Signs an access token: RFC 9068, `typ: at+jwt`, ES256. */
export async function signAccessToken(ring: KeyRing, claims: AccessTokenClaims): Promise<string> {
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: ring.kid })
    .sign(ring.privateKey)
}

/**
 * The claims of a live access token of this issuer, or undefined for everything else. Used where a client hands its own
 * token back (RFC 7009); it does not look whether the token was revoked, and it is not the guard's check.
 */
export async function readOwnAccessToken(
  ring: KeyRing,
  issuer: string,
  token: string,
  now: number,
): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(ring.jwks), {
      algorithms: ['ES256'],
      typ: 'at+jwt',
      issuer,
      currentDate: new Date(now),
      requiredClaims: ['exp', 'jti', 'client_id', 'grant_id'],
    })
    return payload
  } catch {
    return undefined
  }
}
