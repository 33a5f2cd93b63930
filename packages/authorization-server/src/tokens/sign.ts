import { sign } from 'node:crypto'
import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose'
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

/**
 * Signs an access token: RFC 9068, `typ: at+jwt`, ES256. By `node:crypto` and at once: through WebCrypto, a thread of the pool
 * and a copy of the key for each token cost several times as much as the signature.
 */
export function signAccessToken({ kid, privateKey }: KeyRing, claims: AccessTokenClaims): string {
  const signed = `${encode({ alg: 'ES256', typ: 'at+jwt', kid })}.${encode(claims)}`
  // JOSE wants both halves of the signature side by side (RFC 7518 section 3.4), not OpenSSL's DER.
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
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
