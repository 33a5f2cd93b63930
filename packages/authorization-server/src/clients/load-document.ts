import type { OutboundAnswer } from '@warder/outbound'
import { type ClientMetadata, Refusal, readClientDocument, readStrictJson } from '@warder/protocol'
import type { Store, StoredDocument } from '@warder/store'
import type { Options } from '../options.ts'
import { makeFetchBudget } from '../request-budget.ts'
import { digestDocument } from './digest-document.ts'
import { readFreshness } from './read-freshness.ts'

/** A client as its document describes it. */
export interface DescribedClient {
  readonly metadata: ClientMetadata
  /** Changes when the client becomes another one to its users: see `digestDocument`. */
  readonly digest: string
}

/**
 * Loads and checks the client id metadata document at a URL, from the cache while it is fresh. A fetch counts for the address
 * that causes it, and throws `http.throttled` when a budget is used up.
 */
export type LoadDocument = (url: string, address: string) => Promise<DescribedClient>

const maxBytes = 5 * 1024
const timeoutMs = 5_000
const jsonType = /^application\/(?:[a-z0-9.!#$&^_-]+\+)?json[\t ]*(?:;|$)/i

/**
 * Makes the loader of client id metadata documents (CIMD section 3). One fetch at a time for each URL; an answer is kept as its
 * headers say, for 24 hours at most; errors and invalid documents are never kept, and a stale document is never used instead.
 */
export function makeDocumentLoader({
  store,
  fetch,
  now,
}: Pick<Options, 'fetch' | 'now'> & { readonly store: Store }): LoadDocument {
  const underWay = new Map<string, Promise<DescribedClient>>()
  const takeFetch = makeFetchBudget(now)

  async function fetchAnew(url: string, kept: StoredDocument | undefined): Promise<DescribedClient> {
    const answer = await fetchDocument(url, kept)
    const { storable, freshMs } = readFreshness(answer.headers)
    const body = answer.status === 304 && kept !== undefined ? kept.body : readText(answer, url)
    const described = readDocument(body, url)
    if (storable) {
      const etag = answer.headers.get('etag') ?? (answer.status === 304 ? kept?.etag : undefined)
      await store.clients.saveDocument({ url, body, etag, fetchedAt: now(), freshUntil: now() + freshMs })
    }
    return described
  }

  async function fetchDocument(url: string, kept: StoredDocument | undefined): Promise<OutboundAnswer> {
    const headers = kept?.etag === undefined ? undefined : { 'if-none-match': kept.etag }
    let answer: OutboundAnswer
    try {
      answer = await fetch(url, {
        accept: 'application/json',
        maxBytes,
        timeoutMs,
        ...(headers === undefined ? {} : { headers }),
      })
    } catch (cause) {
      // One reason for every way it can fail: the page must not tell what stands at an address.
      throw new Refusal('client.document-unreachable', { url, detail: String(cause), cause })
    }
    if (answer.status !== 200 && !(answer.status === 304 && headers !== undefined)) {
      throw new Refusal('client.document-unreachable', { url, detail: `status ${answer.status}` })
    }
    return answer
  }

  return async (url, address) => {
    const kept = await store.clients.loadDocument(url)
    if (kept !== undefined && now() < kept.freshUntil) return readDocument(kept.body, url)
    const running = underWay.get(url)
    if (running !== undefined) return await running
    // Outside of what others wait for: a budget that is used up is the trouble of this caller alone.
    takeFetch(url, address)
    const begun = fetchAnew(url, kept).finally(() => underWay.delete(url))
    underWay.set(url, begun)
    return await begun
  }
}

function readText(answer: OutboundAnswer, url: string): string {
  if (!jsonType.test(answer.headers.get('content-type') ?? '')) {
    throw new Refusal('client.document-invalid', { url, detail: 'content type' })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(answer.body)
  } catch (cause) {
    throw new Refusal('client.document-invalid', { url, detail: 'UTF-8', cause })
  }
}

function readDocument(body: string, url: string): DescribedClient {
  try {
    const json = readStrictJson(new TextEncoder().encode(body))
    const metadata = readClientDocument(json, url)
    return { metadata, digest: digestDocument(json as Readonly<Record<string, unknown>>) }
  } catch (cause) {
    throw new Refusal('client.document-invalid', { url, detail: String(cause), cause })
  }
}
