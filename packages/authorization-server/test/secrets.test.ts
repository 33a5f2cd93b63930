import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { createAuthorizationServer } from '../src/index.ts'
import { seal } from '../src/tokens/seal.ts'
import {
  exchange,
  getTokens,
  openConsent,
  password,
  refresh,
  registerClient,
  startWarder,
  type Tokens,
  verifier,
  type Warder,
} from './start.ts'

test('V01 C34 a restart keeps the signing key, the tokens, and what was revoked', async () => {
  const before = await startWarder()
  const client = await registerClient(before)
  const tokens = await getTokens(before, client)
  const ended = await getTokens(before, client)
  await before.post('/revoke', { client_id: client, token: ended.refresh_token })

  const after = await startWarder({ dir: before.dir, secret: before.secret })
  expect(await after.server.jwks()).toEqual(await before.server.jwks())
  const keys = createLocalJWKSet(await after.server.jwks())
  await jwtVerify(tokens.access_token, keys, { currentDate: new Date(after.clock.now) })
  expect((await refresh(after, client, tokens.refresh_token)).status).toBe(200)
  expect((await refresh(after, client, ended.refresh_token)).status).toBe(400)
})

test('V02 an answer lost in a crash is given again after the restart', async () => {
  const before = await startWarder()
  const client = await registerClient(before)
  const tokens = await getTokens(before, client)
  const lost = (await (await refresh(before, client, tokens.refresh_token)).json()) as Tokens
  const after = await startWarder({ dir: before.dir, secret: before.secret })
  const again = (await (await refresh(after, client, tokens.refresh_token)).json()) as Tokens
  expect(again.refresh_token).toBe(lost.refresh_token)
})

test('another secret does not open the signing key, and the server does not start', async () => {
  const w = await startWarder()
  await expect(startWarder({ dir: w.dir, secret: new Uint8Array(randomBytes(32)) })).rejects.toMatchObject({
    reason: 'keys.unavailable',
  })
})

test('a signing key that is gone again, or is no key for ES256, stops the server from starting', async () => {
  await expect(
    startWarder({
      between: (store) => ({ ...store, keys: { ...store.keys, addFirst: async () => [] } }),
    }),
  ).rejects.toMatchObject({ reason: 'keys.unavailable' })

  const secret = new Uint8Array(randomBytes(32))
  const startWith = (curve: 'P-256' | 'P-384'): Promise<Warder> => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve })
    const [privateJwk, publicJwk] = [privateKey, publicKey].map((key) => key.export({ format: 'jwk' }))
    const stored = {
      kid: 'ours',
      algorithm: 'ES256',
      publicJwk: JSON.stringify({ ...publicJwk, kid: 'ours', alg: 'ES256', use: 'sig' }),
      sealedPrivateJwk: seal(secret, 'signing-key', JSON.stringify(privateJwk)),
      createdAt: 0,
    } as const
    return startWarder({
      secret,
      between: (store) => ({ ...store, keys: { ...store.keys, list: async () => [stored] } }),
    })
  }
  await expect(startWith('P-384')).rejects.toMatchObject({ reason: 'keys.unavailable' })
  const w = await startWith('P-256')
  expect((await w.server.jwks()).keys).toMatchObject([{ kid: 'ours' }])
})

test('two servers on one store agree on one key', async () => {
  const dir = (await startWarder()).dir
  const secret = new Uint8Array(randomBytes(32))
  expect(dir).not.toBe('')
  const first = await startWarder({ secret })
  const second = await startWarder({ dir: first.dir, secret })
  expect(await second.server.jwks()).toEqual(await first.server.jwks())
})

test('G36 all errors of the options are reported together', async () => {
  const wrong = { issuer: 'http://auth.example.test/', secret: new Uint8Array(3) } as never
  await expect(createAuthorizationServer(wrong)).rejects.toThrow(
    /store is missing[\s\S]*secret must be 32 bytes/,
  )
  for (const issuer of [
    'http://auth.example.test',
    'https://auth.example.test/',
    'https://auth.example.test/x/',
    'https://AUTH.example.test',
    'https://a@auth.example.test',
    'https://auth.example.test?x',
    'ftp://localhost',
    'x',
  ]) {
    await expect(startWarder({ issuer }), issuer).rejects.toThrow(/issuer/)
  }
})

test('no code, token, verifier, password, cookie or link stands in the database or in the log', async () => {
  const w = await startWarder()
  const client = await registerClient(w)
  const { browser, page } = await openConsent(w, client, { scope: 'notes:read notes:write' })
  const cookie = browser.cookies(page.url).split('=')[1] ?? ''
  const formToken = /name="form_token" value="([^"]+)"/.exec(page.html)?.[1] ?? ''
  const { left } = await browser.submit(page, { decision: 'allow', scope: ['notes:write'] })
  const code = left?.searchParams.get('code') ?? ''
  await exchange(w, client, code, { code_verifier: 'w'.repeat(43) })
  const tokens = (await (await exchange(w, client, code)).json()) as Tokens
  const next = (await (await refresh(w, client, tokens.refresh_token)).json()) as Tokens
  await exchange(w, client, code)
  await refresh(w, client, next.refresh_token)
  await w.post('/revoke', { client_id: client, token: tokens.access_token })
  const failing = w.browser()
  const canary = 'canary password typed as an address'
  const login = await failing.open(page.url)
  expect(login.status).toBe(400)
  const other = await openConsent(w, client)
  expect((await other.browser.submit(other.page, { decision: 'allow', form_token: canary })).status).toBe(403)

  const secrets = [
    code,
    tokens.access_token,
    tokens.refresh_token,
    next.access_token,
    next.refresh_token,
    verifier,
    'w'.repeat(43),
    password,
    cookie,
    formToken,
    canary,
  ]
  for (const secret of secrets) expect(secret.length).toBeGreaterThan(10)
  const files = readdirSync(w.dir).map((name) => readFileSync(join(w.dir, name)))
  expect(files.some((file) => file.includes(client))).toBe(true)
  expect(w.logs.length).toBeGreaterThan(0)
  const log = JSON.stringify(w.logs)
  for (const secret of secrets) {
    expect(files.some((file) => file.includes(secret))).toBe(false)
    expect(log).not.toContain(secret)
  }
})
