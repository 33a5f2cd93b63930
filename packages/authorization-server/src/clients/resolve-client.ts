import { type ClientMetadata, checkClientDocumentUrl, Refusal } from '@warder/protocol'
import type { Store } from '@warder/store'
import type { Client } from './client.ts'
import type { LoadDocument } from './load-document.ts'

/** Loads a client by its id, or throws `client.unknown`, `client.document-…`. The address is that of the peer who asks. */
export type LoadClient = (id: string | undefined, address: string) => Promise<Client>

const maxIdLength = 2048

/**
 * A client id is either a URL, whose document describes the client, or an id that was registered here. Nothing else is
 * looked at: no built-in clients, no wildcard.
 */
export function makeClientLoader(store: Store, loadDocument: LoadDocument): LoadClient {
  return async (id, address) => {
    if (id === undefined || id.length > maxIdLength)
      throw new Refusal('client.unknown', { detail: 'absent or too long' })
    if (isDocumentUrl(id)) return { id, kind: 'document', ...(await loadDocument(checkUrl(id), address)) }
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
  if (isDocumentUrl(id)) return { id: checkUrl(id), metadata: undefined }
  return { id, metadata: (await loadRegistered(store, id)).metadata }
}

/** Anything with a scheme and an authority is a URL; registered ids never have one. */
function isDocumentUrl(id: string): boolean {
  return id.includes('://')
}

/**
 * One spelling for each host: `https://APP.example/x` or `https://app.example:443/x` would be one more client of the same host,
 * which a rule of the policy for `https://app.example/*` does not mean.
 */
function checkUrl(id: string): string {
  const url = checkClientDocumentUrl(id)
  if (URL.canParse(url) && url.startsWith(`${new URL(url).origin}/`)) return url
  throw new Refusal('client.document-url', { detail: 'the host is not in its normal form' })
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
