import { Refusal, wellKnownPath } from '@warder/protocol'
import type { Guard } from '../guard.ts'
import type { RequestHead } from './incoming.ts'
import type { PlainAnswer } from './plain-answer.ts'

const root = wellKnownPath('oauth-protected-resource')
const cors = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': 'MCP-Protocol-Version',
  'access-control-allow-methods': 'GET, HEAD',
}

/** `Allow` of a 405 at these places. */
export const metadataMethods = 'GET, HEAD, OPTIONS'

/**
 * The protected resource metadata at its two places (RFC 9728 section 3.1, MCP RS-03, RS-04): with the path of the resource, and
 * at the root, since exactly one server is protected here. Undefined for any other path; other well-known paths of this kind
 * throw `http.path`, so that nobody gets metadata of a resource that is not here. Public, also for pages of any origin.
 */
export function metadataAnswer(guard: Guard, request: RequestHead): PlainAnswer | undefined {
  if (!request.url.includes(root)) return undefined
  const { pathname } = new URL(request.url)
  if (pathname !== root && !pathname.startsWith(`${root}/`)) return undefined
  if (pathname !== root && pathname !== new URL(guard.metadataUrl).pathname) throw new Refusal('http.path')
  if (request.method === 'OPTIONS') return { status: 204, headers: cors, body: '' }
  if (request.method !== 'GET' && request.method !== 'HEAD') throw new Refusal('http.method')
  const body = request.method === 'HEAD' ? '' : JSON.stringify(guard.metadata())
  const headers = { ...cors, 'content-type': 'application/json', 'cache-control': 'public, max-age=60' }
  return { status: 200, headers, body }
}
