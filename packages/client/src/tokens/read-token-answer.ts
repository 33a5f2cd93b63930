import { type JsonObject, ownValue, Refusal, readScope } from '@warder/protocol'
import type { TokenSet } from '../records.ts'

/** What was asked for, as far as the answer has to fit it. */
export interface AskedFor {
  /** The value of `scope` that was sent. */
  readonly scope?: string | undefined
  /** A DPoP proof went with the request, or none did. */
  readonly dpop: 'none' | 'preferred' | 'required'
  /** Seconds since 1970. */
  readonly now: number
}

/** The tokens of an answer, not yet bound to a key and not yet counted. */
export type ReadTokens = Omit<TokenSet, 'generation' | 'dpopKey'>

const maxToken = 32_768
const longest = 366 * 24 * 3600

/**
 * The token answer (RFC 6749 section 5.1), read strictly (Q19): tokens are visible ASCII, so that none can end a header; the type
 * is Bearer, or DPoP where a proof was sent. `expires_in` may be a number or its digits and counts for a year at most; zero,
 * negative and absent all mean that the server did not say. The scopes are those of the answer, also wider or narrower ones; where
 * it names none, those that were asked for were granted.
 *
 * Throws `token-answer.malformed`, `token-answer.type` and `token-answer.unbound`, and repeats nothing of the answer.
 */
export function readTokenAnswer(json: JsonObject | undefined, asked: AskedFor): ReadTokens {
  if (json === undefined) return malformed('no JSON object')
  const accessToken = readToken(json, 'access_token')
  if (accessToken === undefined) return malformed('no access_token')
  const lifetime = readLifetime(ownValue(json, 'expires_in'))
  const wanted = asked.scope === undefined ? undefined : readScope(asked.scope)
  return {
    accessToken,
    tokenType: readType(json, asked.dpop),
    expiresAt: lifetime === undefined ? undefined : asked.now + lifetime,
    refreshToken: readToken(json, 'refresh_token'),
    scopes: readGranted(ownValue(json, 'scope')) ?? wanted,
    asked: wanted,
    obtainedAt: asked.now,
    idToken: readToken(json, 'id_token'),
  }
}

/** A token of the answer; `null` and the empty string are as good as none. */
export function readToken(json: JsonObject, name: string): string | undefined {
  const value = ownValue(json, name) ?? ''
  if (value === '') return undefined
  if (typeof value === 'string' && value.length <= maxToken && /^[\x21-\x7e]+$/.test(value)) return value
  return malformed(`${name} is no token`)
}

function readType(json: JsonObject, dpop: AskedFor['dpop']): TokenSet['tokenType'] {
  const type = ownValue(json, 'token_type')
  const name = typeof type === 'string' ? type.toLowerCase() : undefined
  if (name === 'dpop' && dpop !== 'none') return 'DPoP'
  if (name !== 'bearer') throw new Refusal('token-answer.type')
  // RFC 9449 section 5: a bearer token where a bound one was asked for is a downgrade.
  if (dpop === 'required') throw new Refusal('token-answer.unbound')
  return 'Bearer'
}

function readLifetime(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  const isNumber = typeof value === 'number' || (typeof value === 'string' && /^-?[0-9]{1,30}$/.test(value))
  if (!isNumber) return malformed('expires_in is no number')
  const seconds = Math.min(Math.floor(Number(value)), longest)
  return seconds > 0 ? seconds : undefined
}

function readGranted(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') return malformed('scope is no string')
  try {
    return readScope(value)
  } catch {
    return malformed('scope has the wrong form')
  }
}

function malformed(detail: string): never {
  throw new Refusal('token-answer.malformed', { detail })
}
