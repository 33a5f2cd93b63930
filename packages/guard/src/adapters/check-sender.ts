import { Refusal } from '@warder/protocol'
import { type RequestHead, readHeader } from './incoming.ts'
import type { PlainAnswer } from './plain-answer.ts'

/** Under which names the server may be called, and by pages of which web origins. */
export interface SenderRules {
  /** Values of `Host` with their port; default: the host of the resource. */
  readonly allowedHosts?: readonly string[]
  /** Web origins whose pages may call, besides that of the resource; default: none. */
  readonly allowedOrigins?: readonly string[]
}

/** A check of host and origin, and the CORS headers that follow from it. */
export interface SenderCheck {
  /** Throws `http.host` and `http.origin`. Requests without `Origin` come from no page and pass. */
  check(request: RequestHead): void
  corsHeaders(request: RequestHead): Readonly<Record<string, string>>
  /** The answer to a preflight of an allowed origin; it carries no credentials and reaches nothing. */
  preflightAnswer(request: RequestHead): PlainAnswer | undefined
}

const exposed = 'WWW-Authenticate, Mcp-Session-Id, Retry-After'
const headerNames = /^[a-z0-9-]+(?: ?, ?[a-z0-9-]+)*$/i

/** On by default: DNS rebinding reaches servers that believe any host (MCP transports, GW-02). */
export function makeSenderCheck(resource: string, rules: SenderRules): SenderCheck {
  const own = new URL(resource)
  const hosts = new Set(rules.allowedHosts ?? [own.host])
  const origins = new Set([own.origin, ...(rules.allowedOrigins ?? [])])

  // Hardly ever another one than before, and parsing costs as much as the rest of this.
  let last = { url: resource, host: own.host }

  const corsHeaders = (request: RequestHead): Readonly<Record<string, string>> => {
    const origin = readHeader(request, 'origin')
    if (origin === undefined || !origins.has(origin)) return {}
    return {
      'access-control-allow-origin': origin,
      'access-control-expose-headers': exposed,
      vary: 'Origin',
    }
  }

  return {
    corsHeaders,
    check(request) {
      const { url } = request
      if (url !== last.url) last = { url, host: new URL(url).host }
      if (!hosts.has(last.host)) throw new Refusal('http.host')
      const origin = readHeader(request, 'origin')
      if (origin !== undefined && !origins.has(origin)) throw new Refusal('http.origin')
    },
    preflightAnswer(request) {
      if (request.method !== 'OPTIONS') return undefined
      if (readHeader(request, 'access-control-request-method') === undefined) return undefined
      const cors = corsHeaders(request)
      if (cors['access-control-allow-origin'] === undefined) return undefined
      const wanted = readHeader(request, 'access-control-request-headers') ?? ''
      const headers = {
        ...cors,
        'access-control-allow-methods': 'GET, POST, DELETE',
        'access-control-max-age': '600',
        ...(headerNames.test(wanted) ? { 'access-control-allow-headers': wanted } : {}),
      }
      return { status: 204, headers, body: '' }
    },
  }
}
