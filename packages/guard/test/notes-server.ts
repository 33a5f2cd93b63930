import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'

/** A real MCP server, which notes what reached it. */
export const reached: string[] = []
export const mcp = createMcpHandler(() => {
  const server = new McpServer(
    { name: 'notes', version: '1.0.0' },
    { instructions: 'Use search_notes.\nwipe_disk wipes.' },
  )
  const say = (name: string) => async () => {
    reached.push(name)
    return { content: [{ type: 'text' as const, text: `${name} done` }] }
  }
  for (const name of ['wipe_disk', 'search_notes', 'create_note', 'unlisted_tool']) {
    server.registerTool(name, { description: 'A tool' }, say(name))
  }
  server.registerPrompt('attack_plan', { description: 'A prompt' }, () => ({ messages: [] }))
  server.registerPrompt('summarize', { description: 'A prompt' }, () => ({ messages: [] }))
  server.registerResource('public', 'notes:///public/1', {}, async (uri) => ({
    contents: [{ uri: uri.href, text: 'x' }],
  }))
  server.registerResource('secret', 'notes:///secret/1', {}, async (uri) => ({
    contents: [{ uri: uri.href, text: 'x' }],
  }))
  return server
})

/** Names that a caller with `notes:read` must never see. */
export const denied = /wipe_disk|attack_plan|unlisted_tool|secret/

/** The one JSON-RPC message of an answer, be it JSON or a stream. */
export async function messageOf(response: Response) {
  const text = await response.text()
  const data = /^data: (\{.*)$/m.exec(text)?.[1]
  return { text, message: JSON.parse(data ?? text) }
}
