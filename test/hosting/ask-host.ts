import type { HostedAnswer, StdioHost } from '@warder/bridge'
import { readMcpMessage } from '@warder/protocol'

/** One call of a session's client, past all HTTP. */
export function ask(
  host: StdioHost,
  owner: string,
  method: string,
  params: object,
  sessionId?: string,
): Promise<HostedAnswer> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  return host.handle({
    httpMethod: 'POST',
    owner,
    clientId: 'client',
    message: readMcpMessage(new TextEncoder().encode(body)),
    headers: sessionId === undefined ? {} : { sessionId },
    signal: new AbortController().signal,
  })
}

/** Opens a session and gives its id. */
export async function openSession(host: StdioHost, owner: string): Promise<string> {
  const answer = await ask(host, owner, 'initialize', { protocolVersion: '2025-11-25' })
  return answer.headers['mcp-session-id'] ?? ''
}

/** What a tool answered, from its text. */
export async function callTool(
  host: StdioHost,
  owner: string,
  name: string,
  args: object = {},
): Promise<unknown> {
  const id = await openSession(host, owner)
  const { body } = await ask(host, owner, 'tools/call', { name, arguments: args }, id)
  return JSON.parse(JSON.parse(new TextDecoder().decode(body as Uint8Array)).result.content[0].text)
}
