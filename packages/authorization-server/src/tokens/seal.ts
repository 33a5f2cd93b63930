import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'

const ivBytes = 12
const tagBytes = 16

/**
 * Seals a text under a key of at least 256 bits of entropy, for one named purpose: AES-256-GCM, key by HKDF-SHA256. What was
 * sealed for one purpose does not open for another. The answer is base64url.
 */
export function seal(key: string | Uint8Array, purpose: string, text: string): string {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', deriveKey(key, purpose), iv)
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64url')
}

/** Opens what `seal` sealed; throws when key or purpose differ, or a byte was changed or cut off. */
export function unseal(key: string | Uint8Array, purpose: string, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', deriveKey(key, purpose), bytes.subarray(0, ivBytes), {
    authTagLength: tagBytes,
  })
  decipher.setAuthTag(bytes.subarray(-tagBytes))
  return decipher.update(bytes.subarray(ivBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
}

/** A key of its own for one purpose, by HKDF-SHA256 (RFC 5869). */
export function deriveKey(key: string | Uint8Array, purpose: string): KeyObject {
  return createSecretKey(new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), `warder ${purpose}`, 32)))
}
