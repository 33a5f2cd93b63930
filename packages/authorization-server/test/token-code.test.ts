import { createLocalJWKSet, jwtVerify } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  callback,
  challenge,
  claimsOf,
  errorOf,
  exchange,
  getCode,
  getTokens,
  notes,
  refresh,
  register,
  registerClient,
  startWarder,
  type Tokens,
  verifier,
  type Warder,
} from './start.ts'

let w: Warder
let client: string
let other: string

beforeAll(async () => {
  w = await startWarder()
  client = await registerClient(w)
  other = await registerClient(w)
})

async function expectTokens(answer: Response): Promise<Tokens> {
  expect(answer.status).toBe(200)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  const tokens = (await answer.json()) as Tokens
  expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 600 })
  return tokens
}

async function isGrantAlive(tokens: Tokens): Promise<boolean> {
  const grant = await w.store.grants.load(String(claimsOf(tokens.access_token)['grant_id']))
  return grant !== undefined && grant.revokedAt === undefined
}

test('AS-01 AS-12 a registered client signs in, consents, gets an RFC 9068 token and refreshes it', async () => {
  const tokens = await getTokens(w, client)
  const { payload, protectedHeader } = await jwtVerify(
    tokens.access_token,
    createLocalJWKSet(await w.server.jwks()),
    { typ: 'at+jwt', issuer: w.issuer, audience: notes, currentDate: new Date(w.clock.now) },
  )
  expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'at+jwt' })
  expect(payload).toMatchObject({
    sub: 'wus_owner',
    aud: notes,
    client_id: client,
    client_class: 'local',
    scope: 'notes:read notes:write',
    grant_id: expect.any(String),
    jti: expect.any(String),
  })
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(600)

  const answer = await refresh(w, client, tokens.refresh_token)
  expect(answer.status).toBe(200)
  const next = (await answer.json()) as Tokens
  expect(next.refresh_token).not.toBe(tokens.refresh_token)
  expect(claimsOf(next.access_token)['grant_id']).toBe(payload['grant_id'])
})

test('C01 a code works once; its replay ends the grant with all its tokens', async () => {
  const code = await getCode(w, client)
  const tokens = await expectTokens(await exchange(w, client, code))
  expect(await isGrantAlive(tokens)).toBe(true)
  const before = await w.store.changes.lastNumber()
  expect(await errorOf(await exchange(w, client, code))).toBe('400 invalid_grant')
  expect(await isGrantAlive(tokens)).toBe(false)
  const changes = await w.store.changes.listAfter(before, 10)
  expect(changes.map(({ kind, subject }) => [kind, subject])).toEqual([
    ['grant-revoked', claimsOf(tokens.access_token)['grant_id']],
  ])
  expect(await errorOf(await refresh(w, client, tokens.refresh_token))).toBe('400 invalid_grant')
})

test('C02 of many redemptions at once exactly one succeeds', async () => {
  const code = await getCode(w, client)
  const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(w, client, code)))
  expect(answers.filter(({ status }) => status === 200).length).toBe(1)
  for (const answer of answers.filter(({ status }) => status !== 200)) {
    expect(await errorOf(answer)).toBe('400 invalid_grant')
  }
})

test('C03 a forged code that starts like a live one is nothing, and the live one stays', async () => {
  const code = await getCode(w, client)
  for (const forged of [`${code.slice(0, -1)}_`, `${code}x`, code.slice(0, 20), code.toUpperCase(), 'wac_']) {
    expect(await errorOf(await exchange(w, client, forged))).toBe('400 invalid_grant')
  }
  await expectTokens(await exchange(w, client, code))
})

test('C03 the code of one client is nothing to another, and stays', async () => {
  const code = await getCode(w, client)
  expect(await errorOf(await exchange(w, other, code))).toBe('400 invalid_grant')
  await expectTokens(await exchange(w, client, code))
})

test('another redirect URI than the one of the request; none at all is fine in OAuth 2.1', async () => {
  const code = await getCode(w, client)
  const elsewhere = { redirect_uri: 'http://127.0.0.1:9/callback' }
  expect(await errorOf(await exchange(w, client, code, elsewhere))).toBe('400 invalid_grant')
  await expectTokens(await exchange(w, client, code, { redirect_uri: null }))
})

