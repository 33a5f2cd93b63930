import { makeAuthorizationServerMetadata } from '@warder/protocol'
import { jsonResponse } from '../json-response.ts'
import { loadPolicy } from '../load-policy.ts'
import type { Endpoint } from '../services.ts'

/** The metadata document (RFC 8414 section 3, OpenID Connect Discovery section 4), the same at every well-known place. */
export const metadata: Endpoint = async (_request, _visit, services) => {
  const { servers } = loadPolicy(services)
  const served = services.resources().map(({ server }) => servers.get(server))
  const scopes = [...new Set(served.flatMap((server) => [...(server?.scopes.keys() ?? [])]))]
  return jsonResponse(makeAuthorizationServerMetadata({ issuer: services.issuer.url, scopes }), 200, {
    'Cache-Control': 'public, max-age=60',
  })
}
