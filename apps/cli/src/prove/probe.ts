import { createOutbound, type OutboundFetch } from '@warder/outbound'
import {
  authorizationServerMetadataUrls,
  protectedResourceMetadataUrl,
  readChallenges,
  readStrictJson,
} from '@warder/protocol'
import { type Knocked, knock, legacyInitialize, modernRequest } from './knock.ts'
import type { ProofRow } from './proof.ts'

/** One attempt. `mustAnswer`: no answer at all is a failure, not just odd. */
export interface Check {
  readonly id: string
  readonly title: string
  readonly rule: string
  readonly mustAnswer?: boolean
  run(probe: Probe): Promise<Pick<ProofRow, 'outcome' | 'says'>>
}

/** A JSON document and where it was found; `wrong` says why there is none. */
export type Found =
  | { readonly url: string; readonly document: Readonly<Record<string, unknown>> }
  | { readonly wrong: string }

/** What the checks share: the endpoint, its first refusal, and the documents that it points to. */
export interface Probe {
  readonly url: string
  /** The answer to a request without credentials: of revision 2026-07-28, and of the older ones. */
  readonly modern: Knocked
  readonly legacy: Knocked
  /** `resource_metadata` of the challenge. */
  readonly metadataUrl: string | undefined
  readonly resourceMetadata: Found
  readonly issuer: string | undefined
  readonly serverMetadata: Found
}

/** Knocks without credentials and follows the metadata. Throws only when nothing answers at the URL. */
export async function discover(url: string): Promise<Probe> {
  const modern = await knock(url, modernRequest('tools/list'))
  const legacy = await knock(url, legacyInitialize())
  const fetch = createOutbound({
    dangerouslyAllowFetch: (target) => isLoopback(new URL(url)) && isLoopback(target),
  })
  const metadataUrl =
    challengeParameter(modern, 'resource_metadata') ?? challengeParameter(legacy, 'resource_metadata')
  const resourceMetadata = await findDocument(fetch, [
    ...(metadataUrl === undefined ? [] : [metadataUrl]),
    ...metadataCandidates(url),
  ])
  const issuers =
    'document' in resourceMetadata ? resourceMetadata.document['authorization_servers'] : undefined
  const issuer = Array.isArray(issuers) && typeof issuers[0] === 'string' ? issuers[0] : undefined
  const serverMetadata: Found =
    issuer === undefined || !URL.canParse(issuer)
      ? { wrong: 'no authorization server is named' }
      : await findDocument(fetch, authorizationServerMetadataUrls(issuer))
  return { url, modern, legacy, metadataUrl, resourceMetadata, issuer, serverMetadata }
}

/** A parameter of the first Bearer challenge in an answer. */
export function challengeParameter(answer: Knocked, name: string): string | undefined {
  const header = answer.headers['www-authenticate']
  if (header === undefined) return undefined
  return readChallenges(header)
    .find(({ scheme }) => scheme.toLowerCase() === 'bearer')
    ?.params.get(name)
}

function metadataCandidates(url: string): string[] {
  return [protectedResourceMetadataUrl(url), new URL('/.well-known/oauth-protected-resource', url).href]
}

async function findDocument(fetch: OutboundFetch, urls: readonly string[]): Promise<Found> {
  let wrong = 'nothing to fetch'
  for (const url of urls) {
    try {
      const { body } = await fetch(url, {
        accept: 'application/json',
        maxBytes: 256 * 1024,
        timeoutMs: 10_000,
      })
      const document = readStrictJson(body)
      if (typeof document === 'object' && document !== null && !Array.isArray(document))
        return { url, document: { ...document } }
      wrong = `${url} is not a JSON object`
    } catch (error) {
      wrong = `${url}: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  return { wrong }
}

/** Whether a URL's host is this computer. */
export function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(url.hostname)
}
