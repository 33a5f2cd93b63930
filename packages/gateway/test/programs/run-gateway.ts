import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGateway, gatewayServerOptions, httpUpstream, openDecisionLog } from '@warder/gateway'
import type { Guard } from '@warder/guard'
import type { Principal } from '@warder/policy'

/** A gateway in a process of its own, whose guard lets everybody in: what is under test is the order of log and call. */
const [logDir, url] = process.argv.slice(2)
const principal: Principal = {
  user: { issuer: 'https://issuer.example', subject: 'alice', names: ['alice'], groups: [] },
  client: { id: 'client', class: 'local' },
  scopes: new Set(),
  tokenId: 't',
  expiresAt: Date.now() / 1000 + 600,
}
const guard: Pick<Guard, 'resource' | 'server' | 'metadataUrl' | 'authenticate' | 'decide' | 'policyDigest'> =
  {
    resource: 'http://localhost/notes/mcp',
    server: 'notes',
    metadataUrl: 'http://localhost/.well-known/oauth-protected-resource/notes/mcp',
    authenticate: async () => principal,
    decide: () => ({ outcome: 'open', because: 'everybody' }),
    policyDigest: () => 'none',
  }
const secret = randomBytes(32)
const server = createServer(gatewayServerOptions)
server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as AddressInfo
  const gateway = createGateway({
    routes: [
      {
        path: '/notes/mcp',
        guard: guard as Guard,
        upstream: httpUpstream({ url: url!, secret }),
      },
    ],
    log: await openDecisionLog(logDir!, { secret }),
    secret,
    allowedOrigins: [],
    allowedHosts: [`127.0.0.1:${port}`],
  })
  server.on('request', (req, res) => gateway.handle(req, res))
  process.stdout.write(`${port}\n`)
})
