import { LRUCache } from 'lru-cache'
import { makeFingerprint } from './fingerprint.ts'
import { timeSince } from './time-since.ts'
import { type TokenClaims, type TokenRules, type VerifiedJwt, verifyJwt } from './verify-jwt.ts'

const lookMs = 60_000

/**
 * Verifies tokens and remembers those that passed, keyed by the SHA-256 of the whole token and the resource, at most `size`.
 *
 * What is remembered is only that the signature and the claims are right: the end of the token and the presence of its key at
 * the issuer are checked on every use, and revocation and the user are the caller's business on every request.
 */
export function createVerifiedTokens(
  rules: TokenRules,
  size: number,
): (token: string) => Promise<TokenClaims> {
  const verified = new LRUCache<string, VerifiedJwt>({ max: size })
  const fingerprint = makeFingerprint()
  let lookedAt = rules.now()

  /** So that memory is that of the tokens which live, and not that of all which ever came, up to `size`. */
  const forgetExpired = (now: number): void => {
    if (timeSince(lookedAt, now) < lookMs) return
    lookedAt = now
    for (const [id, { claims }] of verified.entries()) if (claims.expiresAt * 1000 <= now) verified.delete(id)
  }

  return async (token) => {
    // To wait for what is there already is a turn of the queue each time.
    const digest = fingerprint(`${rules.resource} ${token}`)
    const id = typeof digest === 'string' ? digest : await digest
    const known = verified.get(id)
    if (known !== undefined && known.claims.expiresAt * 1000 > rules.now()) {
      const isCurrent = rules.keys.isCurrent(known.key)
      if (isCurrent === true || (await isCurrent)) return known.claims
    }
    const fresh = await verifyJwt(token, rules)
    verified.set(id, fresh)
    forgetExpired(rules.now())
    return fresh.claims
  }
}
