// Ignores SIGTERM and the end of its input, and has a child of its own that does the same and holds the pipes.
import { spawn } from 'node:child_process'

process.on('SIGTERM', () => undefined)
const forever =
  "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.error('grandchild ' + process.pid)"
const grandchild = spawn(process.execPath, ['-e', forever], { stdio: 'inherit' })
setInterval(() => undefined, 1000)

let rest = ''
process.stdin.on('data', (chunk) => {
  const lines = (rest + chunk).split('\n')
  rest = lines.pop()
  for (const line of lines) {
    const { id, method } = JSON.parse(line)
    if (id === undefined) continue
    const result =
      method === 'initialize'
        ? {
            protocolVersion: '2024-11-05',
            capabilities: { tools: {} },
            serverInfo: { name: 'stubborn', version: '1' },
          }
        : { content: [{ type: 'text', text: JSON.stringify([process.pid, grandchild.pid]) }] }
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)
  }
})
