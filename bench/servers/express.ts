import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import express from 'express'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { echo } from './echo.ts'

// An express app: `bare`, or with the official SDK's middleware and a verifier on jose in front of it.
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
if (kind !== 'bare') app.use(bearerAuth)
app.post('/mcp', express.json(), (request, response) => {
  response.type('application/json').send(echo(request.body))
})
app.listen(Number(port), '127.0.0.1', () => console.log('{}'))
