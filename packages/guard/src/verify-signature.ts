import type { KeyObject } from 'node:crypto'
import type { CompactJws } from '@warder/protocol'
import { type CryptoKey, compactVerify } from 'jose'
import { formatDerSignature } from './der-signature.ts'

/**
 * Whether the token has this signature of the key; the caller has checked that the algorithm is allowed and is the key's. On Node
 * by `node:crypto`, which takes no detour over threads, so that it costs half of what WebCrypto does; elsewhere by `jose`. Asked
 * for without an import, so that the guard still loads where there is no `node:crypto`.
 */
export function hasSignature(
  token: string,
  { signingInput, signature }: CompactJws,
  algorithm: string,
  key: CryptoKey,
): boolean | Promise<boolean> {
  if (!hasLengthOfKey(signature, key)) return false
  const node = loadNodeCrypto()
  if (node === undefined) return hasSignatureByJose(token, algorithm, key)
  const way = ways[algorithm]
  if (way === undefined) return false
  let known = keyObjects.get(key)
  if (known === undefined) {
    known = node.KeyObject.from(key as Parameters<typeof node.KeyObject.from>[0])
    keyObjects.set(key, known)
  }
  const form = way.half === undefined ? signature : formatDerSignature(signature, way.half)
  // Alone where nothing is to be said about it: an object around the key costs a fifth of the whole.
  const how = way.padding === undefined ? known : { ...way, key: known }
  return form !== undefined && node.verify(way.digest, signingInput, how, form)
}

/** An RSA signature is as long as the modulus (RFC 8017 section 8.1.2); OpenSSL takes one without its leading zeros too. */
function hasLengthOfKey(signature: Uint8Array, { algorithm }: CryptoKey): boolean {
  const { modulusLength } = algorithm as { readonly modulusLength?: number }
  return modulusLength === undefined || signature.length === Math.ceil(modulusLength / 8)
}

/** That of Node itself: what other runtimes offer under the name has not been tried with every algorithm. */
function loadNodeCrypto(): typeof import('node:crypto') | undefined {
  const { process } = globalThis
  const isOther = process?.versions?.['bun'] !== undefined || process?.versions?.['deno'] !== undefined
  return isOther ? undefined : process?.getBuiltinModule?.('node:crypto')
}

const keyObjects = new WeakMap<CryptoKey, KeyObject>()

/** How node:crypto verifies what RFC 7518 section 3 and RFC 8037 call so; a `null` digest is that of the algorithm itself. */
interface Way {
  readonly digest: string | null
  /** Bytes of each of the two numbers of an ECDSA signature. */
  readonly half?: number
  readonly padding?: number
  /** Exactly that of the digest (RFC 7518 section 3.5). */
  readonly saltLength?: number
}

const ecdsa = (digest: string, half: number): Way => ({ digest, half })
/** RSA_PKCS1_PADDING and RSA_PKCS1_PSS_PADDING of OpenSSL. */
const rsa = (digest: string): Way => ({ digest, padding: 1 })
const rsaPss = (digest: string, saltLength: number): Way => ({ digest, padding: 6, saltLength })

const ways: Readonly<Record<string, Way>> = {
  ES256: ecdsa('sha256', 32),
  ES384: ecdsa('sha384', 48),
  ES512: ecdsa('sha512', 66),
  EdDSA: { digest: null },
  Ed25519: { digest: null },
  RS256: rsa('sha256'),
  RS384: rsa('sha384'),
  RS512: rsa('sha512'),
  PS256: rsaPss('sha256', 32),
  PS384: rsaPss('sha384', 48),
  PS512: rsaPss('sha512', 64),
}

async function hasSignatureByJose(token: string, algorithm: string, key: CryptoKey): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] })
    return true
  } catch {
    return false
  }
}
