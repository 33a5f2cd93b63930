import { beforeAll, describe, expect, test } from 'vitest'
import { callback, errorOf, register, startWarder, type Warder } from './start.ts'

let w: Warder
beforeAll(async () => {
  w = await startWarder()
})

const client = { client_name: 'Test', redirect_uris: [callback] }

test('AS-03 RFC 7591: a client of the MCP world is taken, and told what it got', async () => {
  const answer = await register(w, {
    ...client,
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_post',
  })
  expect(answer.status).toBe(201)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.headers.get('access-control-allow-origin')).toBe('*')
  const registered = (await answer.json()) as Record<string, unknown>
  expect(registered).toMatchObject({
    client_id: expect.stringMatching(/^wcl_/),
    client_id_issued_at: w.clock.now / 1000,
    redirect_uris: [callback],
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
  })
  expect(registered).not.toHaveProperty('client_secret')
})

describe('what is refused', () => {
  test.each([
    ['missing', undefined],
    ['empty', []],
    ['not a list', callback],
    ['a list of objects', [{ uri: callback }]],
  ])('D02 redirect_uris %s', async (_name, redirect_uris) => {
    expect(await errorOf(await register(w, { client_name: 'x', redirect_uris }))).toBe(
      '400 invalid_redirect_uri',
    )
  })

  test.each([
    'https://app.example/x/../cb',
    'https://app.example@evil.example/cb',
    'https://app.example:x@evil.example/cb',
    'https://evil.example\\@app.example/cb',
    'https://app.example/cb\n',
    'https://app.example/cb#x',
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' java\tscript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'blob:https://app.example/x',
    'file:///etc/passwd',
    'about:blank',
    'view-source:https://app.example/',
    'intent:x',
    'unknownscheme://cb',
    'http://localhost.evil.example/cb',
    'http://localhost@evil.example/cb',
    'http://127.1/cb',
    'http://0x7f000001/cb',
    'http://2130706433/cb',
    'http://0.0.0.0/cb',
    'http://[::ffff:127.0.0.1]/cb',
    'http://app.example/cb',
  ])('D03 A05 A06 A10 A12 A13 redirect URI %j', async (uri) => {
    expect(await errorOf(await register(w, { ...client, redirect_uris: [uri] }))).toBe(
      '400 invalid_redirect_uri',
    )
    expect(await errorOf(await register(w, { ...client, redirect_uris: [callback, uri] }))).toBe(
      '400 invalid_redirect_uri',
    )
  })

  test.each([
    ['client_credentials'],
    ['urn:ietf:params:oauth:grant-type:token-exchange'],
    ['urn:ietf:params:oauth:grant-type:jwt-bearer'],
    ['implicit'],
    ['password'],
  ])('D05 a client that wants nothing but %s', async (grant) => {
    expect(await errorOf(await register(w, { ...client, grant_types: [grant] }))).toBe(
      '400 invalid_client_metadata',
    )
  })

  test('AS-34 D22 a web client on loopback, a native one on plain http elsewhere', async () => {
    const web = { ...client, application_type: 'web' }
    expect(await errorOf(await register(w, web))).toBe('400 invalid_redirect_uri')
    const native = { ...client, application_type: 'native', redirect_uris: ['http://app.example/cb'] }
    expect(await errorOf(await register(w, native))).toBe('400 invalid_redirect_uri')
    const right = { ...client, application_type: 'web', redirect_uris: ['https://app.example/cb'] }
    expect((await register(w, right)).status).toBe(201)
  })

  test('D19 what is not JSON, not an object, larger than 16 KB, or has a key twice', async () => {
    expect(await errorOf(await register(w, '{'))).toBe('400 invalid_client_metadata')
    expect(await errorOf(await register(w, '[]'))).toBe('400 invalid_client_metadata')
    const twice = '{"redirect_uris":["https://app.example/cb"],"redirect_uris":["https://evil.example/cb"]}'
    expect(await errorOf(await register(w, twice))).toBe('400 invalid_client_metadata')
    expect((await register(w, JSON.stringify({ ...client, x: 'x'.repeat(17_000) }))).status).toBe(413)
    const form = await w.post('/register', JSON.stringify(client))
    expect(await errorOf(form)).toBe('400 invalid_client_metadata')
  })
})

test('D14 one address registers in bounds, and is told when to come back', async () => {
  const answers = []
  for (let at = 0; at < 31; at += 1) answers.push(await register(w, client, '192.0.2.1'))
  expect(answers.slice(0, 30).every(({ status }) => status === 201)).toBe(true)
  const last = answers[30] as Response
  expect(await errorOf(last)).toBe('429 temporarily_unavailable')
  expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await register(w, client, '192.0.2.7')).status).toBe(201)
  w.clock.now += 2_000
  expect((await register(w, client, '192.0.2.1')).status).toBe(201)
})

test('D14 the addresses of one IPv6 network share their budget', async () => {
  for (let at = 0; at < 30; at += 1) {
    expect((await register(w, client, `2001:db8:0:1::${at.toString(16)}`)).status).toBe(201)
  }
  expect((await register(w, client, '2001:0db8:0000:0001:ffff::1')).status).toBe(429)
  expect((await register(w, client, '2001:db8:0:2::1')).status).toBe(201)
})

test('D14 neither is a /48 as many addresses as one likes: its networks share a larger budget', async () => {
  const statuses: number[] = []
  for (let at = 0; at < 125; at += 1) {
    statuses.push((await register(w, client, `2001:db8:7:${at.toString(16)}::1`)).status)
  }
  expect(statuses).toEqual([...Array(120).fill(201), ...Array(5).fill(429)])
  expect((await register(w, client, '2001:db8:8::1')).status).toBe(201)
  w.clock.now += 500
  expect((await register(w, client, '2001:db8:7:ffff::1')).status).toBe(201)
  expect((await register(w, client, '2001:db8:7:fffe::1')).status).toBe(429)
})

test('D14 a day of registrations from one /48 is 2,000, however they are spread', async () => {
  let taken = 0
  for (let at = 0; at < 2_100; at += 1) {
    w.clock.now += 500
    if ((await register(w, client, `2001:db8:9:${(at % 50).toString(16)}::1`)).status === 201) taken += 1
  }
  // 24 came back in the minutes that this took.
  expect(taken).toBe(2_024)
})
