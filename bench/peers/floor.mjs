// The floor: what the same flows cost with node:http, crypto.sign and better-sqlite3 and next to no checks. Not a server that
// anybody should run.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { createServer } from 'node:http'
import { openDatabase, start } from './start.mjs'

const { resource, scope, synchronous } = JSON.parse(process.argv[2])
const database = openDatabase(synchronous)
database.exec(`
  create table sessions (hash text primary key, user text not null) strict, without rowid;
  create table codes (hash text primary key, user text, challenge text, expires_at integer, used_at integer) strict;
  create table refresh_tokens (hash text primary key, user text, expires_at integer, used_at integer) strict;
`)
const findSession = database.prepare('select user from sessions where hash = ?')
const addCode = database.prepare('insert into codes values (?, ?, ?, ?, null)')
const takeCode = database.prepare(
  `update codes set used_at = @now where hash = @hash and used_at is null and expires_at > @now
   returning user, challenge`,
)
const takeToken = database.prepare(
  `update refresh_tokens set used_at = @now where hash = @hash and used_at is null and expires_at > @now
   returning user`,
)
const addToken = database.prepare('insert into refresh_tokens values (?, ?, ?, null)')
const exchange = database.transaction((take, hash, verifier, successor) => {
  const now = Date.now()
  const taken = take.get({ hash, now })
  if (taken === undefined) return undefined
  if (take === takeCode && hashOf(verifier) !== taken.challenge) return undefined
  addToken.run(successor, taken.user, now + 2_592_000_000)
  return taken.user
})

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const header = encode({ alg: 'ES256', typ: 'at+jwt', kid: 'one' })
const session = randomSecret()
database.prepare('insert into sessions values (?, ?)').run(hashOf(session), 'user')

const server = createServer((req, res) => {
  if (req.method === 'GET') return authorize(req, res)
  let body = ''
  req.on('data', (chunk) => {
    body += chunk
  })
  req.on('end', () => answerToken(new URLSearchParams(body), res))
})
const origin = await start(server)
process.stdout.write(
  `${JSON.stringify({
    origin,
    clientId: 'bench-client',
    authorizePath: '/authorize',
    tokenPath: '/token',
    cookie: `session=${session}`,
  })}\n`,
)

function authorize(req, res) {
  const query = new URL(req.url, origin).searchParams
  const found = findSession.get(hashOf(req.headers.cookie.slice('session='.length)))
  if (found === undefined) return res.writeHead(403).end()
  const code = randomSecret()
  addCode.run(hashOf(code), found.user, query.get('code_challenge'), Date.now() + 60_000)
  res
    .writeHead(303, { location: `${query.get('redirect_uri')}?code=${code}&state=${query.get('state')}` })
    .end()
}

function answerToken(form, res) {
  const isCode = form.get('grant_type') === 'authorization_code'
  const successor = randomSecret()
  const user = exchange.immediate(
    isCode ? takeCode : takeToken,
    hashOf(form.get(isCode ? 'code' : 'refresh_token')),
    form.get('code_verifier'),
    hashOf(successor),
  )
  if (user === undefined) return res.writeHead(400).end('{"error":"invalid_grant"}')
  const iat = Math.floor(Date.now() / 1000)
  const claims = { iss: origin, sub: user, aud: resource, iat, exp: iat + 600, jti: randomSecret(), scope }
  const text = `${header}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  const answer = JSON.stringify({
    access_token: `${text}.${signature.toString('base64url')}`,
    token_type: 'Bearer',
    expires_in: 600,
    refresh_token: successor,
  })
  res.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(answer)
}

function randomSecret() {
  return randomBytes(32).toString('base64url')
}

function hashOf(secret) {
  return createHash('sha256').update(secret).digest('base64url')
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
