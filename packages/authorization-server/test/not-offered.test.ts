import { beforeAll, describe, expect, test } from 'vitest'
import {
  callback,
  errorOf,
  exchange,
  getCode,
  getTokens,
  openConsent,
  ownerEmail,
  readerEmail,
  register,
  registerClient,
  startWarder,
  type Warder,
} from './start.ts'

let w: Warder
let client: string
beforeAll(async () => {
  w = await startWarder()
  client = await registerClient(w)
})

const metadataOf = async (): Promise<Record<string, unknown>> =>
  (await (await w.get('/.well-known/oauth-authorization-server')).json()) as Record<string, unknown>

describe('S13 what is not offered is not there, and the metadata does not speak of it', () => {
  test.each([
    [
      'C47',
      'introspection_endpoint',
      ['/introspect', '/introspection', '/token/introspect', '/oauth/introspect'],
    ],
    ['', 'device_authorization_endpoint', ['/device', '/device_authorization', '/device/code']],
    ['', 'pushed_authorization_request_endpoint', ['/par', '/request']],
    ['', 'backchannel_authentication_endpoint', ['/bc-authorize', '/backchannel']],
    ['', 'userinfo_endpoint', ['/userinfo', '/me']],
    ['', 'end_session_endpoint', ['/session/end', '/logout', '/end_session']],
    ['S01', 'admin_endpoint', ['/admin', '/admin/users', '/api', '/console', '/users', '/clients']],
    ['S05', 'setup_endpoint', ['/setup', '/install', '/owner', '/owner/', '/signup']],
    ['S15', 'identity_providers', ['/sso', '/providers', '/domains', '/callback', '/login']],
  ])('%s %s', async (_number, member, paths) => {
    expect(Object.keys(await metadataOf())).not.toContain(member)
    for (const path of paths) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
        const answer = await w.server.handle(new Request(`${w.issuer}${path}`, { method }), {
          address: '::1',
        })
        expect([path, method, answer.status]).toEqual([path, method, 404])
      }
    }
    // What is offered is there.
    const offered = await metadataOf()
    for (const name of ['token_endpoint', 'registration_endpoint', 'revocation_endpoint']) {
      const { pathname } = new URL(String(offered[name]))
      expect((await w.post(pathname, '')).status).not.toBe(404)
    }
  })

  test('every endpoint that the metadata names exists, and grants and methods are those that work', async () => {
    const offered = await metadataOf()
    expect(offered['grant_types_supported']).toEqual(['authorization_code', 'refresh_token'])
    expect(offered['token_endpoint_auth_methods_supported']).toEqual(['none'])
    for (const grant_type of [
      'client_credentials',
      'password',
      'urn:ietf:params:oauth:grant-type:device_code',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
    ]) {
      expect(await errorOf(await exchange(w, client, 'x', { grant_type }))).toBe('400 unsupported_grant_type')
    }
  })
})

