import type { OutboundFetch } from '@warder/outbound'
import { protectedResourceMetadataUrl, Refusal, toRefusal } from '@warder/protocol'
import { originOf } from './check-endpoint.ts'
import { checkResource } from './check-resource.ts'
import { loadDocument } from './load-document.ts'
import { type ResourceMetadata, readResourceMetadata } from './read-resource-metadata.ts'
import type { Trace } from './trace.ts'

/** What is known about a protected resource: its metadata, or that it has none, or why that cannot be told. */
export type ResourceFound =
  | { readonly kind: 'metadata'; readonly metadata: ResourceMetadata }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly refusal: Refusal }

/**
 * Looks for the protected resource metadata of a server (CL-38): where the challenge says, then at the path-inserted well-known
 * place, then at the root. `absent` only where the server itself says at every place that there is nothing.
 *
 * An announced place on another origin is not visited (Q06): who may write a header may then let this machine fetch any URL. Throws
 * `resource-metadata.resource` where a document names another server (Q05); then no other place is tried.
 */
export async function loadResourceMetadata(of: {
  readonly server: string
  readonly announced?: string | undefined
  readonly outbound: OutboundFetch
  readonly trace: Trace
}): Promise<ResourceFound> {
  const { server, outbound, trace } = of
  let refusal: Refusal | undefined
  for (const url of placesOf(server, of.announced)) {
    const found = isOwnPlace(url, server)
      ? await loadDocument(url, { outbound, trace, step: 'resource-metadata' })
      : refusedPlace(url, trace)
    if (found.kind === 'document') {
      try {
        const metadata = readResourceMetadata(found.json)
        checkResource(metadata.resource, server)
        trace({ step: 'resource-metadata', outcome: 'chosen', url, data: { resource: metadata.resource } })
        return { kind: 'metadata', metadata }
      } catch (error) {
        const refused = toRefusal(error)
        trace({
          step: 'resource-metadata',
          outcome: 'refused',
          url,
          why: refused.message,
          refusal: refused.reason,
        })
        if (refused.reason !== 'resource-metadata.invalid') throw refused
        refusal ??= refused
      }
    }
    if (found.kind === 'failed') refusal ??= found.refusal
  }
  return refusal === undefined ? { kind: 'absent' } : { kind: 'failed', refusal }
}

function placesOf(server: string, announced: string | undefined): readonly string[] {
  const root = `${originOf(server)}/.well-known/oauth-protected-resource`
  const inserted = protectedResourceMetadataUrl(server)
  return [...new Set([...(announced === undefined ? [] : [announced]), inserted, root])]
}

function isOwnPlace(url: string, server: string): boolean {
  return URL.canParse(url) && originOf(url) === originOf(server)
}

function refusedPlace(url: string, trace: Trace): { readonly kind: 'failed'; readonly refusal: Refusal } {
  const refusal = new Refusal('resource-metadata.place')
  const why = 'it was announced on another origin than that of the server'
  trace({ step: 'resource-metadata', outcome: 'refused', url, why, refusal: refusal.reason })
  return { kind: 'failed', refusal }
}
