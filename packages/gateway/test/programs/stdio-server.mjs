import { createInterface } from 'node:readline'

// A stdio MCP server of revision 2025-11-25 that says which process it is.
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)

const results = {
  initialize: {
    protocolVersion: '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'pid', version: '1' },
  },
  'tools/list': {
    tools: ['search_notes', 'delete_everything'].map((name) => ({ name, inputSchema: { type: 'object' } })),
  },
  'tools/call': { content: [{ type: 'text', text: `pid ${process.pid}` }] },
  ping: {},
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line)
  const progressToken = params?._meta?.progressToken
  if (progressToken !== undefined) {
    send({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
  }
  if (id !== undefined && method !== undefined) send({ id, result: results[method] ?? {} })
}
