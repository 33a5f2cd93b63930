// better-auth with its oauth-provider plugin on better-sqlite3, set up as near to Warder as its options go: one resource whose
// access tokens are JWTs signed by ES256, rotated refresh tokens, a public client that is trusted and cached, so that neither
// consent nor a look-up of the client costs anything. Limits of requests are off.
import { createServer } from 'node:http'
import { oauthProvider } from '@better-auth/oauth-provider'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'
import { openDatabase, start } from './start.mjs'

const { redirectUri, resource, scope, synchronous } = JSON.parse(process.argv[2])
const clientId = 'bench-client'
const server = createServer()
const origin = await start(server)

const auth = betterAuth({
  baseURL: origin,
  secret: 'a secret for the cookies of the bench',
  database: openDatabase(synchronous),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: 'error' },
  disabledPaths: ['/token'],
  plugins: [
    jwt({ jwks: { keyPairConfig: { alg: 'ES256' } } }),
    oauthProvider({
      loginPage: '/login',
      consentPage: '/consent',
      scopes: ['offline_access', scope],
      accessTokenExpiresIn: 600,
      resources: [{ identifier: resource, allowedScopes: [scope, 'offline_access'] }],
      cachedResources: new Set([resource]),
      enforcePerClientResources: false,
      cachedTrustedClients: new Set([clientId]),
      rateLimit: { token: false, authorize: false },
    }),
  ],
})
const { runMigrations } = await getMigrations(auth.options)
await runMigrations()
const { adapter } = await auth.$context
await adapter.create({
  model: 'oauthClient',
  data: {
    clientId,
    name: 'Bench',
    redirectUris: [redirectUri],
    scopes: ['offline_access', scope],
    grantTypes: ['authorization_code', 'refresh_token'],
    responseTypes: ['code'],
    tokenEndpointAuthMethod: 'none',
    public: true,
    requirePKCE: true,
    skipConsent: true,
    disabled: false,
    createdAt: new Date(),
    updatedAt: new Date(),
  },
})
const { headers } = await auth.api.signUpEmail({
  body: { email: 'user@bench.test', password: 'a password for the bench', name: 'User' },
  returnHeaders: true,
})
const cookie = headers
  .getSetCookie()
  .map((set) => set.split(';')[0])
  .join('; ')

server.on('request', toNodeHandler(auth))
process.stdout.write(
  `${JSON.stringify({
    origin,
    clientId,
    authorizePath: '/api/auth/oauth2/authorize',
    tokenPath: '/api/auth/oauth2/token',
    scope: `${scope} offline_access`,
    cookie,
  })}\n`,
)
