import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node'
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { startPlayedIssuer } from '../actors/played-issuer.ts'
import type { Target } from '../target.ts'

/**
 * An MCP server on the official SDK behind its `requireBearerAuth`. The middleware leaves the token itself to a verifier that the
 * author brings; this one is jose with everything that it can be told to check, so that what is left is the middleware's.
 */
export async function startSdkServerTarget(): Promise<Target> {
  const issuer = await startPlayedIssuer()
  const app = createMcpExpressApp()
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const endpoint = `${origin}/notes/mcp`
  const keys = createRemoteJWKSet(new URL(`${issuer.url}/keys`))
  let hits = 0

  const handler = createMcpHandler(() => {
    const mcp = new McpServer({ name: 'sdk', version: '1' })
    mcp.registerTool('read_note', { description: 'Answers' }, async () => {
      hits += 1
      return { content: [{ type: 'text', text: 'done' }] }
    })
    return mcp
  })
  const answer = toNodeHandler(handler)
  app.use(
    '/notes/mcp',
    requireBearerAuth({
      expectedResource: new URL(endpoint),
      resourceMetadataUrl: `${origin}/.well-known/oauth-protected-resource/notes/mcp`,
      requiredScopes: ['notes:read'],
      verifier: { verifyAccessToken: (token) => verify(token) },
    }),
    (req: NodeIncomingMessageLike & { body?: unknown }, res: ServerResponse) =>
      void answer(req, res, req.body),
  )

  // Without one, Express shows the stack in development.
  app.use((error: { statusCode?: number }, _req: unknown, res: ServerResponse, _next: unknown) => {
    res.writeHead(error.statusCode ?? 500).end()
  })

  async function verify(token: string): Promise<AuthInfo> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: issuer.url,
        audience: endpoint,
        typ: 'at+jwt',
        algorithms: ['ES256', 'RS256'],
        requiredClaims: ['sub', 'client_id', 'jti', 'iat', 'exp', 'scope'],
      })
      return {
        token,
        clientId: String(payload['client_id']),
        scopes: String(payload['scope']).split(' '),
        resource: new URL(endpoint),
        ...(payload.exp === undefined ? {} : { expiresAt: payload.exp }),
      }
    } catch {
      throw new InvalidTokenError('The access token is not valid')
    }
  }

  return {
    name: 'sdk-server',
    has: new Set(['resource server', 'upstream']),
    values: { endpoint, playedIssuer: issuer.url },
    mint: (spec) => issuer.mint(endpoint, spec),
    rotateKeys: issuer.rotate,
    keyFetches: issuer.keyFetches,
    upstream: { hits: () => hits, answer() {} },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await handler.close()
      await issuer.stop()
    },
  }
}
