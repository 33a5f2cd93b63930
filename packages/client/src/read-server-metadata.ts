import { isJsonObject, Refusal } from '@warder/protocol'
import { checkEndpoint } from './check-endpoint.ts'
import { readMembers } from './read-members.ts'

/** What the metadata of an authorization server says (RFC 8414 section 2, OpenID discovery), as far as a client needs it. */
export interface ServerMetadata {
  /** Byte for byte what the document says, which is what it was looked up by. */
  readonly issuer: string
  /** Absent where it only has grants without a browser. */
  readonly authorizationEndpoint?: string | undefined
  readonly tokenEndpoint: string
  readonly registrationEndpoint?: string | undefined
  readonly revocationEndpoint?: string | undefined
  readonly deviceAuthorizationEndpoint?: string | undefined
  /** Where people read how to get a client id: for display as text. */
  readonly serviceDocumentation?: string | undefined
  readonly scopesSupported?: readonly string[] | undefined
  readonly tokenEndpointAuthMethods?: readonly string[] | undefined
  readonly tokenEndpointAuthSigningAlgs?: readonly string[] | undefined
  readonly revocationEndpointAuthMethods?: readonly string[] | undefined
  readonly codeChallengeMethods?: readonly string[] | undefined
  readonly dpopSigningAlgs?: readonly string[] | undefined
  /** Whether it says that its authorization answers carry `iss` (RFC 9207 section 3). */
  readonly sendsIss: boolean
  /** Whether it reads client id metadata documents. */
  readonly readsDocuments: boolean
}

/**
 * The metadata of an authorization server. `issuer` must be the identifier that the document was looked up by, character by
 * character (RFC 8414 section 3.3, CL-43): `server-metadata.issuer`, before anything else of the document is looked at. Every
 * endpoint must be one that may be used: `server-metadata.endpoint`. Otherwise `server-metadata.invalid`.
 *
 * Does not check that it supports PKCE (`checkCodeFlow`), since not every grant has a code.
 */
export function readServerMetadata(
  json: unknown,
  of: {
    readonly isIssuer: (issuer: string) => boolean
    /** Whether endpoints may be on this computer. */
    readonly onLoopback: boolean
  },
): ServerMetadata {
  if (!isJsonObject(json)) throw refused('not an object')
  const { text, texts, flag } = readMembers(json, 'server-metadata.invalid')
  const issuer = text('issuer')
  if (issuer === undefined) throw refused('issuer')
  if (!of.isIssuer(issuer)) throw new Refusal('server-metadata.issuer')
  const endpoint = (name: string): string | undefined => {
    const raw = text(name)
    return raw === undefined || raw === '' ? undefined : checkEndpoint(raw, name, of.onLoopback)
  }
  const tokenEndpoint = endpoint('token_endpoint')
  if (tokenEndpoint === undefined) throw refused('token_endpoint')
  return {
    issuer,
    authorizationEndpoint: endpoint('authorization_endpoint'),
    tokenEndpoint,
    registrationEndpoint: endpoint('registration_endpoint'),
    revocationEndpoint: endpoint('revocation_endpoint'),
    deviceAuthorizationEndpoint: endpoint('device_authorization_endpoint'),
    serviceDocumentation: text('service_documentation'),
    scopesSupported: texts('scopes_supported'),
    tokenEndpointAuthMethods: texts('token_endpoint_auth_methods_supported'),
    tokenEndpointAuthSigningAlgs: texts('token_endpoint_auth_signing_alg_values_supported'),
    revocationEndpointAuthMethods: texts('revocation_endpoint_auth_methods_supported'),
    codeChallengeMethods: texts('code_challenge_methods_supported'),
    dpopSigningAlgs: texts('dpop_signing_alg_values_supported'),
    sendsIss: flag('authorization_response_iss_parameter_supported'),
    readsDocuments: flag('client_id_metadata_document_supported'),
  }
}

function refused(detail: string): Refusal {
  return new Refusal('server-metadata.invalid', { detail })
}
