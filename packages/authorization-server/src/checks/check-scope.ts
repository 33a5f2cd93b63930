import { basicScopes, impliedScopes, type ServerPolicy } from '@warder/policy'
import { Refusal, readScope } from '@warder/protocol'

/** Asked for by clients out of habit; they change nothing here, so they are neither granted nor refused. */
const ignored: ReadonlySet<string> = new Set(['openid', 'offline_access'])

/**
 * The scopes that a request is about: those of the resource among what was asked for, or the basic ones where nothing was.
 * Unknown ones are dropped while others remain, else `scope.unknown`. Whether the user may have them is the policy's business.
 */
export function checkScope(raw: string | undefined, server: ServerPolicy): readonly string[] {
  const asked = readScope(raw ?? '').filter((scope) => !ignored.has(scope))
  if (asked.length === 0) return basicScopes(server)
  const known = asked.filter((scope) => server.scopes.has(scope))
  if (known.length === 0) throw new Refusal('scope.unknown')
  return known
}

/**
 * The scopes of a refreshed access token (RFC 6749 section 6): all of the grant's, or the fewer that were asked for, where
 * what a granted scope implies counts as granted. Anything else throws `scope.outside-grant`.
 */
export function checkScopeWithinGrant(
  raw: string | undefined,
  granted: readonly string[],
  server: ServerPolicy | undefined,
): readonly string[] {
  const asked = readScope(raw ?? '').filter((scope) => !ignored.has(scope))
  if (asked.length === 0) return granted
  const within = new Set([...granted, ...(server === undefined ? [] : impliedScopes(server, granted))])
  if (!asked.every((scope) => within.has(scope))) throw new Refusal('scope.outside-grant')
  return asked
}
