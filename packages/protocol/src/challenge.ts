import { isScopeToken } from './scope.ts'

/** The parameters of our own Bearer challenge. */
export interface ChallengeParams {
  /** Only where a token was sent (RFC 6750 section 3.1). */
  readonly error?: 'invalid_request' | 'invalid_token' | 'insufficient_scope'
  /** From the refusal catalogue, never from the request. */
  readonly errorDescription?: string
  /** Scopes separated by spaces. */
  readonly scope?: string
  /** URL of the protected resource metadata (RFC 9728 section 5.1). */
  readonly resourceMetadata?: string
}

/** One challenge of a `WWW-Authenticate` header as a client reads it. */
export interface Challenge {
  /** As sent; compare without regard to case. */
  readonly scheme: string
  /** Parameters by lower-case name; of a repeated one the first. */
  readonly params: ReadonlyMap<string, string>
}

/**
 * The value of `WWW-Authenticate` (RFC 6750 section 3, RFC 9728 section 5.1). Whatever comes in, the header stays valid:
 * characters outside the grammar of a parameter are dropped, in a URL percent-encoded (G33).
 */
export function formatChallenge(params: ChallengeParams): string {
  const scope = params.scope?.split(' ').filter(isScopeToken).join(' ')
  const parts = [
    ['error', params.error],
    ['error_description', params.errorDescription?.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '')],
    ['resource_metadata', params.resourceMetadata?.replace(/[^\x21\x23-\x5b\x5d-\x7e]/gu, percentEncode)],
    ['scope', scope === '' ? undefined : scope],
  ].filter(([, value]) => value !== undefined)
  return ['Bearer', parts.map(([name, value]) => `${name}="${value}"`).join(', ')].join(' ').trimEnd()
}

function percentEncode(character: string): string {
  const bytes = new TextEncoder().encode(character)
  return [...bytes].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

const schemeToken = /[ \t,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?=[ \t,]|$)[ \t]*/y
const parameter =
  /[ \t,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^_`|~0-9A-Za-z:/-]+))[ \t]*(?=,|$)/y
const maxLength = 32_768
const token68 = /[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)/y

/**
 * The challenges of a `WWW-Authenticate` header (RFC 9110 section 11.6.1), also several in one value. Never throws: reading ends
 * where the text stops making sense or at 32,768 characters, and what was read before that counts.
 */
export function readChallenges(value: string): readonly Challenge[] {
  const header = value.slice(0, maxLength)
  const challenges: Challenge[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(header)
    if (found !== null) at += found[0].length
    return found
  }
  for (;;) {
    const scheme = take(schemeToken)?.[1]
    if (scheme === undefined) return challenges
    const params = new Map<string, string>()
    for (let found = take(parameter); found !== null; found = take(parameter)) {
      const name = (found[1] ?? '').toLowerCase()
      if (!params.has(name)) params.set(name, found[2]?.replace(/\\(.)/g, '$1') ?? found[3] ?? '')
    }
    if (params.size === 0) take(token68)
    challenges.push({ scheme, params })
  }
}
