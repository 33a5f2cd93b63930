import type { ClientClass } from '@warder/policy'
import { type ClientMetadata, isLoopbackRedirect, type RedirectUri } from '@warder/protocol'

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
 * `local`, also with a document. A document proves a host, so it counts only where the answer goes to https: on loopback or a
 * private scheme, any program on that computer can use a document that is not its own.
 */
export function decideClientClass(client: Client, redirectUri: RedirectUri): ClientClass {
  if (client.kind === 'pre-registered') return 'pre-registered'
  if (client.metadata.redirectUris.every(isLoopbackRedirect)) return 'local'
  if (client.kind === 'document') return isWebRedirect(redirectUri) ? 'document' : 'local'
  return 'self-registered'
}

/** Whether the answer goes to an https host, rather than to whatever program on a computer listens for it. */
export function isWebRedirect(redirectUri: RedirectUri): boolean {
  return /^https:/i.test(redirectUri)
}
