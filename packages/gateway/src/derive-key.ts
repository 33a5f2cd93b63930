import { hkdfSync } from 'node:crypto'

/** Fewer different bytes than any 32 random ones have: `changeme` again and again, or zeros. */
const minDistinct = 10

/**
 * A key of 32 bytes for one `purpose`, derived from the state's secret by HKDF-SHA-256: two purposes never share a key, and two
 * nodes with one secret have the same keys. Throws on a secret that is too short or looks like a placeholder (G39).
 */
export function deriveKey(secret: Uint8Array, purpose: string): Buffer {
  if (!(secret instanceof Uint8Array) || secret.length < 32)
    throw new Error('the secret must have at least 32 bytes')
  if (new Set(secret).size < minDistinct) throw new Error('the secret must be random bytes')
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))
}
