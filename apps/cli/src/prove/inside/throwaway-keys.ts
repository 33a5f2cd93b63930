import { randomUUID } from 'node:crypto'
import {
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  SignJWT,
} from 'jose'

/** An issuer of its own, as far as a guard sees one: a key set, and tokens signed by it. */
export interface ThrowawayKeys {
  readonly jwks: () => Promise<JSONWebKeySet>
  /** An access token that lives ten minutes. */
  sign(claims: {
    readonly iss: string
    readonly aud: string
    readonly sub: string
    readonly client_id: string
    readonly scope: string
  }): Promise<string>
}

/** Makes the keys of a throwaway issuer; they live and end with this process. */
export async function makeThrowawayKeys(): Promise<ThrowawayKeys> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'throwaway', alg: 'ES256', use: 'sig' }
  return {
    jwks: async () => ({ keys: [jwk] }),
    sign: (claims) =>
      new SignJWT({ ...claims, jti: randomUUID() })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: jwk.kid })
        .setIssuedAt()
        .setExpirationTime('10m')
        .sign(privateKey),
  }
}

/** The same token in every claim and header, signed by a key that is nobody's. */
export async function signAnew(token: string): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256')
  const header = { ...decodeProtectedHeader(token), alg: 'ES256' }
  return new SignJWT(decodeJwt(token)).setProtectedHeader(header).sign(privateKey)
}
