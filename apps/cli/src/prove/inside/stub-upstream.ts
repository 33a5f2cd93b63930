import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An MCP server that does nothing but list the same tools and count who gets through to it. */
export interface StubUpstream {
  readonly url: string
  /** How many requests arrived. */
  calls(): number
  close(): Promise<void>
}

/** Starts the stub on a free port of this computer. */
export async function startStubUpstream(tools: readonly string[]): Promise<StubUpstream> {
  let calls = 0
  const server = createServer((req, res) => {
    calls += 1
    answer(req, res, tools).catch(() => res.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    calls: () => calls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(req: IncomingMessage, res: ServerResponse, tools: readonly string[]): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk)
  const { id, method } = JSON.parse(Buffer.concat(chunks).toString()) as { id: unknown; method: unknown }
  const result =
    method === 'tools/list'
      ? {
          resultType: 'complete',
          ttlMs: 0,
          cacheScope: 'private',
          tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })),
        }
      : { resultType: 'complete', content: [{ type: 'text', text: 'the stub was reached' }] }
  res.writeHead(200, { 'content-type': 'application/json' })
  res.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
}
