import { beforeAll, describe, expect, test } from 'vitest'
import {
  authorizeUrl,
  callback,
  notes,
  notesResource,
  openConsent,
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

const request = (url: string): Promise<Response> => w.get(url)

/** The place of a redirect, or undefined. */
function leftTo(answer: Response): URL | undefined {
  const location = answer.headers.get('location')
  return location === null ? undefined : new URL(location, w.issuer)
}

async function expectPage(answer: Response): Promise<void> {
  expect(answer.status).toBe(400)
  expect(answer.headers.get('location')).toBeNull()
  expect(answer.headers.get('set-cookie')).toBeNull()
  expect(answer.headers.get('content-type')).toContain('text/html')
}

async function expectRedirectError(
  overrides: Record<string, string | readonly string[] | null>,
  error: string,
  id: string = client,
): Promise<URL> {
  const answer = await request(authorizeUrl(w, id, overrides))
  expect(answer.status).toBe(303)
  const place = leftTo(answer)
  expect(place?.href.startsWith(`${callback}?`), place?.href).toBe(true)
  expect(place?.searchParams.get('error')).toBe(error)
  expect(place?.searchParams.has('code')).toBe(false)
  return place as URL
}

async function expectStarted(overrides: Record<string, string | readonly string[] | null>): Promise<void> {
  const answer = await request(authorizeUrl(w, client, overrides))
  expect(answer.status).toBe(303)
  expect(answer.headers.get('location')).toMatch(/^\/authorize\/[A-Za-z0-9_-]{22}$/)
}

test('the positive twin: the same request without a defect starts a transaction', async () => {
  await expectStarted({})
})

describe('until client and redirect URI are proven, refusals are pages', () => {
  test.each([
    'no-such-client',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '',
    'x'.repeat(10_240),
  ])('A01 unknown client_id %.20s', async (id) => {
    await expectPage(await request(authorizeUrl(w, id)))
  })

  test('A01 no client_id at all', async () => {
    await expectPage(await request(authorizeUrl(w, client, { client_id: null })))
  })

  test('a program that looks at the URL before the browser does reads that the client is unknown', async () => {
    const look = (id: string, accept: string): Promise<Response> => w.get(authorizeUrl(w, id), { accept })
    const answer = await look('no-such-client', 'application/json')
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ error: 'invalid_client' })
    await expectPage(await look('no-such-client', 'text/html,application/json;q=0.9'))
    expect((await look(client, 'application/json')).status).toBe(303)
  })

  test('PX-16 A02 an unregistered redirect URI', async () => {
    await expectPage(await request(authorizeUrl(w, client, { redirect_uri: 'https://evil.example/cb' })))
  })

  test('A03 no redirect URI, whether the client has one or several', async () => {
    const answer = await request(authorizeUrl(w, client, { redirect_uri: null }))
    expect(await answer.clone().text()).toContain('does not say where the answer should go')
    await expectPage(answer)
    const several = await registerClient(w, ['https://app.example/cb', 'https://app.example/cb2'])
    await expectPage(await request(authorizeUrl(w, several, { redirect_uri: null })))
    expect(
      (await request(authorizeUrl(w, several, { redirect_uri: 'https://app.example/cb2' }))).status,
    ).toBe(303)
  })

  test.each([
    ['A04', 'https://app.example/cb/extra'],
    ['A04', 'https://app.example/x/../cb'],
    ['A04', 'https://app.example/./cb'],
    ['A04', 'https://app.example/%2e%2e/cb'],
    ['A04', 'https://app.example/cb?x=1'],
    ['A04', 'https://app.example/cb/'],
    ['A04', 'https://app.example/cb;x'],
    ['A05', 'https://app.example@evil.example/cb'],
    ['A05', 'https://app.example:x@evil.example/cb'],
    ['A06', 'https://evil.example\\@app.example/cb'],
    ['A06', 'https://app.example/cb\t'],
    ['A06', 'https://app.example/cb\r\n'],
    ['A06', ' https://app.example/cb'],
    ['A06', 'https://app.example/cb '],
    ['A06', 'https://app.example/cb\u0000'],
    ['A07', 'https://APP.example/cb'],
    ['A07', 'HTTPS://app.example/cb'],
    ['A07', 'https://app.example:443/cb'],
    ['A10', 'javascript:alert(1)'],
    ['A10', 'data:text/html,x'],
    ['A13', 'http://app.example/cb'],
  ])('%s a near match of a registered redirect URI: %j', async (_number, uri) => {
    const web = await registerClient(w, ['https://app.example/cb'])
    await expectPage(await request(authorizeUrl(w, web, { redirect_uri: uri })))
    const right = await request(authorizeUrl(w, web, { redirect_uri: 'https://app.example/cb' }))
    expect(right.status).toBe(303)
  })

  test('A04 a registered query may not be left out', async () => {
    const web = await registerClient(w, ['https://app.example/cb?tenant=1'])
    await expectPage(await request(authorizeUrl(w, web, { redirect_uri: 'https://app.example/cb' })))
    const right = await request(authorizeUrl(w, web, { redirect_uri: 'https://app.example/cb?tenant=1' }))
    expect(right.status).toBe(303)
  })

  test('A07 an internationalized host is not its punycode', async () => {
    const web = await registerClient(w, ['https://xn--bcher-kva.example/cb'])
    await expectPage(await request(authorizeUrl(w, web, { redirect_uri: 'https://bücher.example/cb' })))
  })

  test('AS-15 A11 of a loopback redirect only the port may differ', async () => {
    const local = await registerClient(w, ['http://127.0.0.1/cb'])
    for (const uri of ['http://127.0.0.1/cb', 'http://127.0.0.1:8080/cb', 'http://127.0.0.1:51000/cb']) {
      expect((await request(authorizeUrl(w, local, { redirect_uri: uri }))).status, uri).toBe(303)
    }
    for (const uri of [
      'http://127.0.0.1:8080/other',
      'https://127.0.0.1/cb',
      'http://localhost/cb',
      'http://[::1]/cb',
      'http://127.0.0.1.evil.example/cb',
      'http://127.0.0.2/cb',
      'http://127.0.0.1:8080/cb?x=1',
      'http://127.0.0.1:99999/cb',
    ]) {
      await expectPage(await request(authorizeUrl(w, local, { redirect_uri: uri })))
    }
  })

  test.each([
    'http://localhost.evil.example/cb',
    'http://localhost@evil.example/cb',
    'http://127.1/cb',
    'http://0x7f000001/cb',
    'http://2130706433/cb',
    'http://0.0.0.0/cb',
    'http://[::ffff:127.0.0.1]/cb',
  ])('A12 a loopback look-alike: %s', async (uri) => {
    const local = await registerClient(w, ['http://127.0.0.1/cb', 'http://localhost/cb'])
    await expectPage(await request(authorizeUrl(w, local, { redirect_uri: uri })))
    const right = await request(authorizeUrl(w, local, { redirect_uri: 'http://localhost:5000/cb' }))
    expect(right.status).toBe(303)
  })

  test.each(['client_id', 'redirect_uri', 'scope', 'state', 'code_challenge', 'response_type'])(
    'A14 %s twice, also with equal values',
    async (name) => {
      const url = authorizeUrl(w, client, { scope: 'notes:read' })
      const value = new URL(url).searchParams.get(name) ?? ''
      await expectPage(await request(`${url}&${name}=${encodeURIComponent(value)}`))
      await expectPage(await request(`${url}&${name}%5B%5D=x`))
    },
  )

  test.each(['%', '%zz', '%ff', '%c0%af', '%00'])(
    'A39 a state of %s is refused, not a crash',
    async (state) => {
      await expectPage(await request(`${authorizeUrl(w, client, { state: null })}&state=${state}`))
    },
  )

  test('A37 A39 a query of more than 16,384 characters, a state of more than 4,096', async () => {
    const { search } = new URL(authorizeUrl(w, client))
    const padding = 'x'.repeat(16_384 - search.length - '&pad='.length + 1)
    await expectStarted({ pad: padding })
    await expectPage(await request(authorizeUrl(w, client, { pad: `${padding}x` })))
    await expectStarted({ state: 's'.repeat(4096) })
    await expectPage(await request(authorizeUrl(w, client, { state: 's'.repeat(4097) })))
  })
})

