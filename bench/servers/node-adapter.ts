import { createServer } from 'node:http'
import { protect, toNodeHandler } from '@warder/guard'
import { makeBenchGuard } from './bench-guard.ts'
import { echo } from './echo.ts'

// A fetch handler behind node:http: `bare`, or with the guard in front of it.
const [kind, port, issuer, jwks] = process.argv.slice(2) as [string, string, string, string]

const bare = async (request: Request): Promise<Response> =>
  new Response(echo(await request.json()), { headers: { 'content-type': 'application/json' } })

const guard = makeBenchGuard(`http://127.0.0.1:${port}/mcp`, issuer, jwks)
const handler = kind === 'bare' ? bare : protect(guard, bare)
createServer(toNodeHandler(handler)).listen(Number(port), '127.0.0.1', () => console.log('{}'))
