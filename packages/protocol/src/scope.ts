import { Refusal } from './refusals.ts'

const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/
const maxScopes = 100
const maxLength = 4096

/** Whether a string is one scope token (RFC 6749 appendix A.4): visible ASCII without quote and backslash. */
export function isScopeToken(value: string): boolean {
  return scopeToken.test(value)
}

/**
 * The scopes of a `scope` parameter, each once, in their order (RFC 6749 section 3.3).
 *
 * At most 100 scopes and 4,096 characters, separated by exactly one space; anything else throws `scope.malformed`. An empty
 * string is no scope at all, as OAuth wants it for a parameter without a value. Does not check that the scopes exist.
 */
export function readScope(raw: string): readonly string[] {
  if (raw === '') return []
  if (raw.length > maxLength) throw new Refusal('scope.malformed', { detail: `${raw.length} characters` })
  const scopes = raw.split(' ')
  if (scopes.length > maxScopes) throw new Refusal('scope.malformed', { detail: `${scopes.length} scopes` })
  if (!scopes.every(isScopeToken)) throw new Refusal('scope.malformed', { detail: 'characters' })
  return [...new Set(scopes)]
}

/** The `scope` parameter for these scopes, each once, in their order. */
export function formatScope(scopes: Iterable<string>): string {
  return [...new Set(scopes)].join(' ')
}
