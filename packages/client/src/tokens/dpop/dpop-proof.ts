import { createHash, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { DpopKey } from './dpop-key.ts'

/**
 * A new proof for one request (RFC 9449 section 4.2): the method, the URL without query and fragment, the time and an id that is
 * never used again; for a resource the hash of the access token, and the nonce of the server where it gave one.
 */
export async function makeDpopProof(options: {
  readonly key: DpopKey
  readonly method: string
  readonly url: string
  /** Seconds since 1970. */
  readonly now: number
  readonly accessToken?: string | undefined
  readonly nonce?: string | undefined
}): Promise<string> {
  const { key, method, now, accessToken, nonce } = options
  const { origin, pathname } = new URL(options.url)
  return await new SignJWT({
    jti: randomUUID(),
    htm: method,
    htu: `${origin}${pathname}`,
    iat: now,
    ...(accessToken !== undefined && { ath: createHash('sha256').update(accessToken).digest('base64url') }),
    ...(nonce !== undefined && { nonce }),
  })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicJwk })
    .sign(key.privateKey)
}