describe('then they are redirects, with iss and state, to a program on the computer of the user', () => {
  test.each(['token', 'id_token', 'code token', 'code id_token', 'code '])(
    'A15 response_type %j',
    async (type) => {
      await expectRedirectError({ response_type: type }, 'unsupported_response_type')
    },
  )

  test('A15 no response_type, and an answer elsewhere than in the query', async () => {
    await expectRedirectError({ response_type: null }, 'invalid_request')
    await expectRedirectError({ response_mode: 'fragment' }, 'invalid_request')
    await expectStarted({ response_mode: 'query' })
  })

  test('the operator reads in the log what was refused, and of whom', async () => {
    w.logs.length = 0
    await expectRedirectError({ response_type: 'token' }, 'unsupported_response_type')
    expect(w.logs).toContainEqual({
      level: 'info',
      event: 'refused',
      reason: 'response-type.unsupported',
      route: 'authorize',
      client,
    })
  })

  test('A17 no code_challenge', async () => {
    await expectRedirectError({ code_challenge: null }, 'invalid_request')
    await expectRedirectError({ code_challenge: null, code_challenge_method: null }, 'invalid_request')
  })

  test.each(['plain', null, 's256', 'S512', 'S256 '])('A18 code_challenge_method %j', async (method) => {
    await expectRedirectError({ code_challenge_method: method }, 'invalid_request')
  })

  test.each([
    'x'.repeat(42),
    'x'.repeat(44),
    `${'x'.repeat(42)}=`,
    `${'x'.repeat(42)}+`,
    `${'x'.repeat(42)}/`,
    `${'x'.repeat(42)}é`,
  ])('A19 malformed challenge %s', async (challenge) => {
    await expectRedirectError({ code_challenge: challenge }, 'invalid_request')
  })

  test.each([
    'no\ttab',
    '"quoted"',
    'x'.repeat(5000),
    Array.from({ length: 500 }, (_, at) => `s${at}`).join(' '),
  ])('A21 malformed scope %.20j', async (scope) => {
    const place = await expectRedirectError({ scope }, 'invalid_scope')
    expect(place.href).not.toContain('quoted')
  })

  test('scopes that do not exist are dropped while others remain', async () => {
    await expectStarted({ scope: 'notes:read no:such openid offline_access' })
    await expectStarted({ scope: 'openid offline_access' })
    await expectRedirectError({ scope: 'no:such' }, 'invalid_scope')
  })

  test('A22 a resource that is not served here', async () => {
    await expectRedirectError({ resource: 'https://other.example/mcp' }, 'invalid_target')
    await expectRedirectError({ resource: 'http://localhost:8765/' }, 'invalid_target')
  })

  test.each(['/notes/mcp', `${notes}#x`, 'http://user@localhost:8765/notes/mcp', 'notes', 'urn:x:y'])(
    'A23 resource %s',
    async (resource) => {
      await expectRedirectError({ resource }, 'invalid_target')
    },
  )

  test('A26 two different resources; two equal ones count as one', async () => {
    await expectRedirectError({ resource: [notes, 'http://localhost:8765/files/mcp'] }, 'invalid_target')
    await expectStarted({ resource: [notes, notes] })
    await expectStarted({ resource: [notes, notes.replace('http://localhost', 'HTTP://LOCALHOST')] })
  })

  test('A27 no resource: the default only where exactly one is served', async () => {
    await expectStarted({ resource: null })
    await expectStarted({ resource: '' })
    const files = { ...notesResource, resource: 'http://localhost:8765/files/mcp' }
    const two = await startWarder({ resources: () => [notesResource, files] })
    const id = await registerClient(two)
    const answer = await two.get(authorizeUrl(two, id, { resource: null }))
    expect(new URL(answer.headers.get('location') ?? '').searchParams.get('error')).toBe('invalid_target')
    const named = await two.get(authorizeUrl(two, id, { resource: files.resource }))
    expect(named.headers.get('location')).toMatch(/^\/authorize\//)
    const none = await startWarder({ resources: () => [] })
    const lost = await none.get(authorizeUrl(none, await registerClient(none), { resource: null }))
    expect(new URL(lost.headers.get('location') ?? '').searchParams.get('error')).toBe('invalid_target')
  })

  test('AS-08 A29 error answers carry iss, byte by byte the issuer of the metadata, and the state unchanged', async () => {
    const metadata = (await (await w.get('/.well-known/oauth-authorization-server')).json()) as Record<
      string,
      unknown
    >
    for (const state of ['s', 'a b+c&d=é"<>', `x`.repeat(2000)]) {
      const place = await expectRedirectError({ response_type: 'token', state }, 'unsupported_response_type')
      expect(place.searchParams.get('iss')).toBe(metadata['issuer'])
      expect(place.searchParams.get('state')).toBe(state)
    }
    const without = await expectRedirectError(
      { response_type: 'token', state: null },
      'unsupported_response_type',
    )
    expect(without.searchParams.has('state')).toBe(false)
    expect(without.searchParams.get('iss')).toBe(w.issuer)
    expect(metadata['authorization_response_iss_parameter_supported']).toBe(true)
  })

  test('A30 prompt=none is answered with interaction_required, and never with a code', async () => {
    await expectRedirectError({ prompt: 'none' }, 'interaction_required')
    await expectRedirectError({ prompt: 'none login' }, 'interaction_required')
    await expectStarted({ prompt: 'consent' })
  })

  test('A31 request objects are refused and request URIs are not fetched', async () => {
    await expectRedirectError({ request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported')
    await expectRedirectError({ request_uri: 'http://169.254.169.254/' }, 'request_uri_not_supported')
    expect(w.fetched).toEqual([])
  })
})

test('A38 the authorization pages are not for CORS', async () => {
  const preflight = await w.server.handle(
    new Request(`${w.issuer}/authorize`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' },
    }),
    { address: '127.0.0.1' },
  )
  expect(preflight.status).toBe(405)
  for (const answer of [
    preflight,
    await w.get(authorizeUrl(w, client)),
    await w.get('/authorize/x'.padEnd(40, 'x')),
  ]) {
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  }
})

test('A33 the request as a form becomes the same request as a query, and nothing else', async () => {
  const query = new URL(authorizeUrl(w, client)).search.slice(1)
  const answer = await w.post('/authorize', query)
  expect(answer.status).toBe(303)
  expect(answer.headers.get('location')).toBe(`/authorize?${query}`)
  expect(answer.headers.get('set-cookie')).toBeNull()
  expect((await w.post('/authorize', `${query}&state=again`)).status).toBe(400)
  // A query would end at a raw `#`.
  const sharp = await w.post('/authorize', `x=a#b&${query}`)
  expect(sharp.headers.get('location')).toBe(`/authorize?x=a%23b&${query}`)
  expect((await w.post('/authorize?client_id=x', query)).status).toBe(400)
})

test('a private scheme is a redirect of its own, and gets its answer after a sign-in', async () => {
  const answer = await register(w, { client_name: 'Editor', redirect_uris: ['cursor://anysphere/cb'] })
  const { client_id: id } = (await answer.json()) as { client_id: string }
  const { browser, page } = await openConsent(w, id, { redirect_uri: 'cursor://anysphere/cb' })
  const { left } = await browser.submit(page, { decision: 'deny' })
  expect(left?.href).toMatch(/^cursor:\/\/anysphere\/cb\?error=access_denied&/)
})
