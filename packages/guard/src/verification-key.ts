import { isJsonObject, ownValue } from '@warder/protocol'
import { base64url, type CryptoKey, importJWK, type JWK } from 'jose'
import { algorithms, type KeyShape } from './algorithms.ts'

/** One public key that may verify access tokens. */
export interface VerificationKey {
  readonly kid: string | undefined
  /** The algorithms that this key may be used with. */
  readonly algorithms: ReadonlySet<string>
  /** The public members as text: equal for the same key after another load. */
  readonly identity: string
  load(algorithm: string): Promise<CryptoKey>
}

/**
 * A verification key from a JWK, or undefined when it must not verify access tokens (RFC 7517 section 4, RFC 8725 section 3.5):
 * another use, other operations or algorithm, a curve outside the allow-list, RSA below 2,048 bits or with a tiny exponent,
 * a private or symmetric key, a point that is not on its curve.
 */
export async function readVerificationKey(jwk: unknown): Promise<VerificationKey | undefined> {
  if (!isJsonObject(jwk) || !isForVerifying(jwk)) return undefined
  const kid = ownValue(jwk, 'kid')
  if (kid !== undefined && typeof kid !== 'string') return undefined
  const members = readPublicMembers(jwk)
  if (members === undefined) return undefined
  const usable = [...algorithms]
    .filter(([name, shape]) => fits(jwk, members, name, shape))
    .map(([name]) => name)
  const [first] = usable
  if (first === undefined) return undefined
  const load = rememberImports(members)
  try {
    await load(first)
  } catch {
    return undefined
  }
  return { kid, algorithms: new Set(usable), identity: JSON.stringify([kid, usable, members]), load }
}

function isForVerifying(jwk: Readonly<Record<string, unknown>>): boolean {
  // A key set that shows a private key proves nothing: whoever read it could have signed.
  if (['d', 'p', 'q', 'k', 'priv'].some((member) => Object.hasOwn(jwk, member))) return false
  const use = ownValue(jwk, 'use')
  if (use !== undefined && use !== 'sig') return false
  const operations = ownValue(jwk, 'key_ops')
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
}

/** Only what makes the public key: no `x5c`, no `x5u`, nothing that an importer could follow. */
function readPublicMembers(jwk: Readonly<Record<string, unknown>>): JWK | undefined {
  const { kty, crv, x, y, n, e } = jwk
  if (kty === 'EC' && areStrings(crv, x, y)) return { kty, crv, x, y } as JWK
  if (kty === 'OKP' && areStrings(crv, x)) return { kty, crv, x } as JWK
  if (kty === 'RSA' && typeof n === 'string' && typeof e === 'string' && isStrongRsa(n, e))
    return { kty, n, e }
  return undefined
}

function areStrings(...values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string')
}

function isStrongRsa(modulus: string, exponent: string): boolean {
  const n = decodeNumber(modulus)
  const e = decodeNumber(exponent)
  // e = 1 makes every signature its own message; small exponents have a history of forged padding.
  return (
    n !== undefined && e !== undefined && n >> 2047n > 0n && e >= 65_537n && e % 2n === 1n && e < 1n << 64n
  )
}

function decodeNumber(text: string): bigint | undefined {
  if (text.length > 4096 || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined
  const hex = Array.from(base64url.decode(text), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return BigInt(`0x${hex}`)
}

function fits(jwk: Readonly<Record<string, unknown>>, members: JWK, name: string, shape: KeyShape): boolean {
  const declared = ownValue(jwk, 'alg')
  if (declared !== undefined && declared !== name) return false
  return members.kty === shape.kty && (shape.crv === undefined || members.crv === shape.crv)
}

function rememberImports(members: JWK): (algorithm: string) => Promise<CryptoKey> {
  const imported = new Map<string, Promise<CryptoKey>>()
  return (algorithm) => {
    const known = imported.get(algorithm) ?? (importJWK(members, algorithm) as Promise<CryptoKey>)
    imported.set(algorithm, known)
    return known
  }
}
