import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose'

/** Who issues the tokens of a bench. */
export interface TokenIssuer {
  readonly issuer: string
  readonly jwks: JSONWebKeySet
  /** Access tokens (RFC 9068) of one user for one resource, each with an id of its own, good for an hour. */
  issue(resource: string, scope: string, count: number): Promise<readonly string[]>
}

export async function makeTokenIssuer(issuer: string): Promise<TokenIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }
  return {
    issuer,
    jwks: { keys: [jwk] },
    issue(resource, scope, count) {
      const now = Math.floor(Date.now() / 1000)
      const claims = { client_id: 'c1', client_class: 'pre-registered', scope }
      const sign = (): Promise<string> =>
        new SignJWT({ ...claims, jti: randomUUID() })
          .setProtectedHeader({ typ: 'at+jwt', alg: 'ES256', kid: 'k1' })
          .setIssuer(issuer)
          .setSubject('ann')
          .setAudience(resource)
          .setIssuedAt(now)
          .setExpirationTime(now + 3600)
          .sign(privateKey)
      return Promise.all(Array.from({ length: count }, sign))
    },
  }
}
