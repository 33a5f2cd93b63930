import type { UserFetch } from '@warder/outbound'

/** What a server answered to somebody at its door. */
export interface Knock {
  readonly status: number
  readonly headers: Headers
  /** Milliseconds that the clock here is ahead of the server's; undefined: the server does not say what time it is. */
  readonly aheadMs: number | undefined
}

const message = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'warder doctor', version: '1' },
  },
})

/** How far a `Date` header may lie back, since it counts whole seconds. */
const granularityMs = 1000

/** Says hello as an MCP client would, with or without a token. Throws what `UserFetch` throws. */
export async function knock(fetch: UserFetch, url: string, token?: string): Promise<Knock> {
  const sent = Date.now()
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: message,
    signal: AbortSignal.timeout(15_000),
  })
  const received = Date.now()
  await response.body?.cancel()
  const { status, headers } = response
  return { status, headers, aheadMs: aheadOf(headers.get('date'), sent, received) }
}

/** The server wrote its date between sending and receiving: within that no difference can be told. */
function aheadOf(date: string | null, sent: number, received: number): number | undefined {
  const there = Date.parse(date ?? '')
  if (Number.isNaN(there)) return undefined
  if (there + granularityMs < sent) return sent - there - granularityMs
  return there > received ? received - there : 0
}
