import type { OutboundFetch } from '@warder/outbound'
import { authorizationServerMetadataUrls, Refusal, splitWebUri, toRefusal } from '@warder/protocol'
import { isLoopbackUrl, originOf } from './check-endpoint.ts'
import { loadDocument } from './load-document.ts'
import { readServerMetadata, type ServerMetadata } from './read-server-metadata.ts'
import type { Trace } from './trace.ts'

interface LoadOptions {
  readonly outbound: OutboundFetch
  /** Whether the authorization server may be on this computer: where the MCP server is. */
  readonly onLoopback: boolean
  readonly trace: Trace
}

/**
 * The metadata of an authorization server that goes by this issuer, at the places of RFC 8414 and OpenID discovery in the order
 * of MCP (CL-40 to CL-42). The first document counts: one of another issuer (CL-43, Q03) or with an endpoint that may not be used
 * (Q01) ends the search, so that nobody can pass a document on. Throws `server-metadata.…` and, where nothing could be reached,
 * `outbound.…`.
 */
export async function loadServerMetadata(
  of: LoadOptions & { readonly issuer: string },
): Promise<ServerMetadata> {
  const { issuer } = of
  checkIssuer(issuer, of.onLoopback)
  let refusal: Refusal | undefined
  for (const url of authorizationServerMetadataUrls(issuer)) {
    const found = await loadFrom(url, of, (said) => said === issuer)
    if (found instanceof Refusal) refusal ??= found
    else if (found !== undefined) return found
  }
  throw refusal ?? new Refusal('server-metadata.absent', { detail: issuer })
}

/**
 * The metadata at a place that the user named instead of discovery. The issuer must be of the origin of that place: whoever
 * wrote a configuration file could otherwise claim a foreign issuer there, and get what is stored for that issuer.
 */
export async function loadNamedMetadata(of: LoadOptions & { readonly url: string }): Promise<ServerMetadata> {
  const { url } = of
  const scheme = splitWebUri(url)?.scheme.toLowerCase()
  if (scheme !== 'https' && !(of.onLoopback && isLoopbackUrl(url))) {
    throw new Refusal('server-metadata.endpoint', { detail: 'the place of the metadata must be https' })
  }
  const isOfOrigin = (said: string): boolean => URL.canParse(said) && originOf(said) === originOf(url)
  const found = await loadFrom(url, of, isOfOrigin)
  if (found instanceof Refusal) throw found
  if (found === undefined) throw new Refusal('server-metadata.absent', { detail: url })
  return found
}

/**
 * The authorization server of an MCP server of revision 2025-03-26 (O03-02, O03-04): at the origin of the server, with RFC 8414
 * metadata there or, where there is none, at the default paths. Only for a server that says it has no resource metadata.
 */
export async function loadLegacyMetadata(
  of: LoadOptions & { readonly server: string },
): Promise<ServerMetadata> {
  const { server, trace } = of
  const origin = originOf(server)
  const url = `${origin}/.well-known/oauth-authorization-server`
  // Both spellings lead to this place; which one the server uses is its choice, since nobody named it to us.
  const found = await loadFrom(url, of, (said) => said === origin || said === `${origin}/`)
  if (found instanceof Refusal) throw found
  if (found !== undefined) return found
  const why =
    'no metadata at all: the default paths of revision 2025-03-26; PKCE with S256 is sent, but nothing says that it is checked'
  trace({ step: 'server-metadata', outcome: 'chosen', url: origin, why })
  return {
    issuer: origin,
    authorizationEndpoint: `${origin}/authorize`,
    tokenEndpoint: `${origin}/token`,
    registrationEndpoint: `${origin}/register`,
    codeChallengeMethods: ['S256'],
    tokenEndpointAuthMethods: ['none', 'client_secret_post', 'client_secret_basic'],
    sendsIss: false,
    readsDocuments: false,
  }
}

/** A refusal where it cannot be told whether there is a document; what a document must not say is thrown. */
async function loadFrom(
  url: string,
  { outbound, onLoopback, trace }: LoadOptions,
  isIssuer: (issuer: string) => boolean,
): Promise<ServerMetadata | Refusal | undefined> {
  const found = await loadDocument(url, { outbound, trace, step: 'server-metadata' })
  if (found.kind === 'absent') return undefined
  if (found.kind === 'failed') return found.refusal
  try {
    const metadata = readServerMetadata(found.json, { isIssuer, onLoopback })
    trace({ step: 'server-metadata', outcome: 'chosen', url, data: { issuer: metadata.issuer } })
    return metadata
  } catch (error) {
    const { reason, message } = toRefusal(error)
    trace({ step: 'server-metadata', outcome: 'refused', url, why: message, refusal: reason })
    throw error
  }
}

/** RFC 8414 section 2: https without query and fragment. */
function checkIssuer(issuer: string, onLoopback: boolean): void {
  const uri = splitWebUri(issuer)
  const isHttps = uri?.scheme.toLowerCase() === 'https'
  if (uri === undefined || uri.rest.includes('?') || !(isHttps || (onLoopback && isLoopbackUrl(issuer)))) {
    throw new Refusal('server-metadata.issuer', { detail: 'the issuer must be an https URL without query' })
  }
}
