import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Answer } from '../row.ts'

/** The tools that it offers; what a caller may not see of them is the policy's business. */
export const tools: readonly string[] = ['read_note', 'write_note', 'delete_all', 'new_tool']

/** An MCP server that counts what reaches it, and answers as a row says. */
export interface HostileUpstream {
  readonly url: string
  hits(): number
  answer(answer: Answer | undefined): void
  stop(): Promise<void>
}

export async function startHostileUpstream(tls?: {
  readonly cert: string
  readonly key: string
}): Promise<HostileUpstream> {
  let hits = 0
  let scripted: Answer | undefined
  const listener: RequestListener = async (req, res) => {
    let body = ''
    for await (const chunk of req.setEncoding('utf8')) body += chunk
    hits += 1
    const message = read(body)
    const isScripted = scripted?.ifHeader === undefined || req.headers[scripted.ifHeader] !== undefined
    if (scripted !== undefined && isScripted) write(res, scripted, message.id)
    else if (message.id === undefined) res.writeHead(202).end()
    else
      write(res, { body: { jsonrpc: '2.0', id: message.id, result: resultOf(message.method) } }, message.id)
  }
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `${tls === undefined ? 'http://127.0.0.1' : 'https://localhost'}:${(server.address() as AddressInfo).port}/mcp`,
    hits: () => hits,
    answer: (answer) => {
      scripted = answer
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function read(body: string): { readonly id?: unknown; readonly method?: unknown } {
  try {
    return JSON.parse(body)
  } catch {
    return {}
  }
}

function resultOf(method: unknown): unknown {
  const common = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }
  const schema = { type: 'object' }
  if (method === 'tools/list')
    return { ...common, tools: tools.map((name) => ({ name, inputSchema: schema })) }
  if (method === 'initialize') {
    const serverInfo = { name: 'hostile', version: '1' }
    return { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo }
  }
  if (method === 'server/discover') {
    const serverInfo = { name: 'hostile', version: '1' }
    return { ...common, supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, serverInfo }
  }
  return { ...common, content: [{ type: 'text', text: 'done' }] }
}

function write(res: ServerResponse, answer: Answer, id: unknown): void {
  const fill = (text: string): string => text.replaceAll('{id}', JSON.stringify(id ?? null))
  if (answer.events !== undefined) {
    res.writeHead(answer.status ?? 200, { 'content-type': 'text/event-stream', ...answer.headers })
    for (const piece of answer.events) res.write(fill(piece))
    res.end()
    return
  }
  res.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers })
  res.end(fill(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {})))
}
