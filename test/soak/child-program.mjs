// A stdio MCP server. It belongs to one user: it notes each call in a file, and calls itself mixed when two users reach it.
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const [file] = process.argv.slice(2)
const input = { type: 'object', properties: { text: { type: 'string' } } }
const users = new Set()

const answers = {
  initialize: () => ({
    protocolVersion: '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'files', version: '1' },
  }),
  'tools/list': () => ({ tools: [{ name: 'note', inputSchema: input }] }),
  'tools/call': ({ arguments: { text } }) => {
    appendFileSync(file, `${text}\n`)
    users.add(text.split(' ')[0])
    return { content: [{ type: 'text', text: users.size === 1 ? text : `mixed ${[...users]}` }] }
  },
}
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) return
  const result = answers[method]?.(params) ?? {}
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)
})
