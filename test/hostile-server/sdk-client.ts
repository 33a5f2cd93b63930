import { listenForCallback } from '../e2e/callback-listener.ts'
import { createMcpClient } from '../e2e/mcp-client.ts'

/** The official SDK's client as a program: signs in at the address in its last argument and calls a tool. */
const client = createMcpClient({
  endpoint: process.argv.at(-1) ?? '',
  callback: await listenForCallback(),
  // The fetch follows the redirect to the listener, as a browser would.
  openBrowser: async (url) => void (await fetch(url)),
})
try {
  await client.connect()
  await client.withStepUp((mcp) => mcp.callTool({ name: 'read_note', arguments: {} }))
} catch (error) {
  console.error(String(error))
  process.exitCode = 1
}
// The listener and the transport would keep it alive.
process.exit()
