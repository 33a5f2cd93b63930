import { createPrivateKey, type JsonWebKeyInput, KeyObject, randomUUID } from 'node:crypto'
import { Refusal } from '@warder/protocol'
import { SignJWT } from 'jose'

/** The private key of a client that authenticates with it (`private_key_jwt`, RFC 7523 section 2.2). */
export interface AssertionKey {
  /** PKCS#8 or SEC 1 or PKCS#1 in PEM, a JWK, or a key of `node:crypto`. */
  readonly key: string | JsonWebKey | KeyObject
  /** Default: ES256 for P-256, RS256 for RSA (PS256 where the server takes nothing else), EdDSA for Ed25519. */
  readonly alg?: string | undefined
  /** Goes into the header, where the server has several keys of this client. */
  readonly kid?: string | undefined
}

const lifetime = 60

/**
 * A new assertion that says who the client is: issuer and subject are the client, the audience is the issuer alone and not the
 * endpoint (so that no other server can use it), for 60 seconds and once.
 *
 * `allowed` are the algorithms that the server lists, if it does. Throws `client-key.unusable`.
 */
export async function makeClientAssertion(options: {
  readonly clientId: string
  readonly issuer: string
  readonly key: AssertionKey
  readonly allowed?: readonly string[] | undefined
  /** Seconds since 1970. */
  readonly now: number
}): Promise<string> {
  const { clientId, issuer, key, allowed, now } = options
  const privateKey = readPrivateKey(key.key)
  const alg = chooseAlgorithm(privateKey, key.alg, allowed)
  return await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg, typ: 'JWT', ...(key.kid !== undefined && { kid: key.kid }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(issuer)
    .setIssuedAt(now)
    .setExpirationTime(now + lifetime)
    .sign(privateKey)
}

function readPrivateKey(key: AssertionKey['key']): KeyObject {
  if (key instanceof KeyObject) return key
  try {
    return typeof key === 'string'
      ? createPrivateKey(key)
      : createPrivateKey({ key, format: 'jwk' } as JsonWebKeyInput)
  } catch {
    // Not as cause: the words of the parser are about the key.
    throw new Refusal('client-key.unusable', { detail: 'neither PEM nor JWK of a private key' })
  }
}

const byKind: Readonly<Record<string, readonly string[]>> = {
  'ec prime256v1': ['ES256'],
  'rsa ': ['RS256', 'PS256'],
  'ed25519 ': ['EdDSA', 'Ed25519'],
}

function chooseAlgorithm(
  key: KeyObject,
  wanted: string | undefined,
  allowed: readonly string[] | undefined,
): string {
  const details = key.asymmetricKeyDetails
  const kind = `${key.asymmetricKeyType ?? ''} ${details?.namedCurve ?? ''}`
  const able = byKind[kind] ?? []
  if (key.type !== 'private' || able.length === 0) {
    throw new Refusal('client-key.unusable', { detail: 'a private key of P-256, RSA or Ed25519 is needed' })
  }
  if (details?.modulusLength !== undefined && details.modulusLength < 2048) {
    throw new Refusal('client-key.unusable', { detail: 'an RSA key needs 2,048 bits' })
  }
  const asked = wanted === undefined ? able : able.filter((alg) => alg === wanted)
  const [chosen] = allowed === undefined ? asked : asked.filter((alg) => allowed.includes(alg))
  if (chosen !== undefined) return chosen
  throw new Refusal('client-key.unusable', {
    detail: `the server does not take ${asked.join(' or ') || wanted}`,
  })
}
