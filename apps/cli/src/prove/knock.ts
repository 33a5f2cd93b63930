import { request } from 'undici'

/** What the server answered to one attempt; bodies are cut at 64 KiB, streams are closed after their first piece. */
export interface Knocked {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Knock {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  /** A JSON-RPC message; sent with POST. */
  readonly message?: unknown
}

const deadlineMs = 10_000
const bodyLimit = 64 * 1024

/** Sends one request to the address that the operator named. Follows no redirect and sends no credentials of its own. */
export async function knock(url: string, attempt: Knock): Promise<Knocked> {
  const target = new URL(url)
  for (const [name, value] of Object.entries(attempt.query ?? {})) target.searchParams.append(name, value)
  const answer = await request(target, {
    method: attempt.method ?? (attempt.message === undefined ? 'GET' : 'POST'),
    headers: {
      accept: 'application/json, text/event-stream',
      ...(attempt.message === undefined ? {} : { 'content-type': 'application/json' }),
      ...attempt.headers,
    },
    ...(attempt.message === undefined ? {} : { body: JSON.stringify(attempt.message) }),
    signal: AbortSignal.timeout(deadlineMs),
  })
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return {
    status: answer.statusCode,
    headers,
    body: await readBody(answer.body, headers['content-type'] ?? ''),
  }
}

async function readBody(
  body: AsyncIterable<Buffer> & { destroy(): unknown },
  contentType: string,
): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= bodyLimit || contentType.startsWith('text/event-stream')) break
    }
  } catch {
    // A stream that the server or the deadline ended: what came is the answer.
  } finally {
    body.destroy()
  }
  return Buffer.concat(chunks).subarray(0, bodyLimit).toString('utf8')
}

const meta = (version: string): Record<string, unknown> => ({
  'io.modelcontextprotocol/protocolVersion': version,
  'io.modelcontextprotocol/clientInfo': { name: 'warder-prove', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
})

/** A request of revision 2026-07-28, with the headers that mirror it. */
export function modernRequest(
  method: string,
  params: Record<string, unknown> = {},
): Required<Pick<Knock, 'message' | 'headers'>> {
  return {
    message: { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta('2026-07-28') } },
    headers: {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof params['name'] === 'string' ? { 'mcp-name': params['name'] } : {}),
    },
  }
}

/** The first request of the older revisions. */
export function legacyInitialize(): Required<Pick<Knock, 'message'>> {
  return {
    message: {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'warder-prove', version: '1' },
      },
    },
  }
}
