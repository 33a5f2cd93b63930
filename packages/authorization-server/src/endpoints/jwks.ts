import { jsonResponse } from '../json-response.ts'
import type { Endpoint } from '../services.ts'

/** The public keys that verify our access tokens (RFC 7517 section 5). */
export const jwks: Endpoint = async (_request, _visit, { loadKeys }) =>
  jsonResponse((await loadKeys()).jwks, 200, { 'Cache-Control': 'public, max-age=300' })
