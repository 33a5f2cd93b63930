import { authorizationServerMetadataUrls } from '@warder/protocol'
import { expect, test } from 'vitest'
import {
  authorizeUrl,
  errorOf,
  exchange,
  getCode,
  refresh,
  registerClient,
  startWarder,
  type Tokens,
} from './start.ts'

test.each(['http://localhost:8765', 'https://auth.example.test', 'https://auth.example.test/tenant'])(
  'AS-04 AS-07 the metadata of %s stands wherever clients look for it, the same each time',
  async (issuer) => {
    const w = await startWarder({ issuer })
    const urls = authorizationServerMetadataUrls(issuer)
    expect(urls.length).toBeGreaterThanOrEqual(2)
    for (const url of urls) {
      const answer = await w.get(url)
      expect(answer.status, url).toBe(200)
      expect(answer.headers.get('access-control-allow-origin')).toBe('*')
      const metadata = (await answer.json()) as Record<string, string>
      expect(metadata['issuer']).toBe(issuer)
      for (const name of [
        'jwks_uri',
        'authorization_endpoint',
        'token_endpoint',
        'registration_endpoint',
        'revocation_endpoint',
      ]) {
        const endpoint = metadata[name] ?? ''
        expect(endpoint.startsWith(`${issuer}/`)).toBe(true)
        expect((await w.get(endpoint)).status, endpoint).not.toBe(404)
      }
      const keys = (await (await w.get(metadata['jwks_uri'] ?? '')).json()) as {
        keys: Record<string, string>[]
      }
      expect(keys.keys.map(({ alg, kty, use }) => [alg, kty, use])).toEqual([['ES256', 'EC', 'sig']])
      expect(keys.keys[0]).not.toHaveProperty('d')
    }
  },
)

test('A42 the metadata promises nothing weak', async () => {
  const w = await startWarder()
  const metadata = (await (await w.get('/.well-known/openid-configuration')).json()) as Record<
    string,
    unknown
  >
  expect(metadata).toMatchObject({
    issuer: w.issuer,
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
    scopes_supported: ['notes:read', 'notes:write', 'notes:admin'],
  })
  expect(JSON.stringify(metadata)).not.toMatch(/implicit|"password"|plain|"token"|offline_access|HS256/)
})

test('AS-36 A41 C09 codes and refresh tokens of one issuer are unknown at another', async () => {
  const one = await startWarder({ issuer: 'https://auth.example.test/one' })
  const two = await startWarder({ issuer: 'https://auth.example.test/two' })
  const client = await registerClient(one)
  const elsewhere = await registerClient(two)
  const code = await getCode(one, client)
  expect(await errorOf(await exchange(two, elsewhere, code))).toBe('400 invalid_grant')
  expect(await errorOf(await exchange(two, client, code))).toBe('401 invalid_client')
  const tokens = (await (await exchange(one, client, code)).json()) as Tokens
  expect(await errorOf(await refresh(two, elsewhere, tokens.refresh_token))).toBe('400 invalid_grant')
  expect((await one.get(new URL(authorizeUrl(two, client)).pathname)).status).toBe(404)
})

test('programs in browsers may use the machine endpoints', async () => {
  const w = await startWarder()
  for (const path of ['/register', '/token', '/revoke', '/jwks', '/.well-known/oauth-authorization-server']) {
    const preflight = await w.server.handle(new Request(`${w.issuer}${path}`, { method: 'OPTIONS' }), {
      address: '::1',
    })
    expect(preflight.status, path).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull()
  }
})

test.each(['http://auth.example.test', 'http://192.0.2.1:8765', 'ftp://localhost'])(
  'AS-11 AS-35 an issuer at %s, whose endpoints would not be https, does not start',
  async (issuer) => {
    await expect(startWarder({ issuer })).rejects.toThrow('issuer must be https, or http on a loopback host')
  },
)

test('OT-11 the metadata is for clients that send MCP-Protocol-Version, in browsers too', async () => {
  const w = await startWarder()
  const path = '/.well-known/oauth-authorization-server'
  const version = { 'mcp-protocol-version': '2025-03-26' }
  expect((await w.get(path, version)).status).toBe(200)
  const preflight = await w.server.handle(new Request(`${w.issuer}${path}`, { method: 'OPTIONS' }), {
    address: '::1',
  })
  expect(preflight.headers.get('access-control-allow-headers')).toMatch(/\bMCP-Protocol-Version\b/i)
})

test('a server without scopes lists none: an empty list has no place in metadata (RFC 8414 section 3.2)', async () => {
  const plain = `
version: 1
servers:
  notes:
    url: http://127.0.0.1:3001/mcp
    tools: [ { match: search_notes, scopes: [] } ]
access:
  - { who: { user: owner }, client: any, servers: [notes], may: [] }
`
  const path = '/.well-known/oauth-authorization-server'
  const [none, some] = [await startWarder({ policy: plain }), await startWarder()]
  expect(await (await none.get(path)).json()).not.toHaveProperty('scopes_supported')
  expect(await (await some.get(path)).json()).toHaveProperty('scopes_supported')
})

test('C18 HEAD on metadata and keys is GET without a body (RFC 9110 section 9.1), and nothing elsewhere', async () => {
  const w = await startWarder()
  const ask = (path: string, method: string): Promise<Response> =>
    w.server.handle(new Request(`${w.issuer}${path}`, { method }), { address: '::1' })
  for (const path of [
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
    '/jwks',
  ]) {
    const [head, get] = [await ask(path, 'HEAD'), await ask(path, 'GET')]
    expect([path, head.status, await head.text()]).toEqual([path, 200, ''])
    expect([...head.headers]).toEqual([...get.headers])
    expect((await ask(path, 'PUT')).headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  }
  for (const path of ['/token', '/revoke', '/register', '/authorize', '/account'])
    expect([path, (await ask(path, 'HEAD')).status]).toEqual([path, 405])
})
