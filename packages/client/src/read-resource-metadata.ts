import { isJsonObject, isScopeToken, Refusal } from '@warder/protocol'
import { readMembers } from './read-members.ts'

/** What the metadata of a protected resource says (RFC 9728 section 2), as far as a client needs it. */
export interface ResourceMetadata {
  /** Byte for byte: this is what goes out as `resource`. */
  readonly resource: string
  /** At least one, byte for byte. */
  readonly authorizationServers: readonly string[]
  readonly scopesSupported?: readonly string[] | undefined
  readonly dpopSigningAlgs?: readonly string[] | undefined
  readonly dpopRequired: boolean
}

/**
 * The metadata of a protected resource. Throws `resource-metadata.invalid`: no object, no `resource`, no authorization server, a
 * member of another kind than RFC 9728 says, a scope that is none. Does not check what `resource` stands for, nor any URL.
 */
export function readResourceMetadata(json: unknown): ResourceMetadata {
  if (!isJsonObject(json)) throw refused('not an object')
  const { text, texts, flag } = readMembers(json, 'resource-metadata.invalid')
  const resource = text('resource')
  if (resource === undefined) throw refused('resource')
  const authorizationServers = texts('authorization_servers')
  if (authorizationServers === undefined || authorizationServers.length === 0) {
    throw refused('authorization_servers')
  }
  const scopesSupported = texts('scopes_supported')
  if (scopesSupported?.every(isScopeToken) === false) throw refused('scopes_supported')
  return {
    resource,
    authorizationServers,
    scopesSupported,
    dpopSigningAlgs: texts('dpop_signing_alg_values_supported'),
    dpopRequired: flag('dpop_bound_access_tokens_required'),
  }
}

function refused(detail: string): Refusal {
  return new Refusal('resource-metadata.invalid', { detail })
}
