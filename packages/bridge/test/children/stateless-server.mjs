// A stdio MCP server that speaks 2026-07-28 and nothing older.
import { fromJsonSchema, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'

serveStdio(
  () => {
    const server = new McpServer(
      { name: 'new', version: '2.0.0' },
      { capabilities: { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true } } },
    )
    const inputSchema = fromJsonSchema({ type: 'object', properties: { text: { type: 'string' } } })
    server.registerTool(
      'echo',
      { description: 'Says it again', inputSchema, annotations: { readOnlyHint: true } },
      async ({ text }, context) => {
        const token = context.mcpReq._meta?.progressToken
        if (token !== undefined) {
          await context.mcpReq.notify({
            method: 'notifications/progress',
            params: { progressToken: token, progress: 1 },
          })
        }
        return { content: [{ type: 'text', text: String(text) }] }
      },
    )
    server.registerTool('touch', { description: 'Reports changes', inputSchema }, async () => {
      await server.server.sendToolListChanged()
      await server.server.sendResourceUpdated({ uri: 'new:///a' })
      await server.server.sendResourceUpdated({ uri: 'new:///b' })
      return { content: [{ type: 'text', text: 'touched' }] }
    })
    server.registerResource('a', 'new:///a', {}, async (uri) => ({
      contents: [{ uri: uri.href, text: 'a' }],
    }))
    return server
  },
  { legacy: 'reject' },
)
