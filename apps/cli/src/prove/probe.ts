import {
  createOutbound,
  createUserFetch,
  type Network,
  type OutboundFetch,
  reachOf,
  type UserFetch,
} from '@warder/outbound'
import {
  authorizationServerMetadataUrls,
  protectedResourceMetadataUrl,
  readChallenges,
} from '@warder/protocol'
import { type Knock, knock, legacyInitialize, modernRequest } from '../knock.ts'
import { loadDocument } from '../load-document.ts'
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
  readonly fetch: UserFetch
  /** The answer to a request without credentials: of revision 2026-07-28, and of the older ones. */
  readonly modern: Knock
  readonly legacy: Knock
  /** `resource_metadata` of the challenge. */
  readonly metadataUrl: string | undefined
  readonly resourceMetadata: Found
  readonly issuer: string | undefined
  readonly serverMetadata: Found
}

/** Knocks without credentials and follows the metadata. Throws only when nothing answers at the URL. */
export async function discover(url: string, network: Network): Promise<Probe> {
  const fetch = createUserFetch(network)
  const modern = await knock(fetch, url, modernRequest('tools/list'))
  const legacy = await knock(fetch, url, legacyInitialize())
  const outbound = createOutbound({ network, reach: await reachOf(url) })
  const metadataUrl =
    challengeParameter(modern, 'resource_metadata') ?? challengeParameter(legacy, 'resource_metadata')
  const resourceMetadata = await findDocument(outbound, [
    ...(metadataUrl === undefined ? [] : [metadataUrl]),
    ...metadataCandidates(url),
  ])
  const issuers =
    'document' in resourceMetadata ? resourceMetadata.document['authorization_servers'] : undefined
  const issuer = Array.isArray(issuers) && typeof issuers[0] === 'string' ? issuers[0] : undefined
  const serverMetadata: Found =
    issuer === undefined || !URL.canParse(issuer)
      ? { wrong: 'no authorization server is named' }
      : await findDocument(outbound, authorizationServerMetadataUrls(issuer))
  return { url, fetch, modern, legacy, metadataUrl, resourceMetadata, issuer, serverMetadata }
}

/** A parameter of the first Bearer challenge in an answer. */
export function challengeParameter(answer: Knock, name: string): string | undefined {
  const header = answer.headers.get('www-authenticate')
  if (header === null) return undefined
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
      return { url, document: await loadDocument(fetch, url) }
    } catch (error) {
      wrong = (error as Error).message
    }
  }
  return { wrong }
}
