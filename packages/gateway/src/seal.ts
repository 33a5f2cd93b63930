import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { deriveKey } from './derive-key.ts'

/** Seals short texts under AES-256-GCM for those who can name the same facts; nothing is stored. */
export interface Seal {
  /** The text as base64url, of another form each time. */
  close(text: string, facts: readonly string[]): string
  /** The text, or undefined where it was not sealed with this key and these facts. */
  open(sealed: string, facts: readonly string[]): string | undefined
}

const overhead = 12 + 16

/** A seal whose key is derived from `secret` (at least 32 bytes) for one `purpose`. */
export function createSeal(secret: Uint8Array, purpose: string): Seal {
  const key = deriveKey(secret, purpose)
  // JSON keeps the facts apart, whatever characters they contain.
  const additionalData = (facts: readonly string[]): Buffer => Buffer.from(JSON.stringify(facts))
  return {
    close(text, facts) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(additionalData(facts))
      const sealed = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]
      return Buffer.concat(sealed).toString('base64url')
    },
    open(sealed, facts) {
      const bytes = Buffer.from(sealed, 'base64url')
      // Only the one spelling that we gave out: base64url has others for the same bytes.
      if (bytes.length < overhead || bytes.toString('base64url') !== sealed) return undefined
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
      decipher.setAAD(additionalData(facts)).setAuthTag(bytes.subarray(-16))
      try {
        const opened = [decipher.update(bytes.subarray(12, -16)), decipher.final()]
        return Buffer.concat(opened).toString('utf8')
      } catch {
        return undefined
      }
    },
  }
}