describe('C05 the code verifier', () => {
  test.each([
    ['another', 'w'.repeat(43), '400 invalid_grant'],
    ['in other case', verifier.toUpperCase(), '400 invalid_grant'],
    ['the challenge itself', challenge, '400 invalid_grant'],
    ['42 characters', 'v'.repeat(42), '400 invalid_request'],
    ['129 characters', 'v'.repeat(129), '400 invalid_request'],
    ['illegal characters', `${'v'.repeat(42)}+`, '400 invalid_request'],
  ])('%s', async (_name, wrong, error) => {
    const code = await getCode(w, client)
    expect(await errorOf(await exchange(w, client, code, { code_verifier: wrong }))).toBe(error)
    await expectTokens(await exchange(w, client, code))
  })

  test('the example of RFC 7636, appendix B', async () => {
    const challenged = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' }
    const code = await getCode(w, client, ['notes:read'], challenged)
    expect(await errorOf(await exchange(w, client, code))).toBe('400 invalid_grant')
    const example = { code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' }
    await expectTokens(await exchange(w, client, code, example))
  })

  test('four wrong ones are forgiven, the fifth kills the code', async () => {
    const forgiven = await getCode(w, client)
    const dead = await getCode(w, client)
    const wrong = { code_verifier: 'w'.repeat(43) }
    for (let at = 0; at < 4; at += 1) await exchange(w, client, forgiven, wrong)
    for (let at = 0; at < 5; at += 1) await exchange(w, client, dead, wrong)
    await expectTokens(await exchange(w, client, forgiven))
    expect(await errorOf(await exchange(w, client, dead))).toBe('400 invalid_grant')
  })
})

test('C06 no verifier is a downgrade; a request without a challenge never gets a code', async () => {
  const code = await getCode(w, client)
  expect(await errorOf(await exchange(w, client, code, { code_verifier: null }))).toBe('400 invalid_grant')
  await expectTokens(await exchange(w, client, code))
  await expect(getCode(w, client, ['notes:read'], { code_challenge: null })).rejects.toThrow()
})

test('C07 a code lives 60 seconds', async () => {
  const early = await getCode(w, client)
  w.clock.now += 59_000
  await expectTokens(await exchange(w, client, early))
  const late = await getCode(w, client)
  w.clock.now += 61_000
  expect(await errorOf(await exchange(w, client, late))).toBe('400 invalid_grant')
})

test('C07 a code from before the clock was set back is none; the replay of one still ends its grant', async () => {
  const near = await getCode(w, client)
  w.clock.now -= 10_000
  await expectTokens(await exchange(w, client, near))
  const far = await getCode(w, client)
  const used = await getCode(w, client)
  const tokens = await expectTokens(await exchange(w, client, used))
  w.clock.now -= 10_001
  expect(await errorOf(await exchange(w, client, far))).toBe('400 invalid_grant')
  expect(await isGrantAlive(tokens)).toBe(true)
  expect(await errorOf(await exchange(w, client, used))).toBe('400 invalid_grant')
  expect(await isGrantAlive(tokens)).toBe(false)
})

test('without a code, or without a refresh token, there is nothing to exchange', async () => {
  expect(await errorOf(await exchange(w, client, '', { code: null }))).toBe('400 invalid_request')
  expect(await errorOf(await refresh(w, client, '', { refresh_token: null }))).toBe('400 invalid_request')
})

test('C11 a resource outside the grant, and the code is not used up by it', async () => {
  const code = await getCode(w, client)
  for (const resource of ['https://other.example/mcp', [notes, 'https://other.example/mcp'], `${notes}/`]) {
    expect(await errorOf(await exchange(w, client, code, { resource }))).toBe('400 invalid_target')
  }
  // Scheme and host have no case: another spelling is the same resource.
  const spelled = notes.replace('http://localhost', 'HTTP://LOCALHOST')
  const tokens = await expectTokens(await exchange(w, client, code, { resource: [notes, spelled] }))
  expect(claimsOf(tokens.access_token)['aud']).toBe(notes)
})

describe('C17 content types of the token endpoint', () => {
  test.each([
    'application/json',
    'multipart/form-data; boundary=x',
    'application/json, application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded; charset=utf-16',
    'application/x-www-form-urlencoded2',
    'text/plain',
    '',
  ])('%j', async (type) => {
    const answer = await w.post('/token', 'grant_type=authorization_code', { 'content-type': type })
    expect(await errorOf(answer)).toBe('400 invalid_request')
  })

  test('the right one, also with its charset', async () => {
    const code = await getCode(w, client)
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: client,
      code,
      code_verifier: verifier,
    })
    const type = 'application/x-www-form-urlencoded; charset=UTF-8'
    expect((await w.post('/token', body.toString(), { 'content-type': type })).status).toBe(200)
  })
})

