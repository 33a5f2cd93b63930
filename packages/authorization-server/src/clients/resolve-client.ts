import { type ClientMetadata, checkClientDocumentUrl, Refusal } from '@warder/protocol'
import type { Store } from '@warder/store'
import type { Client } from './client.ts'
import type { LoadDocument } from './load-document.ts'

/** Loads a client by its id, or throws `client.unknown`, `client.document-…`. */
export type LoadClient = (id: string | undefined) => Promise<Client>

const maxIdLength = 2048

/**
 * A client id is either a URL, whose document describes the client, or an id that was registered here. Nothing else is
 * looked at: no built-in clients, no wildcard.
 */
export function makeClientLoader(store: Store, loadDocument: LoadDocument): LoadClient {
  return async (id) => {
    if (id === undefined || id.length > maxIdLength)
      throw new Refusal('client.unknown', { detail: 'absent or too long' })
    if (isDocumentUrl(id))
      return { id, kind: 'document', metadata: await loadDocument(checkClientDocumentUrl(id)) }
    const { kind, metadata } = await loadRegistered(store, id)
    return { id, kind, metadata }
  }
}

/**
 * Checks at the token endpoint that a client id may still be used here. A document is not fetched again: the code or refresh
 * token is bound to the URL that was fetched when the user consented.
 */
export async function checkKnownClient(
  store: Store,
  id: string,
): Promise<{ readonly id: string; readonly metadata: ClientMetadata | undefined }> {
  if (id.length > maxIdLength) throw new Refusal('client.unknown', { detail: 'too long' })
  if (isDocumentUrl(id)) return { id: checkClientDocumentUrl(id), metadata: undefined }
  return { id, metadata: (await loadRegistered(store, id)).metadata }
}

/** Anything with a scheme and an authority is a URL; registered ids never have one. */
function isDocumentUrl(id: string): boolean {
  return id.includes('://')
}

async function loadRegistered(
  store: Store,
  id: string,
): Promise<{ readonly kind: 'self-registered' | 'pre-registered'; readonly metadata: ClientMetadata }> {
  const stored = await store.clients.load(id)
  if (stored === undefined) throw new Refusal('client.unknown')
  if (stored.disabledAt !== undefined) throw new Refusal('client.unknown', { detail: 'disabled' })
  return { kind: stored.kind, metadata: JSON.parse(stored.metadata) as ClientMetadata }
}
