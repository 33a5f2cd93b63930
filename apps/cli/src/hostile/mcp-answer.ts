import type { Answer } from './trap.ts'

const tool = {
  name: 'read_note',
  description: 'Reads a note',
  inputSchema: { type: 'object', properties: {} },
}

const common = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }
const serverInfo = { name: 'hostile', version: '1.0.0' }

const results: Readonly<Record<string, unknown>> = {
  initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo },
  'server/discover': {
    ...common,
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: {} },
    serverInfo,
  },
  ping: {},
  'tools/list': { ...common, tools: [tool] },
  'tools/call': { ...common, content: [{ type: 'text', text: 'the note' }] },
}

/** What an honest MCP server with one tool says, to clients of every revision. */
export function mcpAnswer(message: { readonly id?: unknown; readonly method?: unknown }): Answer {
  if (message.id === undefined) return { status: 202 }
  const result = typeof message.method === 'string' ? results[message.method] : undefined
  const answer =
    result === undefined
      ? { jsonrpc: '2.0', id: message.id, error: { code: -32601, message: 'Method not found' } }
      : { jsonrpc: '2.0', id: message.id, result }
  return { status: result === undefined ? 404 : 200, body: answer }
}
