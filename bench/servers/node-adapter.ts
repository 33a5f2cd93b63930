import { createServer } from 'node:http'
import { createGuard, protect, toNodeHandler } from '@warder/guard'
import { readPolicy } from '@warder/policy'
import { echo } from './echo.ts'
import { policyText } from './policy.ts'

// A fetch handler behind node:http: `bare`, or with the guard in front of it.
const [kind, port, issuer, jwks] = process.argv.slice(2) as [string, string, string, string]

const bare = async (request: Request): Promise<Response> =>
  new Response(echo(await request.json()), { headers: { 'content-type': 'application/json' } })

const policy = readPolicy(policyText)
const guard = createGuard({
  resource: `http://127.0.0.1:${port}/mcp`,
  server: 'echo',
  policy: () => policy,
  issuer,
  keys: { jwks: async () => JSON.parse(jwks) },
  revocations: { isRevoked: () => false, isFresh: () => true },
})
const handler = kind === 'bare' ? bare : protect(guard, bare)
createServer(toNodeHandler(handler)).listen(Number(port), '127.0.0.1', () => console.log('{}'))
