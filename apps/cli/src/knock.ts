import type { UserFetch } from '@warder/outbound'

/** How somebody comes to the door of a server. */
export interface Approach {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  /** A JSON-RPC message; sent with POST. */
  readonly message?: unknown
}

/** What the server answered; bodies are cut at 64 KiB, streams are closed after their first piece. */
export interface Knock {
  readonly status: number
  readonly headers: Headers
  readonly body: string
  /** Milliseconds that the clock here is ahead of the server's; undefined: the server does not say its time. */
  readonly aheadMs: number | undefined
}

const deadlineMs = 15_000
const bodyLimit = 64 * 1024

/**
 * Sends one request to the address that the user named, as `fetch` gets there: through proxies where there are
 * some. Follows no redirect and sends no credentials of its own. Throws what `UserFetch` throws.
 */
export async function knock(fetch: UserFetch, url: string, approach: Approach): Promise<Knock> {
  const target = new URL(url)
  for (const [name, value] of Object.entries(approach.query ?? {})) target.searchParams.append(name, value)
  const sent = Date.now()
  const response = await fetch(target.href, {
    method: approach.method ?? (approach.message === undefined ? 'GET' : 'POST'),
    headers: {
      accept: 'application/json, text/event-stream',
      ...(approach.message === undefined ? {} : { 'content-type': 'application/json' }),
      ...approach.headers,
    },
    ...(approach.message === undefined ? {} : { body: JSON.stringify(approach.message) }),
    signal: AbortSignal.timeout(deadlineMs),
  })
  const { status, headers } = response
  const aheadMs = aheadOf(headers.get('date'), sent, Date.now())
  return { status, headers, body: await readBody(response), aheadMs }
}

async function readBody({ body, headers }: Response): Promise<string> {
  const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body ?? []) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= bodyLimit || isStream) break
    }
  } catch {
    // A stream that the server or the deadline ended: what came is the answer.
  }
  return Buffer.concat(chunks).subarray(0, bodyLimit).toString('utf8')
}

/** How far a `Date` header may lie back, since it counts whole seconds. */
const granularityMs = 1000

/** The server wrote its date between sending and receiving: within that no difference can be told. */
function aheadOf(date: string | null, sent: number, received: number): number | undefined {
  const there = Date.parse(date ?? '')
  if (Number.isNaN(there)) return undefined
  if (there + granularityMs < sent) return sent - there - granularityMs
  return there > received ? received - there : 0
}

const clientInfo = { name: 'warder', version: '1' }

const meta = (version: string): Record<string, unknown> => ({
  'io.modelcontextprotocol/protocolVersion': version,
  'io.modelcontextprotocol/clientInfo': clientInfo,
  'io.modelcontextprotocol/clientCapabilities': {},
})

/** A request of revision 2026-07-28, with the headers that mirror it. */
export function modernRequest(
  method: string,
  params: Record<string, unknown> = {},
): Required<Pick<Approach, 'message' | 'headers'>> {
  return {
    message: { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta('2026-07-28') } },
    headers: {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof params['name'] === 'string' ? { 'mcp-name': params['name'] } : {}),
    },
  }
}

/** The first request of the older revisions, with or without a token. */
export function legacyInitialize(token?: string): Required<Pick<Approach, 'message' | 'headers'>> {
  return {
    message: {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
    },
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  }
}
