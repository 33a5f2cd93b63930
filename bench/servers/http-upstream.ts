import { createServer } from 'node:http'
import { echo } from './echo.ts'

// The MCP server behind: JSON over HTTP, without sessions, and nothing else, so that what stands in front is what is measured.
const [port] = process.argv.slice(2)

function answer(message: { readonly id: unknown; readonly method: string }): string {
  const result = (value: object): string => JSON.stringify({ jsonrpc: '2.0', id: message.id, result: value })
  switch (message.method) {
    case 'initialize':
      return result({
        protocolVersion: '2025-11-25',
        capabilities: { tools: {} },
        serverInfo: { name: 'echo', version: '1' },
      })
    case 'tools/list':
      return result({ tools: [{ name: 'echo', inputSchema: { type: 'object' } }] })
    case 'tools/call':
      return echo(message)
    default:
      return result({})
  }
}

createServer((req, res) => {
  const parts: Buffer[] = []
  req.on('data', (part: Buffer) => parts.push(part))
  req.on('end', () => {
    if (req.method !== 'POST') return void res.writeHead(405).end()
    const message = JSON.parse(Buffer.concat(parts).toString())
    if (message.id === undefined) return void res.writeHead(202).end()
    const body = answer(message)
    res.writeHead(200, {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    })
    res.end(body)
  })
}).listen(Number(port), '127.0.0.1', () => console.log('{}'))
