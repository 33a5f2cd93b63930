import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One tool call that reached the upstream. */
export interface SeenCall {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
}

/** An MCP server over HTTP that remembers which tool calls reached it. Its tools: `echo` and `count`. */
export interface CountingUpstream {
  readonly url: string
  readonly seen: readonly SeenCall[]
  close(): void
}

/** Starts it on a free port. `echo` says its `text`; `count` says `text` as a stream of three events. */
export async function startCountingUpstream(): Promise<CountingUpstream> {
  const seen: SeenCall[] = []
  const server = createServer((req, res) => {
    answerAsServer(req, res, (call) => seen.push(call)).catch(() => res.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    seen,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const input = { type: 'object', properties: { text: { type: 'string' } } }
const shared = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }

interface Message {
  readonly id?: unknown
  readonly method: string
  readonly params?: { readonly name?: string; readonly arguments?: Readonly<Record<string, unknown>> }
}

/** Answers one request as that server does, and tells of a tool call before it answers it. */
export async function answerAsServer(
  req: IncomingMessage,
  res: ServerResponse,
  onCall: (call: SeenCall) => void,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk)
  if (req.method !== 'POST') return void res.writeHead(405).end()
  const { id, method, params }: Message = JSON.parse(Buffer.concat(chunks).toString())
  const say = (result: unknown): void => {
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
  }
  if (id === undefined) res.writeHead(202).end()
  else if (method === 'server/discover')
    say({
      ...shared,
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {} },
      serverInfo: { name: 'counting', version: '1' },
    })
  else if (method === 'tools/list')
    say({ ...shared, tools: ['echo', 'count'].map((name) => ({ name, inputSchema: input })) })
  else if (method === 'tools/call') {
    const call = { name: params?.name ?? '', arguments: params?.arguments ?? {} }
    onCall(call)
    const content = [{ type: 'text', text: String(call.arguments['text']) }]
    if (call.name === 'echo') return say({ resultType: 'complete', content })
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const progress of [1, 2]) {
      const params = { progressToken: 't', progress }
      res.write(`data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params })}\n\n`)
    }
    res.end(
      `data: ${JSON.stringify({ jsonrpc: '2.0', id, result: { resultType: 'complete', content } })}\n\n`,
    )
  } else say({ resultType: 'complete' })
}
