import { createPrivateKey, type JsonWebKey, type KeyObject, randomUUID, sign } from 'node:crypto'
import type { Principal } from '@warder/policy'

/** Signs what an upstream may know about the caller. */
export interface AssertionSigner {
  /** Whose word this is: the gateway's own URL. */
  readonly issuer: string
  readonly kid: string
  /** ES256 (IEEE P1363 form) over the signing input. Never the key of access tokens. */
  sign(input: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** A signer with a P-256 private key of this process. */
export function assertionSigner(options: {
  readonly issuer: string
  readonly kid: string
  readonly privateKey: KeyObject | JsonWebKey
}): AssertionSigner {
  const { issuer, kid, privateKey } = options
  const key = isKeyObject(privateKey) ? privateKey : createPrivateKey({ key: privateKey, format: 'jwk' })
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new Error('the assertion key must be P-256')
  return { issuer, kid, sign: (input) => sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' }) }
}

/** Seconds that an assertion is good for. */
const lifetime = 60

/**
 * The `Warder-Assertion` that an upstream gets instead of the client's token (RS-17): a JWT of type
 * `warder-assertion+jwt` for `audience`, the upstream's URL, valid for 60 s. `now` is in milliseconds.
 */
export async function makeAssertion(
  signer: AssertionSigner,
  facts: { readonly principal: Principal; readonly server: string; readonly audience: string },
  now: number,
): Promise<string> {
  const { principal, server, audience } = facts
  const issuedAt = Math.floor(now / 1000)
  const header = { alg: 'ES256', typ: 'warder-assertion+jwt', kid: signer.kid }
  const payload = {
    iss: signer.issuer,
    sub: principal.user.subject,
    aud: audience,
    iat: issuedAt,
    // An assertion never outlives the token that it stands for.
    exp: Math.min(issuedAt + lifetime, principal.expiresAt),
    jti: randomUUID(),
    client_id: principal.client.id,
    scope: [...principal.scopes].join(' '),
    server,
  }
  const input = `${encoded(header)}.${encoded(payload)}`
  const signature = await signer.sign(Buffer.from(input))
  return `${input}.${Buffer.from(signature).toString('base64url')}`
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function isKeyObject(key: KeyObject | JsonWebKey): key is KeyObject {
  return typeof Reflect.get(key, 'export') === 'function'
}
