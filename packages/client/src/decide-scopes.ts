import { Refusal } from '@warder/protocol'
import type { ServerMetadata } from './read-server-metadata.ts'

/**
 * The scopes to ask for at a sign-in (CL-09, CL-10): pins as they are; else those of the challenge; else all that the resource
 * lists; else none, and the authorization server decides. What was granted before stays in (CL-08), and `offline_access` comes
 * along where the authorization server, not the resource, lists it (CL-31).
 *
 * Of what servers name, only what is below the ceiling is asked for. Throws `step-up.denied` where nothing is left of it: without
 * any scope the authorization server would decide, and it knows no ceiling.
 */
export function decideScopes(of: {
  readonly pins?: readonly string[] | undefined
  readonly challenged?: readonly string[] | undefined
  /** `scopes_supported` of the resource; nothing follows from it about `challenged` (CL-06). */
  readonly listed?: readonly string[] | undefined
  /** Asked for or granted before, at the same issuer for the same resource. */
  readonly before?: readonly string[] | undefined
  /** Of the step-up policy. Absent: no such limit. */
  readonly ceiling?: readonly string[] | undefined
  readonly metadata: Pick<ServerMetadata, 'scopesSupported'>
}): readonly string[] {
  if (of.pins !== undefined) return of.pins
  const named = of.challenged ?? of.listed?.filter((scope) => scope !== offline) ?? []
  const basic = named.filter((scope) => scope === offline || of.ceiling?.includes(scope) !== false)
  const scopes = [...new Set([...(of.before ?? []), ...basic])]
  if (scopes.length === 0 && named.length > 0) {
    const detail = 'all that the server asks for is beyond the ceiling'
    throw new Refusal('step-up.denied', { detail, scopes: named })
  }
  // Alone it would turn "whatever you give by default" into "nothing but refresh tokens".
  const isWanted = scopes.length > 0 && of.metadata.scopesSupported?.includes(offline) === true
  const withoutOffline = scopes.filter((scope) => scope !== offline)
  return isWanted ? [...withoutOffline, offline] : withoutOffline
}

const offline = 'offline_access'
