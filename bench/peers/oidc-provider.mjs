// oidc-provider on better-sqlite3, set up as near to Warder as its options go: PKCE, one resource whose access tokens are JWTs
// signed by ES256, rotated refresh tokens, no OpenID. What its options leave open is decided in its favour: the client stands
// in the configuration, no id token is signed, tokens are not bound to sessions.

import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import { Provider } from 'oidc-provider'
import { openDatabase, start } from './start.mjs'

const { redirectUri, resource, scope, synchronous } = JSON.parse(process.argv[2])
const database = openDatabase(synchronous)
const server = createServer()
const origin = await start(server)

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const clientId = 'bench-client'

const provider = new Provider(origin, {
  adapter: makeAdapter(database),
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'one' }] },
  cookies: { keys: ['a key for the cookies of the bench'] },
  clients: [
    {
      client_id: clientId,
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
    },
  ],
  scopes: ['openid', 'offline_access', scope],
  responseTypes: ['code'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  expiresWithSession: async () => false,
  ttl: { AccessToken: 600, RefreshToken: 2_592_000, Grant: 2_592_000, Session: 28_800, Interaction: 600 },
  findAccount: (_context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope,
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
})

const answer = provider.callback()
server.on('request', (req, res) => {
  if (req.url.startsWith('/interaction/')) sayYes(req, res).catch((error) => res.destroy(error))
  else answer(req, res)
})
process.stdout.write(`${JSON.stringify({ origin, clientId, authorizePath: '/auth', tokenPath: '/token' })}\n`)

/** The pages that its user would write: whoever comes is signed in as a new user and allows everything, once. */
async function sayYes(req, res) {
  const { prompt, params, session } = await provider.interactionDetails(req, res)
  if (prompt.name === 'login') {
    await provider.interactionFinished(req, res, { login: { accountId: 'user' } })
    return
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  for (const [indicator, names] of Object.entries(prompt.details.missingResourceScopes ?? {}))
    grant.addResourceScope(indicator, names.join(' '))
  if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(' '))
  const consent = { grantId: await grant.save() }
  await provider.interactionFinished(req, res, { consent }, { mergeWithLastSubmission: true })
}

/** One table, each operation one prepared statement and one commit. */
function makeAdapter(database) {
  database.exec(`
    create table if not exists models (
      id text primary key, payload text not null, grant_id text, uid text, expires_at integer, consumed_at integer
    ) strict, without rowid;
    create index if not exists models_grant on models (grant_id) where grant_id is not null;
    create index if not exists models_uid on models (uid) where uid is not null;
  `)
  const upsert = database.prepare(
    `insert into models (id, payload, grant_id, uid, expires_at) values (?, ?, ?, ?, ?)
     on conflict (id) do update set payload = excluded.payload, grant_id = excluded.grant_id, uid = excluded.uid,
     expires_at = excluded.expires_at`,
  )
  const find = database.prepare('select payload, consumed_at, expires_at from models where id = ?')
  const findByUid = database.prepare('select payload, consumed_at, expires_at from models where uid = ?')
  const consume = database.prepare('update models set consumed_at = ? where id = ?')
  const destroy = database.prepare('delete from models where id = ?')
  const revoke = database.prepare('delete from models where grant_id = ?')
  const seconds = () => Math.floor(Date.now() / 1000)
  const read = (row) => {
    if (row === undefined || (row.expires_at !== null && row.expires_at <= seconds())) return undefined
    const payload = JSON.parse(row.payload)
    return row.consumed_at === null ? payload : { ...payload, consumed: row.consumed_at }
  }
  return class {
    constructor(name) {
      this.name = name
    }
    key(id) {
      return `${this.name}:${id}`
    }
    async upsert(id, payload, expiresIn) {
      const expiresAt = expiresIn ? seconds() + expiresIn : null
      upsert.run(
        this.key(id),
        JSON.stringify(payload),
        payload.grantId ?? null,
        payload.uid ?? null,
        expiresAt,
      )
    }
    async find(id) {
      return read(find.get(this.key(id)))
    }
    async findByUid(uid) {
      return read(findByUid.get(uid))
    }
    async findByUserCode() {}
    async consume(id) {
      consume.run(seconds(), this.key(id))
    }
    async destroy(id) {
      destroy.run(this.key(id))
    }
    async revokeByGrantId(grantId) {
      revoke.run(grantId)
    }
  }
}
