import type { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { makeServer } from './make-server.ts'

// The same server as a command, as most MCP servers are.
let server: McpServer
serveStdio(({ era }) => {
  server = makeServer(era, {
    toolsChanged: () => server.sendToolListChanged(),
    promptsChanged: () => server.sendPromptListChanged(),
  })
  return server
})
