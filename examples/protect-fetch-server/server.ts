import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { createGuard, protect, toNodeHandler } from '@warder/guard'
import { readPolicy } from '@warder/policy'

const { ISSUER = 'https://auth.example.com', PORT = '3000' } = process.env

/** The server as it was before anybody thought of protecting it. */
const notes = createMcpHandler(() => {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  const text = (words: string) => async () => ({ content: [{ type: 'text' as const, text: words }] })
  server.registerTool('search_notes', { description: 'Finds notes' }, text('Two notes were found.'))
  server.registerTool('delete_notes', { description: 'Deletes all notes' }, text('All notes are gone.'))
  server.registerTool('debug_dump', { description: 'Shows the memory' }, text('0x00'))
  return server
})

/** What protects it. */
const policy = readPolicy(readFileSync(new URL('warder.yaml', import.meta.url), 'utf8'))
const guard = createGuard({
  resource: `http://127.0.0.1:${PORT}/mcp`,
  server: 'notes',
  policy: () => policy,
  issuer: ISSUER,
  keys: { jwksUri: `${ISSUER}/jwks` },
})
const handler = toNodeHandler(protect(guard, (request) => notes.fetch(request)))

export const server: Server = createServer(handler).listen(Number(PORT), '127.0.0.1')
