import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import { protectNode } from '@warder/guard'
import express, { type Response } from 'express'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { makeBenchGuard } from './bench-guard.ts'
import { echo } from './echo.ts'

// An express app: `bare`, with the guard in front of its handler, or with the official SDK's middleware and a verifier on jose.
const [kind, port, issuer, jwks] = process.argv.slice(2) as [string, string, string, string]

const resource = `http://127.0.0.1:${port}/mcp`
const keys = createLocalJWKSet(JSON.parse(jwks) as JSONWebKeySet)
const bearerAuth = requireBearerAuth({
  requiredScopes: ['echo:use'],
  verifier: {
    async verifyAccessToken(token: string) {
      const { payload } = await jwtVerify(token, keys, { issuer, audience: resource, typ: 'at+jwt' })
      return {
        token,
        clientId: String(payload['client_id']),
        scopes: String(payload['scope']).split(' '),
        expiresAt: payload.exp ?? 0,
      }
    },
  },
})

const app = express()
const answer = (request: { readonly body?: unknown }, response: unknown): void => {
  ;(response as Response).type('application/json').send(echo(request.body))
}
if (kind === 'sdk') app.use(bearerAuth)
// The guard reads the body itself, and refuses what somebody has read before it.
if (kind === 'guarded') app.post('/mcp', protectNode(makeBenchGuard(resource, issuer, jwks), answer))
else app.post('/mcp', express.json(), answer)
app.listen(Number(port), '127.0.0.1', () => console.log('{}'))