describe('D15 registration is not managed over the network', () => {
  test('no token and no address to manage it are given out, and there is nothing at the usual one', async () => {
    const answer = await register(w, { client_name: 'x', redirect_uris: [callback] })
    const registered = (await answer.json()) as Record<string, unknown>
    for (const name of ['registration_access_token', 'registration_client_uri', 'client_secret'])
      expect(registered).not.toHaveProperty(name)
    const id = String(registered['client_id'])
    const codes = await getCode(w, id)
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      for (const path of [`/register/${id}`, `/register?client_id=${id}`, `/register/${client}`]) {
        const request = new Request(`${w.issuer}${path}`, {
          method,
          headers: { authorization: 'Bearer x' },
        })
        const { status } = await w.server.handle(request, { address: '::1' })
        expect([method, path, status]).toEqual([method, path, path.includes('?') ? 405 : 404])
      }
    }
    expect((await exchange(w, id, codes)).status).toBe(200)
  })

  test('D18 a token at the registration endpoint is refused, whatever its form', async () => {
    for (const authorization of [
      'Bearer',
      'Bearer x',
      'bearer \t x',
      'Bearer\tx',
      'Basic',
      'Basic !!!',
      `Basic ${btoa('a:b')}`,
      'x'.repeat(8_000),
      ',',
      'Bearer "',
    ]) {
      const request = new Request(`${w.issuer}/register`, {
        method: 'POST',
        body: JSON.stringify({ client_name: 'x', redirect_uris: [callback] }),
        headers: { 'content-type': 'application/json', authorization },
      })
      const answer = await w.server.handle(request, { address: '192.0.2.77' })
      expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(await errorOf(answer)).toBe('401 invalid_token')
    }
    const plain = await register(w, { client_name: 'x', redirect_uris: [callback] }, '192.0.2.77')
    expect(plain.status).toBe(201)
  })

  test('D21 who is signed in makes no difference to registration, and nobody makes a client that is vouched for', async () => {
    const secure = await startWarder({ issuer: 'https://auth.example.test' })
    for (const email of [ownerEmail, readerEmail]) {
      const { browser, page } = await openConsent(secure, await registerClient(secure), {}, email)
      const request = new Request(`${secure.issuer}/register`, {
        method: 'POST',
        body: JSON.stringify({
          client_id: 'chosen',
          client_name: 'x',
          redirect_uris: [callback],
          kind: 'pre-registered',
          client_class: 'pre-registered',
          trusted: true,
          skip_consent: true,
        }),
        headers: { 'content-type': 'application/json', cookie: browser.cookies(page.url) },
      })
      const answer = await secure.server.handle(request, { address: '192.0.2.78' })
      expect(answer.status).toBe(201)
      const { client_id: id } = (await answer.json()) as { client_id: string }
      expect(id).toMatch(/^wcl_[\w-]{22}$/)
      const stored = await secure.store.clients.load(id)
      expect(stored?.kind).toBe('self-registered')
      expect(stored?.metadata).not.toMatch(/trusted|skip_consent|pre-registered/)
    }
  })
})

test("C14 C15 a Basic header of any form, also of another client than the body's, is 401 with a challenge", async () => {
  const code = await getCode(w, client)
  const body = `grant_type=authorization_code&client_id=${client}&code=${code}`
  for (const authorization of [
    'Basic',
    'Basic ',
    'basic',
    'Basic !!!!',
    `Basic ${btoa(client)}`,
    `basic ${btoa(`${client}:secret`)}`,
    `Basic ${btoa('%zz:%')}`,
    `Basic ${btoa('other:secret')}`,
    'Basic =',
  ]) {
    const answer = await w.post('/token', body, { authorization })
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="warder"')
    expect(await errorOf(answer)).toBe('401 invalid_client')
  }
  expect((await exchange(w, client, code)).status).toBe(200)
})

test('S01 an access token opens no page, and changes nothing there', async () => {
  const tokens = await getTokens(w, client)
  const authorization = `Bearer ${tokens.access_token}`
  const visit = await w.get('/account', { authorization })
  const path = visit.headers.get('location') ?? ''
  const cookie = visit.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const page = await w.get(path, { authorization, cookie })
  expect(await page.text()).toContain('name="password"')
  for (const name of ['grant', 'session', 'sign-out']) {
    const fields = { decision: 'revoke', grant: 'x', session: 'x', form_token: 'x' }
    const headers = { authorization, cookie, origin: w.issuer }
    expect((await w.post(`${path}/${name}`, fields, headers)).status).toBe(403)
  }
  expect((await w.store.grants.list({ clientId: client, live: true })).length).toBeGreaterThan(0)
})

test('C39 another web origin gets no answer with the cookies of a user, at any endpoint', async () => {
  const code = await getCode(w, client)
  for (const origin of ['https://evil.example', 'null', w.issuer]) {
    for (const path of ['/token', '/revoke', '/register']) {
      const headers = { origin, 'access-control-request-method': 'POST' }
      const preflight = await w.server.handle(
        new Request(`${w.issuer}${path}`, { method: 'OPTIONS', headers }),
        { address: '::1' },
      )
      const answer = await w.post(path, 'x=y', { origin, cookie: 'warder-transaction=x' })
      for (const { headers: sent } of [preflight, answer]) {
        // Browsers refuse `*` to a request with credentials; the origin itself is never written back.
        expect(sent.get('access-control-allow-origin')).toBe('*')
        expect(sent.get('access-control-allow-credentials')).toBeNull()
        expect(sent.getSetCookie()).toEqual([])
      }
    }
  }
  // Without credentials a client in a page gets its tokens.
  const body = new URLSearchParams({ grant_type: 'authorization_code', client_id: client, code })
  body.set('code_verifier', 'v'.repeat(43))
  const answer = await w.post('/token', body.toString(), { origin: 'https://app.example' })
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
})
