import { Refusal } from '@warder/protocol'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose'

/** The key that tokens are bound to (RFC 9449): ES256. */
export interface DpopKey {
  readonly privateKey: CryptoKey
  /** `kty`, `crv`, `x` and `y` alone: it goes into every proof. */
  readonly publicJwk: JsonWebKey
  /** What stands in the record of the tokens: the private key, or the public one where the private one never leaves this process. */
  readonly stored: JsonWebKey
}

/** Makes keys, and finds them again by what stands in the record of the tokens. */
export interface DpopKeys {
  make(): Promise<DpopKey>
  /** Undefined for a key that only another process has, or that is none: tokens bound to it are of no use here. */
  open(stored: JsonWebKey): Promise<DpopKey | undefined>
}

/**
 * All users of a web application may have theirs in one store. Whose key goes has to sign in again where it was in memory alone, and
 * else it is opened anew.
 */
const maxKeys = 10_000

/**
 * `inMemory`: the tokens live no longer than this process, so their keys cannot leave it either (WebCrypto, not extractable).
 * Otherwise other processes use the same tokens, and the record holds the private key.
 */
export function createDpopKeys({ inMemory }: { readonly inMemory: boolean }): DpopKeys {
  // A key for each sign-in of this process, the one that was used last at the end; those in memory are nowhere else.
  const opened = new Map<string, DpopKey>()
  const keep = async (key: DpopKey): Promise<DpopKey> => {
    const thumbprint = await calculateJwkThumbprint(key.publicJwk)
    opened.delete(thumbprint)
    opened.set(thumbprint, key)
    const [oldest] = opened.keys()
    if (oldest !== undefined && opened.size > maxKeys) opened.delete(oldest)
    return key
  }
  return {
    async make() {
      const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: !inMemory })
      const publicJwk = publicPart(await exportJWK(publicKey))
      const stored = inMemory ? publicJwk : { ...publicJwk, d: (await exportJWK(privateKey)).d ?? '' }
      return keep({ privateKey, publicJwk, stored })
    },
    async open(stored) {
      try {
        const publicJwk = publicPart(stored)
        const known = opened.get(await calculateJwkThumbprint(publicJwk))
        if (known !== undefined) return await keep(known)
        if (stored.d === undefined) return undefined
        const privateKey = await importJWK({ ...publicJwk, d: stored.d }, 'ES256', { extractable: false })
        if (privateKey instanceof Uint8Array) return undefined
        return await keep({ privateKey, publicJwk, stored })
      } catch {
        // Not as cause, and not as an error of its own: the record is damaged, and its words would be about the key.
        return undefined
      }
    },
  }
}

function publicPart({ kty, crv, x, y }: JsonWebKey): Required<Pick<JsonWebKey, 'kty' | 'crv' | 'x' | 'y'>> {
  if (kty !== 'EC' || crv !== 'P-256' || x === undefined || y === undefined) {
    throw new Refusal('client-key.unusable', { detail: 'no P-256 key' })
  }
  return { kty, crv, x, y }
}
