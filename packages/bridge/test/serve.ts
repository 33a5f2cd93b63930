import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type McpMessage, readMcpMessage, toRefusal } from '@warder/protocol'
import {
  type BridgeLogEntry,
  createStdioHost,
  type HostedCall,
  type StdioHost,
  type StdioHostOptions,
} from '../src/index.ts'

export const everything: readonly string[] = [
  process.execPath,
  fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js')),
  'stdio',
]

export const child = (name: string): readonly string[] => [
  process.execPath,
  fileURLToPath(new URL(`./children/${name}`, import.meta.url)),
]

/** A hosted server behind node:http. `x-owner` and `x-client` say who calls: the gateway has proven that before. */
export interface Served {
  readonly url: string
  readonly host: StdioHost
  readonly log: BridgeLogEntry[]
  close(): Promise<void>
}

export async function serve(
  command: readonly string[],
  options: Partial<StdioHostOptions> = {},
): Promise<Served> {
  const log: BridgeLogEntry[] = []
  const host = createStdioHost({ command, env: {}, log: (entry) => log.push(entry), ...options })
  const server = createServer((request, response) => void answer(host, request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    await host.close()
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, host, log, close }
}

async function answer(host: StdioHost, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  let message: McpMessage | undefined
  try {
    message = await readBody(request)
    const { status, headers, body } = await host.handle(readCall(request, message, gone.signal))
    response.writeHead(status, headers)
    if (body === undefined || body instanceof Uint8Array) {
      response.end(body)
      return
    }
    for await (const chunk of body) response.write(chunk)
    response.end()
  } catch (error) {
    const { rule, notes, message: detail } = toRefusal(error)
    const wire = { code: rule.code ?? -32603, message: rule.says, data: notes.data ?? detail }
    response.writeHead(rule.status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id: message?.id ?? null, error: wire }))
  }
}

function readCall(
  request: IncomingMessage,
  message: McpMessage | undefined,
  signal: AbortSignal,
): HostedCall {
  const header = (name: string): string | undefined => request.headers[name]?.toString()
  const given = {
    protocolVersion: header('mcp-protocol-version'),
    sessionId: header('mcp-session-id'),
    lastEventId: header('last-event-id'),
  }
  return {
    httpMethod: request.method as HostedCall['httpMethod'],
    owner: header('x-owner') ?? 'alice',
    clientId: header('x-client') ?? 'client-1',
    ...(message === undefined ? {} : { message }),
    headers: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    signal,
  }
}

async function readBody(request: IncomingMessage): Promise<McpMessage | undefined> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return request.method === 'POST' ? readMcpMessage(Buffer.concat(parts)) : undefined
}
