import type { ServerMetadata } from './read-server-metadata.ts'

/**
 * The scopes to ask for at a sign-in (CL-09, CL-10): pins as they are; else those of the challenge; else all that the resource
 * lists; else none, and the authorization server decides. What was granted before stays in (CL-08), and `offline_access` comes
 * along where the authorization server, not the resource, lists it (CL-31).
 */
export function decideScopes(of: {
  readonly pins?: readonly string[] | undefined
  readonly challenged?: readonly string[] | undefined
  /** `scopes_supported` of the resource; nothing follows from it about `challenged` (CL-06). */
  readonly listed?: readonly string[] | undefined
  /** Asked for or granted before, at the same issuer for the same resource. */
  readonly before?: readonly string[] | undefined
  readonly metadata: Pick<ServerMetadata, 'scopesSupported'>
}): readonly string[] {
  if (of.pins !== undefined) return of.pins
  const basic = of.challenged ?? of.listed?.filter((scope) => scope !== offline) ?? []
  const scopes = [...new Set([...(of.before ?? []), ...basic])]
  // Alone it would turn "whatever you give by default" into "nothing but refresh tokens".
  const isWanted = scopes.length > 0 && of.metadata.scopesSupported?.includes(offline) === true
  const withoutOffline = scopes.filter((scope) => scope !== offline)
  return isWanted ? [...withoutOffline, offline] : withoutOffline
}

const offline = 'offline_access'
