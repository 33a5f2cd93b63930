import { createOutbound, type OutboundFetch } from '@warder/outbound'
import type { ClientClass, Policy } from '@warder/policy'
import { authorizationServerMetadataUrls } from '@warder/protocol'
import { loadDocument } from '../load-document.ts'
import { Problem } from '../problem.ts'
import type { Issuing } from './issuing.ts'

/**
 * A foreign authorization server issues the tokens. Its metadata and keys are fetched by the SSRF-safe fetch, which may
 * reach a private address only at the issuer's own origin: that address the operator chose.
 */
export async function trustIssuer(issuer: string, policy: () => Policy): Promise<Issuing> {
  const origin = new URL(issuer).origin
  const fetch = createOutbound({ dangerouslyAllowFetch: (url) => url.origin === origin })
  const jwksUri = await loadJwksUri(fetch, issuer)
  return {
    guard: { issuer, keys: { jwksUri, fetch }, clientClass: (id) => classOf(policy(), id) },
    authorizationServer: undefined,
    hasOwner: async () => true,
    ownerLink: async () => undefined,
    onEnded() {},
    isFresh: () => true,
    async stop() {},
  }
}

/**
 * Client ids are the issuer's word, but how it registers clients is unknown here: only one that a row names by its id counts as
 * known.
 */
export function classOf(policy: Policy, clientId: string): ClientClass {
  let named = namedClients.get(policy)
  if (named === undefined) {
    named = new Set(policy.access.map(({ client }) => client))
    namedClients.set(policy, named)
  }
  return named.has(clientId) ? 'pre-registered' : 'self-registered'
}

/** What the rows of a policy say under `client`: asked on every request, whatever the number of rows. */
const namedClients = new WeakMap<Policy, ReadonlySet<string | undefined>>()

async function loadJwksUri(fetch: OutboundFetch, issuer: string): Promise<string> {
  const seen: string[] = []
  for (const url of authorizationServerMetadataUrls(issuer)) {
    try {
      const { issuer: named, jwks_uri: jwksUri } = await loadDocument(fetch, url)
      // RFC 8414 section 3.3: a document for another issuer must not be used.
      if (named !== issuer) seen.push(`${url} is about ${JSON.stringify(named)}`)
      else if (typeof jwksUri !== 'string') seen.push(`${url} names no jwks_uri`)
      else return jwksUri
    } catch (error) {
      seen.push((error as Error).message)
    }
  }
  throw new Problem(`the metadata of --issuer ${issuer} cannot be used:\n  ${seen.join('\n  ')}`)
}
