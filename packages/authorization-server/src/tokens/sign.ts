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
  // The bare key: Node takes longer to unpack one from an object with options, and to convert the signature, than to sign.
  return `${signed}.${joinHalves(sign('sha256', Buffer.from(signed), privateKey)).toString('base64url')}`
}

const halfBytes = 32

/**
 * The two halves of a signature on P-256 side by side, as JOSE wants them (RFC 7518 section 3.4). OpenSSL writes a DER sequence of
 * two integers: one byte longer than a half where its first bit is set, shorter where it begins with zeros.
 */
export function joinHalves(der: Uint8Array): Buffer {
  const joined = Buffer.alloc(2 * halfBytes)
  let at = 2
  for (const end of [halfBytes, 2 * halfBytes]) {
    const next = at + 2 + (der[at + 1] ?? 0)
    const half = der.subarray(at + 2, next).subarray(-halfBytes)
    joined.set(half, end - half.length)
    at = next
  }
  return joined
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
): Promise<AccessTokenClaims | undefined> {
  try {
    const { payload } = await jwtVerify<AccessTokenClaims>(token, createLocalJWKSet(ring.jwks), {
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
