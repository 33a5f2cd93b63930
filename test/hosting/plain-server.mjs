// The smallest stdio MCP server that there can be. Its one tool says whether it sees anything in a directory.
import { readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'

const [directory] = process.argv.slice(2)
const name = directory !== undefined && readdirSync(directory).length > 0 ? 'sees-files' : 'sees-nothing'

const results = {
  initialize: {
    protocolVersion: '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'plain', version: '1' },
  },
  'tools/list': { tools: [{ name, inputSchema: { type: 'object' } }] },
  'tools/call': { content: [{ type: 'text', text: JSON.stringify([process.pid]) }] },
}
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line)
  if (id !== undefined)
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: results[method] })}\n`)
})
