import type { Head } from './read-head.ts'

/** The methods of an MCP endpoint; later revisions have POST only, but the door does not know yet which one comes. */
export const allowedMethods = 'POST, GET, DELETE, OPTIONS'

/** What a page may send, besides `Mcp-Param-*`. */
const allowedHeaders: readonly string[] = [
  'authorization',
  'content-type',
  'accept',
  'mcp-protocol-version',
  'mcp-session-id',
  'mcp-method',
  'mcp-name',
  'last-event-id',
  'traceparent',
]

const parameterHeader = /^mcp-param-[a-z0-9-]{1,100}$/

/**
 * CORS headers for an origin that the door has let in; none without an origin. Never `*`, never credentials, never
 * private-network access (L15).
 */
export function corsHeaders(origin: string | undefined): Record<string, string> {
  if (origin === undefined) return { vary: 'origin' }
  return {
    vary: 'origin',
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'WWW-Authenticate, Mcp-Session-Id, Retry-After',
  }
}

/** Headers of the answer to OPTIONS: a preflight, or the plain question what is allowed. */
export function preflightHeaders(asked: Head['headers']): Record<string, string> {
  const origin = asked.get('origin')?.[0]
  const headers: Record<string, string> = { ...corsHeaders(origin), allow: allowedMethods }
  if (origin === undefined) return headers
  const names = (asked.get('access-control-request-headers')?.[0] ?? '').toLowerCase().split(/[ \t]*,[ \t]*/)
  return {
    ...headers,
    'access-control-allow-methods': allowedMethods,
    'access-control-allow-headers': [
      ...allowedHeaders,
      ...names.filter((name) => parameterHeader.test(name)),
    ].join(', '),
    'access-control-max-age': '600',
  }
}
