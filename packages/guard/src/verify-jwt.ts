import {
  type CompactJws,
  isAccessTokenType,
  isJsonObject,
  ownValue,
  Refusal,
  readCompactJws,
  readScope,
} from '@warder/protocol'
import { algorithms } from './algorithms.ts'
import type { KeySet } from './key-set.ts'
import type { VerificationKey } from './verification-key.ts'
import { hasSignature } from './verify-signature.ts'

/** The claims of an access token that passed. Times are seconds since the epoch. */
export interface TokenClaims {
  readonly issuer: string
  readonly subject: string
  readonly clientId: string
  readonly tokenId: string
  readonly scopes: ReadonlySet<string>
  readonly expiresAt: number
  readonly issuedAt: number
  readonly notBefore: number | undefined
  readonly grantId: string | undefined
  /** As the token says it; whether to believe it depends on the issuer. */
  readonly clientClass: string | undefined
  /** Groups of the user as the token names them; only a foreign issuer's are looked at. */
  readonly groups: readonly string[]
}

/** What a token must fit. */
export interface TokenRules {
  readonly issuer: string
  readonly resource: string
  readonly keys: KeySet
  readonly acceptPlainJwt: boolean
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export interface VerifiedJwt {
  readonly claims: TokenClaims
  readonly key: VerificationKey
}

type Json = Readonly<Record<string, unknown>>

/** Seconds by which the issuer's clock may be ahead. An expired token gets none. */
const clockTolerance = 10

/**
 * Proves a JWT access token (RFC 9068 section 4, RFC 8725): type, algorithm, issuer, key, signature, audience, times, claims,
 * in this order. Throws `token.*` and `keys.unavailable`. Does not check revocation, the user or scopes; keys, certificates and
 * URLs in the header are never looked at.
 */
export async function verifyJwt(token: string, rules: TokenRules): Promise<VerifiedJwt> {
  const jws = readCompactJws(token)
  const { header, payload } = jws
  checkType(header, rules.acceptPlainJwt)
  const algorithm = checkAlgorithm(header)
  // The issuer chooses the key set, so a key of one issuer can never speak for another one.
  if (ownValue(payload, 'iss') !== rules.issuer) throw new Refusal('token.issuer')
  const key = await rules.keys.find(algorithm, readKid(header))
  await checkSignature(token, jws, algorithm, key)
  checkAudience(payload, rules.resource)
  const claims = readClaims(payload, rules.issuer)
  checkTimes(claims, rules.now)
  return { claims, key }
}

function checkType(header: Json, acceptPlainJwt: boolean): void {
  const type = ownValue(header, 'typ')
  if (isAccessTokenType(type)) return
  const isPlain = type === undefined || (typeof type === 'string' && type.toLowerCase() === 'jwt')
  if (!acceptPlainJwt || !isPlain) throw new Refusal('token.type')
}

function checkAlgorithm(header: Json): string {
  const algorithm = ownValue(header, 'alg')
  if (typeof algorithm !== 'string' || !algorithms.has(algorithm)) throw new Refusal('token.algorithm')
  // No extension is understood here, so every critical one is refused, and so is an empty list (RFC 7515 section 4.1.11).
  if (Object.hasOwn(header, 'crit')) throw new Refusal('token.algorithm', { detail: 'crit' })
  return algorithm
}

function readKid(header: Json): string | undefined {
  const kid = ownValue(header, 'kid')
  if (kid !== undefined && typeof kid !== 'string') throw new Refusal('token.key', { detail: 'kid' })
  return kid
}

async function checkSignature(
  token: string,
  jws: CompactJws,
  algorithm: string,
  key: VerificationKey,
): Promise<void> {
  const cryptoKey = await key.load(algorithm)
  let isRight: boolean
  try {
    isRight = await hasSignature(token, jws, algorithm, cryptoKey)
  } catch (cause) {
    throw new Refusal('token.signature', { cause })
  }
  if (!isRight) throw new Refusal('token.signature')
}

/** Exactly one audience, and it is this server, character by character: a token for two servers can be replayed between them. */
function checkAudience(payload: Json, resource: string): void {
  const audience = ownValue(payload, 'aud')
  const single: unknown = Array.isArray(audience) && audience.length === 1 ? audience[0] : audience
  if (single !== resource) throw new Refusal('token.audience')
}

function readClaims(payload: Json, issuer: string): TokenClaims {
  const grantId = ownValue(payload, 'grant_id')
  const clientClass = ownValue(payload, 'client_class')
  return {
    issuer,
    subject: readText(payload, 'sub'),
    clientId: readText(payload, 'client_id'),
    tokenId: readText(payload, 'jti'),
    scopes: readScopes(payload),
    expiresAt: readTime(payload, 'exp'),
    issuedAt: readTime(payload, 'iat'),
    notBefore: Object.hasOwn(payload, 'nbf') ? readTime(payload, 'nbf') : undefined,
    grantId: grantId === undefined ? undefined : readText(payload, 'grant_id'),
    clientClass: typeof clientClass === 'string' ? clientClass : undefined,
    groups: readGroups(payload),
  }
}

/**
 * A claim that cannot be read ends the matter: without its groups, a user would escape what is denied to them. So does a token
 * that says its groups are too many for it and stand elsewhere (OpenID Connect Core section 5.6.2, `hasgroups` of Entra ID).
 */
function readGroups(payload: Json): readonly string[] {
  const elsewhere = ownValue(payload, '_claim_names')
  if (
    (isJsonObject(elsewhere) && Object.hasOwn(elsewhere, 'groups')) ||
    ownValue(payload, 'hasgroups') === true
  )
    throw new Refusal('token.claims', { detail: 'the groups are not in the token' })
  const groups = ownValue(payload, 'groups')
  if (groups === undefined) return []
  if (typeof groups === 'string') return [groups]
  if (!Array.isArray(groups) || !groups.every((group) => typeof group === 'string'))
    throw new Refusal('token.claims', { detail: 'groups' })
  return groups
}

function readText(payload: Json, name: string): string {
  const value = ownValue(payload, name)
  if (typeof value !== 'string' || value === '') throw new Refusal('token.claims', { detail: name })
  return value
}

function readTime(payload: Json, name: string): number {
  const value = ownValue(payload, name)
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new Refusal('token.claims', { detail: name })
  return value
}

/** A `scope` that is not a list of scope tokens grants nothing: what is asked for then answers with the scopes it needs. */
function readScopes(payload: Json): ReadonlySet<string> {
  const raw = ownValue(payload, 'scope')
  if (typeof raw !== 'string') return new Set()
  try {
    return new Set(readScope(raw))
  } catch {
    return new Set()
  }
}

function checkTimes(claims: TokenClaims, now: () => number): void {
  const seconds = now() / 1000
  if (claims.expiresAt <= seconds) throw new Refusal('token.expired')
  const start = Math.max(claims.issuedAt, claims.notBefore ?? claims.issuedAt)
  if (start > seconds + clockTolerance) throw new Refusal('token.not-yet-valid')
}