test.each(['/token', '/revoke', '/register'])('C18 other methods at %s', async (path) => {
  for (const method of ['GET', 'PUT', 'DELETE', 'HEAD', 'PATCH']) {
    const answer = await w.server.handle(new Request(`${w.issuer}${path}`, { method }), {
      address: '127.0.0.1',
    })
    expect(answer.status, method).toBe(405)
    expect(answer.headers.get('allow')).toBe('POST, OPTIONS')
  }
})

test('C19 duplicated and array-style parameters', async () => {
  const code = await getCode(w, client)
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: client,
    code,
    code_verifier: verifier,
  }).toString()
  for (const extra of [
    'grant_type=authorization_code',
    `code=${code}`,
    'code[$ne]=x',
    'client_id[]=x',
    'x=%',
    'x=%00',
  ]) {
    expect(await errorOf(await w.post('/token', `${body}&${extra}`)), extra).toBe('400 invalid_request')
  }
  expect((await w.post('/token', body)).status).toBe(200)
})

test('C42 a body that is too large', async () => {
  expect((await w.post('/token', `grant_type=${'x'.repeat(20_000)}`)).status).toBe(413)
})

test('the grant type', async () => {
  expect(await errorOf(await exchange(w, client, 'x', { grant_type: null }))).toBe('400 invalid_request')
  for (const grant_type of ['password', 'client_credentials', '__proto__', 'constructor']) {
    expect(await errorOf(await exchange(w, client, 'x', { grant_type }))).toBe('400 unsupported_grant_type')
  }
})

test('C10 C13 any attempt to authenticate is refused, since every client is public', async () => {
  const code = await getCode(w, client)
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: client,
    code,
    code_verifier: verifier,
  }).toString()
  const basic = await w.post('/token', body, { authorization: `Basic ${btoa(`${client}:`)}` })
  expect(basic.headers.get('www-authenticate')).toMatch(/^Basic /)
  expect(await errorOf(basic)).toBe('401 invalid_client')
  expect(await errorOf(await w.post('/token', `${body}&client_secret=x`))).toBe('401 invalid_client')
  expect(await errorOf(await exchange(w, client, code, { client_id: null }))).toBe('400 invalid_request')
  const unknown = await exchange(w, 'wcl_unknown', code)
  expect(unknown.headers.get('www-authenticate')).toBe('Basic realm="warder"')
  expect(await errorOf(unknown)).toBe('401 invalid_client')
  const taken = await w.post('/token', body)
  expect([taken.status, taken.headers.get('www-authenticate')]).toEqual([200, null])
})

test('C38 errors are JSON, not cached, of plain characters, and echo nothing', async () => {
  const canary = 'canary"<script>\\é'
  for (const answer of [
    await exchange(w, canary, 'x'),
    await exchange(w, client, canary),
    await exchange(w, client, 'x', { grant_type: canary }),
    await exchange(w, client, 'x', { code_verifier: canary }),
  ]) {
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const text = await answer.text()
    expect(text).not.toContain('canary')
    expect(JSON.parse(text).error_description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
  }
})

test('AS-33 C21 a client that did not register for refresh tokens gets none, and may not use any', async () => {
  const answer = await register(w, { redirect_uris: [callback], grant_types: ['authorization_code'] })
  const { client_id: id } = (await answer.json()) as { client_id: string }
  const tokens = await expectTokens(await exchange(w, id, await getCode(w, id)))
  expect(tokens).not.toHaveProperty('refresh_token')
  const foreign = await expectTokens(await exchange(w, client, await getCode(w, client)))
  expect(await errorOf(await refresh(w, id, foreign.refresh_token))).toBe('400 unauthorized_client')
})

test('C35 a code or an access token is no refresh token, a refresh token is no code', async () => {
  const code = await getCode(w, client)
  expect(await errorOf(await refresh(w, client, code))).toBe('400 invalid_grant')
  const tokens = await expectTokens(await exchange(w, client, code))
  expect(await errorOf(await refresh(w, client, tokens.access_token))).toBe('400 invalid_grant')
  expect(await errorOf(await exchange(w, client, tokens.refresh_token))).toBe('400 invalid_grant')
  expect(await errorOf(await exchange(w, client, tokens.access_token))).toBe('400 invalid_grant')
  await expectTokens(await refresh(w, client, tokens.refresh_token))
})
