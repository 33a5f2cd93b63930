import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DemoInMemoryAuthProvider } from '@modelcontextprotocol/sdk/examples/server/demoInMemoryOAuthProvider.js'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import {
  getOAuthProtectedResourceMetadataUrl,
  mcpAuthRouter,
} from '@modelcontextprotocol/sdk/server/auth/router.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import express from 'express'

/** What authors make after the examples of the official SDK 1.32: its authorization server, its check of tokens, sessions. */
export async function startSdkProtected(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const app = express()
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuerUrl = new URL(`http://localhost:${(server.address() as AddressInfo).port}`)
  const resourceServerUrl = new URL('/mcp', issuerUrl)
  const provider = new DemoInMemoryAuthProvider()
  app.use(mcpAuthRouter({ provider, issuerUrl, resourceServerUrl, scopesSupported: ['mcp:tools'] }))
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  const open = async (): Promise<StreamableHTTPServerTransport> => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    })
    const mcp = new McpServer({ name: 'sdk', version: '1.0.0' })
    mcp.registerTool('whoami', {}, async ({ authInfo }) => ({
      content: [{ type: 'text', text: authInfo === undefined ? 'nobody' : 'signed in' }],
    }))
    await mcp.connect(transport as never)
    return transport
  }
  const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(resourceServerUrl)
  app.use(
    '/mcp',
    requireBearerAuth({ verifier: provider, resourceMetadataUrl }),
    express.json(),
    async (req, res) => {
      const known = sessions.get(String(req.headers['mcp-session-id']))
      if (known !== undefined) await known.handleRequest(req, res, req.body)
      else if (req.body?.method === 'initialize') await (await open()).handleRequest(req, res, req.body)
      // As in the examples: 400 for what is no session, whatever it is.
      else
        res.status(400).json({
          jsonrpc: '2.0',
          id: null,
          error: { code: -32000, message: 'Bad Request: No valid session ID provided' },
        })
    },
  )
  return {
    url: resourceServerUrl.href,
    close: async () => {
      for (const session of sessions.values()) await session.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
