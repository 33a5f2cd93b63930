import { type JsonObject, ownValue } from './strict-json.ts'

/** What Warder keeps of a client's description, whether it registered itself or is described by a document. */
export interface ClientMetadata {
  /** As the client calls itself, without invisible and direction-changing characters; nobody has verified it. */
  readonly clientName?: string
  /** At least one; each of the form that registration allows. */
  readonly redirectUris: readonly string[]
  /** Whether the port of a loopback redirect may differ from the registered one. */
  readonly native: boolean
  readonly applicationType: 'native' | 'web'
  readonly grantTypes: readonly ('authorization_code' | 'refresh_token')[]
  readonly tokenEndpointAuthMethod: 'none'
  /** An http or https URL, for display as text. */
  readonly clientUri?: string
  /** An http or https URL; not to be loaded by a page. */
  readonly logoUri?: string
  /** Scopes that the client says it will ask for, separated by spaces; grants nothing. */
  readonly scope?: string
}

/** The fields of a registration answer that describe the client (RFC 7591 section 3.2.1), without `client_id` and times. */
export interface ClientDescription {
  readonly client_name?: string
  readonly redirect_uris: readonly string[]
  readonly application_type: 'native' | 'web'
  readonly grant_types: readonly string[]
  readonly response_types: readonly string[]
  readonly token_endpoint_auth_method: 'none'
  readonly client_uri?: string
  readonly logo_uri?: string
  readonly scope?: string
}

/** What was registered, in wire names: clients must take it from the answer, since it may be less than they asked for. */
export function describeClient(metadata: ClientMetadata): ClientDescription {
  return {
    ...(metadata.clientName !== undefined && { client_name: metadata.clientName }),
    redirect_uris: metadata.redirectUris,
    application_type: metadata.applicationType,
    grant_types: metadata.grantTypes,
    response_types: ['code'],
    token_endpoint_auth_method: metadata.tokenEndpointAuthMethod,
    ...(metadata.clientUri !== undefined && { client_uri: metadata.clientUri }),
    ...(metadata.logoUri !== undefined && { logo_uri: metadata.logoUri }),
    ...(metadata.scope !== undefined && { scope: metadata.scope }),
  }
}

/** A member of client metadata; null and the empty string count as omitted, as clients in use send both. */
export function metadataValue(json: JsonObject, name: string): unknown {
  const value = ownValue(json, name)
  return value === null || value === '' ? undefined : value
}
