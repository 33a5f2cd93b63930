/** Authorization server metadata as it goes over the wire (RFC 8414 section 2, with the fields that OpenID discovery requires). */
export interface AuthorizationServerMetadata {
  readonly issuer: string
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly jwks_uri: string
  readonly registration_endpoint: string
  readonly revocation_endpoint: string
  readonly scopes_supported?: readonly string[]
  readonly response_types_supported: readonly string[]
  readonly response_modes_supported: readonly string[]
  readonly grant_types_supported: readonly string[]
  readonly token_endpoint_auth_methods_supported: readonly string[]
  readonly revocation_endpoint_auth_methods_supported: readonly string[]
  readonly code_challenge_methods_supported: readonly string[]
  readonly authorization_response_iss_parameter_supported: boolean
  readonly client_id_metadata_document_supported: boolean
  readonly request_parameter_supported: boolean
  readonly request_uri_parameter_supported: boolean
  readonly subject_types_supported: readonly string[]
  readonly id_token_signing_alg_values_supported: readonly string[]
}

/** Protected resource metadata as it goes over the wire (RFC 9728 section 2). */
export interface ProtectedResourceMetadata {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly scopes_supported?: readonly string[]
  readonly bearer_methods_supported: readonly string[]
  readonly resource_name?: string
}

/**
 * The metadata of our own authorization server. The endpoints stand under the issuer, which is repeated byte by byte (MCP AS-07).
 * The last two fields are there because readers of OpenID discovery insist on them; ID tokens are not issued.
 */
export function makeAuthorizationServerMetadata(options: {
  readonly issuer: string
  readonly scopes: readonly string[]
}): AuthorizationServerMetadata {
  const base = options.issuer.replace(/\/$/, '')
  return {
    issuer: options.issuer,
    authorization_endpoint: `${base}/authorize`,
    token_endpoint: `${base}/token`,
    jwks_uri: `${base}/jwks`,
    registration_endpoint: `${base}/register`,
    revocation_endpoint: `${base}/revoke`,
    // RFC 8414 section 3.2: a list of nothing is left out.
    ...(options.scopes.length > 0 && { scopes_supported: options.scopes }),
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['none'],
    revocation_endpoint_auth_methods_supported: ['none'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  }
}

/**
 * The metadata of a protected resource. `scopes` are its basic ones, not the catalogue (MCP RS-08); `offline_access` never
 * appears (RS-19), and at least one issuer is needed (RS-02, not checked here).
 */
export function makeProtectedResourceMetadata(options: {
  readonly resource: string
  readonly issuers: readonly string[]
  readonly scopes?: readonly string[]
  readonly name?: string
}): ProtectedResourceMetadata {
  const scopes = (options.scopes ?? []).filter((scope) => scope !== 'offline_access')
  return {
    resource: options.resource,
    authorization_servers: options.issuers,
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
    ...(options.name !== undefined && { resource_name: options.name }),
  }
}
