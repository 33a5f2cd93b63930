import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto'

/** A new opaque secret: a readable prefix and 32 random bytes in base64url. */
export function makeSecret(prefix = ''): string {
  return prefix + randomBytes(32).toString('base64url')
}

/** A new identifier that is not a secret, but that nobody can guess: 16 random bytes in base64url. */
export function makeId(prefix = ''): string {
  return prefix + randomBytes(16).toString('base64url')
}

/** What the store keeps of a secret: its SHA-256 in base64url. Fit for random secrets only, not for passwords. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'base64url')
}

/** Whether a presented secret is the one that was hashed, in constant time. */
export function isSecret(presented: string, hashed: string): boolean {
  const a = Buffer.from(hashSecret(presented))
  const b = Buffer.from(hashed)
  return a.length === b.length && timingSafeEqual(a, b)
}

/** A second secret that follows from a first one, for one named purpose; the first cannot be had from it. */
export function deriveSecret(secret: string, purpose: string): string {
  return createHmac('sha256', secret).update(purpose).digest('base64url')
}
