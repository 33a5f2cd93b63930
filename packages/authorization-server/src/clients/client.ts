import type { ClientClass } from '@warder/policy'
import { type ClientMetadata, type RedirectUri, redirectPlace } from '@warder/protocol'

/** A client that may ask, and how it became known here. */
export interface Client {
  readonly id: string
  readonly kind: 'self-registered' | 'pre-registered' | 'document'
  readonly metadata: ClientMetadata
  /** For a document: what the client is to its users right now. */
  readonly digest?: string
}

/**
 * How sure is the client's identity for this redirect (design decision 7)? A client whose redirects all go to loopback is
 * `local`, also with a document. A document proves a host, so it counts only where the answer goes to a website: on loopback or a
 * private scheme, any program on that computer can use a document that is not its own.
 */
export function decideClientClass(client: Client, redirectUri: RedirectUri): ClientClass {
  if (client.kind === 'pre-registered') return 'pre-registered'
  const isLocal = (uri: string): boolean => redirectPlace(uri) === 'loopback'
  if (client.metadata.redirectUris.every(isLocal)) return 'local'
  if (client.kind === 'document') return redirectPlace(redirectUri) === 'web' ? 'document' : 'local'
  return 'self-registered'
}

/**
 * Whether the browser may be sent there although nobody has signed in yet (MCP AS-16 and AS-17, RFC 9700 section 4.11.2): where
 * the operator entered the client, or the answer stays on the user's own computer. Anybody can register every other place, and
 * would borrow our address for links to it.
 */
export function mayAnswerUnasked(client: Client, redirectUri: RedirectUri): boolean {
  return client.kind === 'pre-registered' || redirectPlace(redirectUri) === 'loopback'
}
