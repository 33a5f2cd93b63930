import { checkClientDocumentUrl, isLoopbackRedirect, readRegisteredRedirectUri } from '@warder/protocol'

/** A client id metadata document as it is to be hosted (CIMD section 4). */
export interface ClientDocument {
  readonly client_id: string
  readonly client_name: string
  readonly redirect_uris: readonly string[]
  readonly application_type: 'native' | 'web'
  readonly grant_types: readonly string[]
  readonly response_types: readonly string[]
  readonly token_endpoint_auth_method: 'none'
}

/** Without a port, since authorization servers let the port of these differ (RFC 8252 section 7.3). */
const local: readonly string[] = ['http://127.0.0.1/callback', 'http://localhost/callback']

/**
 * The document to host at `url`, as it is given to a client as `documentUrl` (CL-45 to CL-49). Default redirect URIs: those of a
 * client that listens on this computer. Throws `client.document-url` and `registration.redirect-uri`.
 */
export function makeClientDocument(of: {
  readonly url: string
  readonly clientName: string
  readonly redirectUris?: readonly string[] | undefined
}): ClientDocument {
  const { url, clientName, redirectUris = local } = of
  const uris = redirectUris.map((uri) => readRegisteredRedirectUri(uri))
  const isOfWebsite = uris.every((uri) => uri.startsWith('https:') && !isLoopbackRedirect(uri))
  return {
    client_id: checkClientDocumentUrl(url),
    client_name: clientName,
    redirect_uris: uris,
    application_type: isOfWebsite ? 'web' : 'native',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }
}
