import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { createGuard, protect, toNodeHandler } from '@warder/guard'
import { readPolicy } from '@warder/policy'
import { policyFor } from '../conformance/start-behind-warder.ts'
import { subject } from './start-oidc-provider.ts'

/** An author's own server behind the guard, without the rest of Warder. */
export async function startGuarded(issuer: string): Promise<{ server: Server; resource: string }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const resource = `http://localhost:${(server.address() as AddressInfo).port}/mcp`
  const policy = readPolicy(policyFor('url: http://127.0.0.1:9/mcp', subject))
  const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
  const { jwks_uri: jwksUri } = metadata as { jwks_uri: string }
  const guard = createGuard({
    issuer,
    resource,
    server: 'conformance',
    policy: () => policy,
    keys: { jwksUri },
  })
  const mcp = createMcpHandler(() => {
    const answer = { content: [{ type: 'text' as const, text: 'a simple text' }] }
    const author = new McpServer({ name: 'author', version: '1.0.0' })
    author.registerTool('test_simple_text', { description: 'Answers' }, async () => answer)
    return author
  })
  server.on('request', toNodeHandler(protect(guard, (request) => mcp.fetch(request))))
  return { server, resource }
}
