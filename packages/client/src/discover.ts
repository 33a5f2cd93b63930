import type { OutboundFetch } from '@warder/outbound'
import { Refusal, toRefusal } from '@warder/protocol'
import { isLoopbackUrl } from './check-endpoint.ts'
import { loadResourceMetadata } from './load-resource-metadata.ts'
import { loadLegacyMetadata, loadNamedMetadata, loadServerMetadata } from './load-server-metadata.ts'
import type { ServerChallenge } from './read-challenge.ts'
import type { ResourceMetadata } from './read-resource-metadata.ts'
import type { ServerMetadata } from './read-server-metadata.ts'
import { silent, type Trace } from './trace.ts'

/** Who issues tokens for a server, and for what. */
export interface Discovery {
  /** As the user wrote it. */
  readonly server: string
  /** What tokens are for, byte for byte as the server calls itself. */
  readonly resource: string
  readonly resourceMetadata?: ResourceMetadata | undefined
  readonly metadata: ServerMetadata
  readonly issuer: string
  readonly challenge?: ServerChallenge | undefined
  /** The place that the user named. */
  readonly metadataUrl?: string | undefined
  readonly legacy?: '2025-03-26' | undefined
}

export interface DiscoverOptions {
  readonly server: string
  readonly challenge?: ServerChallenge | undefined
  readonly outbound: OutboundFetch
  /** Where the metadata of the authorization server is, if the user knows better than the server. */
  readonly metadataUrl?: string | undefined
  /** The only issuer that will do: that of pre-registered credentials. */
  readonly issuer?: string | undefined
  /** The issuer that is taken if the server still names it: there are credentials for it. */
  readonly preferredIssuer?: string | undefined
  readonly trace?: Trace | undefined
}

/**
 * Finds out who issues tokens for a server (CL-03): its metadata, then that of the authorization server that it names. Of several
 * the one with credentials is taken, else the first that can be used.
 *
 * A server that says that it has no metadata is taken for one of revision 2025-03-26; one that fails to answer is not, so that
 * a failure cannot bring anybody back to the weaker rules. Throws `resource-metadata.…`, `server-metadata.…`,
 * `registration.other-issuer` and `outbound.…`.
 */
export async function discover(options: DiscoverOptions): Promise<Discovery> {
  const { server, challenge, outbound, metadataUrl, trace = silent } = options
  const found = await loadResourceMetadata({
    server,
    announced: challenge?.resourceMetadata,
    outbound,
    trace,
  })
  const of = { outbound, trace, onLoopback: isLoopbackUrl(server) }
  const resourceMetadata = found.kind === 'metadata' ? found.metadata : undefined
  const about = { server, challenge, resourceMetadata, resource: resourceMetadata?.resource ?? server }
  if (metadataUrl !== undefined) {
    const metadata = await loadNamedMetadata({ ...of, url: metadataUrl })
    checkWanted(metadata.issuer, options.issuer)
    traceOverride(metadata.issuer, resourceMetadata, trace)
    return { ...about, metadata, issuer: metadata.issuer, metadataUrl }
  }
  if (resourceMetadata !== undefined) {
    const issuers = orderIssuers(resourceMetadata.authorizationServers, options)
    const metadata = await loadFirst(issuers, async (issuer) => loadServerMetadata({ ...of, issuer }))
    return { ...about, metadata, issuer: metadata.issuer }
  }
  if (found.kind === 'failed') throw found.refusal
  const metadata = await loadLegacyMetadata({ ...of, server })
  checkWanted(metadata.issuer, options.issuer)
  return { ...about, metadata, issuer: metadata.issuer, legacy: '2025-03-26' }
}

function orderIssuers(listed: readonly string[], options: DiscoverOptions): readonly string[] {
  const { issuer, preferredIssuer } = options
  if (issuer !== undefined) {
    const wanted = listed.filter((one) => one === issuer)
    if (wanted.length > 0) return wanted
    throw new Refusal('registration.other-issuer', { detail: `the server names ${listed.join(', ')}` })
  }
  return [...new Set([...listed.filter((one) => one === preferredIssuer), ...listed])].slice(0, maxIssuers)
}

const maxIssuers = 4

async function loadFirst(
  issuers: readonly string[],
  load: (issuer: string) => Promise<ServerMetadata>,
): Promise<ServerMetadata> {
  let refusal: Refusal | undefined
  for (const issuer of issuers) {
    try {
      return await load(issuer)
    } catch (error) {
      refusal ??= toRefusal(error)
    }
  }
  throw refusal ?? new Refusal('server-metadata.absent')
}

function checkWanted(issuer: string, wanted: string | undefined): void {
  if (wanted === undefined || wanted === issuer) return
  throw new Refusal('registration.other-issuer', { detail: `the server names ${issuer}` })
}

function traceOverride(issuer: string, metadata: ResourceMetadata | undefined, trace: Trace): void {
  if (metadata === undefined || metadata.authorizationServers.includes(issuer)) return
  const why = 'the user named this authorization server; the server itself names others'
  trace({ step: 'server-metadata', outcome: 'chosen', url: issuer, why })
}
