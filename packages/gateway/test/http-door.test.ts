import { randomBytes } from 'node:crypto'
import { createGuard } from '@warder/guard'
import { readPolicy } from '@warder/policy'
import { expect, test } from 'vitest'
import { createGateway, type DecisionLog, type Gateway, httpUpstream, type Route } from '../src/index.ts'
import {
  type Got,
  modernHeaders,
  policyText,
  raw,
  rawRequest,
  searchCall,
  send,
  slow,
  startGateway,
  statuses,
} from './harness.ts'

const body = JSON.stringify(searchCall)

function lines(host: string, token: string, extra: readonly string[] = []): string[] {
  return [
    'POST /notes/mcp HTTP/1.1',
    `Host: ${host}`,
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'MCP-Protocol-Version: 2026-07-28',
    'Mcp-Method: tools/call',
    'Mcp-Name: search_notes',
    ...extra,
  ]
}

test('L10 header names that peers read in another way never count, and broken ones end the connection', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const withoutName = (extra: string): string =>
    rawRequest(
      [...lines(gw.host, token).filter((line) => !line.startsWith('Mcp-Name')), extra, 'Connection: close'],
      body,
    )
  const underscore = await raw(gw, withoutName('Mcp_Name: search_notes'))
  expect(statuses(underscore.text)).toEqual([400])
  expect(underscore.text).toContain('-32020')
  for (const line of ['Mcp-Name : search_notes', 'X: a\r\n folded', 'X: a\0b', 'X(y): z', 'Mcp-Näme: x']) {
    const answer = await raw(gw, withoutName(line))
    expect(statuses(answer.text), line).toEqual([400])
    expect(answer.closed).toBe(true)
  }
  expect(gw.upstream.hits).toHaveLength(0)
  // The twin: next to the real header the other spelling is dropped, and does not travel on.
  const both = await raw(
    gw,
    rawRequest(lines(gw.host, token, ['Mcp_Name: delete_everything', 'Connection: close']), body),
  )
  expect(statuses(both.text)).toEqual([200])
  expect(gw.upstream.hits).toHaveLength(1)
  expect(gw.upstream.hits[0]!.rawHeaders).not.toContain('delete_everything')
})

test.each([
  'text/plain',
  'multipart/form-data; boundary=x',
  'application/json-patch+json',
  'APPLICATION/JSON; charset=utf-16',
  'application/json; charset=utf-8; charset=utf-16',
  undefined,
])('L11 a body of type %s is refused, whatever it holds', async (type) => {
  const gw = await startGateway()
  const answer = await send(gw, {
    token: await gw.token(),
    body: searchCall,
    headers: { 'content-type': type },
  })
  expect(answer.status).toBe(415)
  expect(gw.upstream.hits).toHaveLength(0)
  expect(await gw.decisions()).toMatchObject([{ outcome: 'refused', reason: 'http.content-type' }])
})

test.each(['application/json', 'application/json;charset=UTF-8', 'Application/JSON; charset="utf-8"'])(
  'L11 twin: %s is read',
  async (type) => {
    const gw = await startGateway()
    const answer = await send(gw, {
      token: await gw.token(),
      body: searchCall,
      headers: { 'content-type': type },
    })
    expect(answer.status).toBe(200)
    expect(gw.upstream.hits).toHaveLength(1)
  },
)

test('GW-02 L13 only exactly the allowed origins come in; no origin is fine', async () => {
  const gw = await startGateway({ allowedOrigins: ['https://app.example'] })
  const token = await gw.token()
  for (const origin of [
    'https://evil.example',
    'null',
    'https://app.example.evil',
    'https://app.example:8443',
    'http://app.example',
    'HTTPS://APP.EXAMPLE',
    'https://app.example/',
    '',
  ]) {
    const answer = await send(gw, { token, body: searchCall, headers: { origin } })
    expect(answer.status, origin).toBe(403)
    expect(answer.headers['www-authenticate']).toBeUndefined()
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
  }
  expect(gw.upstream.hits).toHaveLength(0)
  const allowed = await send(gw, { token, body: searchCall, headers: { origin: 'https://app.example' } })
  expect(allowed.status).toBe(200)
  expect(allowed.headers['access-control-allow-origin']).toBe('https://app.example')
  expect(allowed.headers['vary']).toBe('origin')
  expect((await send(gw, { token, body: searchCall })).status).toBe(200)
})

test('L15 preflights are answered for allowed origins only, without credentials and private network access', async () => {
  const gw = await startGateway({ allowedOrigins: ['https://app.example'] })
  const preflight = (origin: string): Promise<Got> =>
    send(gw, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, mcp-param-region, x-evil',
        'access-control-request-private-network': 'true',
      },
    })
  const refused = await preflight('https://evil.example')
  expect(refused.status).toBe(403)
  expect(Object.keys(refused.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  const answer = await preflight('https://app.example')
  expect(answer.status).toBe(204)
  expect(answer.headers['access-control-allow-headers']).toContain('mcp-param-region')
  expect(answer.headers['access-control-allow-headers']).not.toContain('x-evil')
  expect(answer.headers['access-control-allow-credentials']).toBeUndefined()
  expect(answer.headers['access-control-allow-private-network']).toBeUndefined()
  const challenged = await send(gw, { body: searchCall, headers: { origin: 'https://app.example' } })
  expect(challenged.status).toBe(401)
  expect(challenged.headers['access-control-expose-headers']).toContain('WWW-Authenticate')
})

test('L14 only the hosts of the list are served', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  for (const host of [
    `evil.example:${gw.port}`,
    `127.0.0.1.:${gw.port}`,
    `[::1]:${gw.port}`,
    `localhost:${gw.port}`,
    '127.0.0.1',
    `0x7f000001:${gw.port}`,
  ]) {
    const answer = await send(gw, { token, body: searchCall, headers: { host } })
    expect(answer.status, host).toBe(421)
    expect(answer.text).toContain('the address that Warder printed')
  }
  const twice = await raw(
    gw,
    rawRequest(lines(gw.host, token, ['Host: evil.example', 'Connection: close']), body),
  )
  expect(statuses(twice.text)).toEqual([400])
  const metadata = '/.well-known/oauth-protected-resource/notes/mcp'
  expect((await send(gw, { method: 'GET', path: metadata, headers: { host: 'evil.example' } })).status).toBe(
    421,
  )
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await send(gw, { token, body: searchCall })).status).toBe(200)
})

test('L18 there is one spelling of the path, and no other one is served', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  for (const path of [
    '//notes/mcp',
    '/./notes/mcp',
    '/notes/../notes/mcp',
    '/notes/mcp/',
    '/notes/mcp/..;/admin',
    '/notes%2fmcp',
    '/notes/%6dcp',
    '/notes/%252e',
    '/notes/mcp;x',
    '/Notes/mcp',
    '/notes/mcp.',
    '/notes\\mcp',
    '/notes/mcp%00',
  ]) {
    const answer = await send(gw, { token, path, body: searchCall })
    expect(answer.status, path).toBe(404)
  }
  const request = lines(gw.host, token, ['Connection: close'])
  const absolute = [`POST http://${gw.host}/notes/mcp HTTP/1.1`, ...request.slice(1)]
  const foreign = ['POST http://evil.example/notes/mcp HTTP/1.1', ...request.slice(1)]
  for (const target of [absolute, foreign]) {
    expect(statuses((await raw(gw, rawRequest(target, body))).text)).toEqual([400])
  }
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await send(gw, { token, path: '/notes/mcp', body: searchCall })).status).toBe(200)
  expect((await send(gw, { token, path: '/notes/mcp?x=y', body: searchCall })).status).toBe(200)
  expect(gw.upstream.hits.map((hit) => hit.url)).toEqual(['/mcp', '/mcp'])
})

test('L19 forwarded headers change nothing: not the path, the host, the peer in the log, nor what the upstream sees', async () => {
  const gw = await startGateway()
  const forged = {
    'x-forwarded-for': '203.0.113.9',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-uri': '/healthz',
    'x-original-url': '/healthz',
    'x-rewrite-url': '/healthz',
    forwarded: 'for=203.0.113.9;host=evil.example',
    'x-real-ip': '203.0.113.9',
  }
  expect((await send(gw, { body: searchCall, headers: forged })).status).toBe(401)
  expect(gw.upstream.hits).toHaveLength(0)
  const answer = await send(gw, { token: await gw.token(), body: searchCall, headers: forged })
  expect(answer.status).toBe(200)
  expect(gw.upstream.hits[0]!.rawHeaders.join()).not.toMatch(/203\.0\.113\.9|evil|healthz|forwarded/i)
  expect(await gw.decisions()).toMatchObject([{ outcome: 'open', peer: '127.0.0.1' }])
})

test('L21 Expect and Upgrade are refused, and no tunnel opens', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  for (const [header, status] of [
    ['Expect: something', 417],
    ['Upgrade: websocket\r\nConnection: Upgrade', 426],
    ['Upgrade: h2c\r\nConnection: Upgrade', 426],
  ] as const) {
    const answer = await raw(gw, rawRequest(lines(gw.host, token, [header]), body), (text) =>
      statuses(text).some((got) => got !== 100),
    )
    expect(statuses(answer.text), header).toEqual([status])
  }
  const patient = await raw(gw, rawRequest(lines(gw.host, token, ['Expect: 100-continue']), body), (text) =>
    statuses(text).some((got) => got !== 100),
  )
  expect(statuses(patient.text).at(-1)).toBe(417)
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await send(gw, { token, body: searchCall })).status).toBe(200)
})

test('L17 HTTP/2 is not spoken, whichever way it is asked for, and nothing behind the question is read', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const call = rawRequest(lines(gw.host, token), body)
  const asks = [
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    rawRequest([
      'GET /notes/mcp HTTP/1.1',
      `Host: ${gw.host}`,
      `Authorization: Bearer ${token}`,
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
    ]),
  ]
  const [preface, upgrade] = await Promise.all(
    asks.map((ask) => raw(gw, ask, (text) => /^HTTP\/1\.1 (?!100)/m.test(text))),
  )
  expect(statuses(preface!.text).every((status) => status === 400 || status === 505)).toBe(true)
  expect(statuses(upgrade!.text)).toEqual([426])
  expect(`${preface!.text}${upgrade!.text}`).not.toContain('101')
  expect(gw.upstream.hits).toHaveLength(0)
  const twin = await raw(gw, call, (text) => text.includes('done'))
  expect(statuses(twin.text)).toEqual([200])
})

test('L26 who sends slowly, or nothing, loses the connection; the others notice nothing', slow, async () => {
  const server = {
    headersTimeout: 2000,
    requestTimeout: 3000,
    keepAliveTimeout: 500,
    connectionsCheckingInterval: 50,
  }
  const gw = await startGateway({ server })
  const token = await gw.token()
  const head = ['POST /notes/mcp HTTP/1.1', `Host: ${gw.host}`, `Authorization: Bearer ${token}`]
  const json = [...head, 'Content-Type: application/json']
  const slowOnes = [
    ...Array.from({ length: 30 }, () => raw(gw, `${head.join('\r\n')}\r\nX-A: `)),
    ...Array.from({ length: 30 }, () => raw(gw, rawRequest([...json, 'Content-Length: 1000'], '{"jsonrpc"'))),
    raw(gw, ''),
  ]
  for (let turn = 0; turn < 5; turn++) {
    expect((await send(gw, { token, body: searchCall })).status).toBe(200)
  }
  const ends = await Promise.all(slowOnes)
  expect(ends.every(({ closed }) => closed)).toBe(true)
  expect(new Set(ends.flatMap(({ text }) => statuses(text)))).toEqual(new Set([408]))
  const idle = await raw(gw, rawRequest(['GET /notes/mcp HTTP/1.1', `Host: ${gw.host}`]))
  expect(statuses(idle.text)).toEqual([401])
  expect(gw.upstream.hits).toHaveLength(5)
})

test('L22 what stands in trailers never counts', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const head = (extra: readonly string[]): string[] => [
    ...lines(gw.host, token).filter((line) => !/^(Authorization|Content-Length)/.test(line)),
    'Transfer-Encoding: chunked',
    'Connection: close',
    ...extra,
  ]
  const chunked = (trailers: string): string =>
    `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n${trailers}\r\n`
  const answer = await raw(
    gw,
    rawRequest(head(['Trailer: Authorization']), chunked(`Authorization: Bearer ${token}\r\n`)),
  )
  expect(statuses(answer.text)).toEqual([401])
  expect(gw.upstream.hits).toHaveLength(0)
  const twin = await raw(
    gw,
    rawRequest(head([`Authorization: Bearer ${token}`]), chunked('Mcp-Name: delete_everything\r\n')),
  )
  expect(statuses(twin.text)).toEqual([200])
  expect(gw.upstream.hits[0]!.headers['mcp-name']).toBe('search_notes')
})

test('L23 a Connection header cannot take headers away from the checks or from the upstream', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const list = 'Connection: close, Authorization, Mcp-Name, Mcp-Method, X-Tenant'
  const wrong = lines(gw.host, token, [list]).map((line) =>
    line.startsWith('Mcp-Name') ? 'Mcp-Name: create_note' : line,
  )
  expect(statuses((await raw(gw, rawRequest(wrong, body))).text)).toEqual([400])
  expect(gw.upstream.hits).toHaveLength(0)
  const right = await raw(gw, rawRequest(lines(gw.host, token, [list, 'X-Tenant: a']), body))
  expect(statuses(right.text)).toEqual([200])
  expect(gw.upstream.hits[0]!.headers).toMatchObject({ 'mcp-name': 'search_notes' })
  expect(gw.upstream.hits[0]!.headers['connection']).toBe('keep-alive')
  expect(gw.upstream.hits[0]!.headers['x-tenant']).toBeUndefined()
})

test('L25 a body over the limit is refused with 413 and the connection closed', slow, async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const padded = JSON.stringify({ ...searchCall, params: { ...(searchCall['params'] as object), pad: '' } })
  const ofSize = (bytes: number): string =>
    padded.replace('"pad":""', `"pad":"${'x'.repeat(bytes - padded.length)}"`)
  const limit = 4 * 1024 * 1024
  const over = await send(gw, {
    token,
    body: ofSize(limit + 1),
    headers: modernHeaders(searchCall),
  })
  expect(over.status).toBe(413)
  expect(over.headers['connection']).toBe('close')
  expect(gw.upstream.hits).toHaveLength(0)
  const fits = await send(gw, { token, body: ofSize(limit), headers: modernHeaders(searchCall) })
  expect(fits.status).toBe(200)
  expect(gw.upstream.hits[0]!.body.length).toBe(limit)
})

test('L25 an endless chunked body is refused with 413 while it is still being sent', slow, async () => {
  const gw = await startGateway()
  const head = lines(gw.host, await gw.token()).filter((line) => !line.startsWith('Content-Length'))
  const chunk = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`
  const answer = await raw(gw, rawRequest([...head, 'Transfer-Encoding: chunked'], chunk.repeat(80)))
  expect(statuses(answer.text)).toEqual([413])
  expect(answer.closed).toBe(true)
  expect(gw.upstream.hits).toHaveLength(0)
})

test('L25 a lying Content-Length does not make bytes of the next request part of this one', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const short = lines(gw.host, token, ['Connection: close']).map((line) =>
    line.startsWith('Content-Length') ? `Content-Length: ${body.length - 5}` : line,
  )
  const answer = await raw(gw, rawRequest(short, body))
  expect(statuses(answer.text)[0]).toBe(400)
  expect(gw.upstream.hits).toHaveLength(0)
})

test.each(['gzip', 'br', 'gzip, gzip', 'unknown', 'identity'])(
  'L27 a body with Content-Encoding %s is refused',
  async (coding) => {
    const gw = await startGateway()
    const token = await gw.token()
    const answer = await send(gw, { token, body: searchCall, headers: { 'content-encoding': coding } })
    expect(answer.status).toBe(415)
    expect(gw.upstream.hits).toHaveLength(0)
    expect((await send(gw, { token, body: searchCall })).status).toBe(200)
  },
)

test('GW-59 L30 each request on a connection needs its own token', async () => {
  const gw = await startGateway()
  const first = rawRequest(lines(gw.host, await gw.token()), body)
  const second = rawRequest(
    lines(gw.host, '', ['Connection: close']).filter((line) => !line.startsWith('Authorization')),
    body,
  )
  const answer = await raw(gw, first + second)
  expect(statuses(answer.text)).toEqual([200, 401])
  expect(gw.upstream.hits).toHaveLength(1)
})

test('GW-43 L31 too many headers, too long headers and too long targets are refused', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x-h${index}`, 'y']))
  expect((await send(gw, { token, body: searchCall, headers: many })).status).toBe(431)
  const long = await raw(gw, rawRequest(lines(gw.host, token, [`X-Long: ${'y'.repeat(65_536)}`]), body))
  expect(statuses(long.text)).toEqual([431])
  const path = `/notes/mcp?${'x'.repeat(8000)}`
  expect((await send(gw, { token, path, body: searchCall })).status).toBe(431)
  expect(gw.upstream.hits).toHaveLength(0)
  const some = Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`x-h${index}`, 'y']))
  expect((await send(gw, { token, body: searchCall, headers: some })).status).toBe(200)
})

test('GET, DELETE and OPTIONS with a body are refused, other methods are not allowed', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  for (const method of ['GET', 'DELETE', 'OPTIONS']) {
    const headers = { 'content-length': '2', 'mcp-session-id': 'x' }
    const answer = await send(gw, { token, method, body: '{}', headers })
    expect(answer.status, method).toBe(400)
    expect(answer.text).toContain('must not have a body')
  }
  for (const method of ['PUT', 'PATCH', 'HEAD', 'TRACE', 'PROPFIND']) {
    const answer = await send(gw, { token, method })
    expect(answer.status, method).toBe(405)
    expect(answer.headers['allow']).toBe('POST, GET, DELETE, OPTIONS')
  }
  expect(gw.upstream.hits).toHaveLength(0)
})

test('a gateway with lists or paths that cannot work does not start, and names all of it', () => {
  const log: DecisionLog = {
    recordDecision: async () => '',
    recordDecisions: async () => [],
    recordOutcome: () => undefined,
    countRefusal: () => undefined,
    digest: () => '',
    close: async () => undefined,
  }
  const secret = randomBytes(32)
  const start = (allowedHosts: string[], allowedOrigins: string[], paths: string[] = []): Gateway =>
    createGateway({ routes: paths.map(routeAt), log, secret, allowedHosts, allowedOrigins })
  expect(() => start([], ['*', 'null', 'https://a.example/path'])).toThrow(
    /\* is not.*null is not.*path is not.*no host/,
  )
  expect(() => start(['a.example'], [], ['/notes/../mcp'])).toThrow('not canonical')
  expect(() => start(['a.example'], [], ['/notes/mcp', '/notes/mcp'])).toThrow('two routes')
  start(['a.example'], ['https://app.example', 'http://localhost:3000'], ['/notes/mcp'])
})

function routeAt(path: string): Route {
  const guard = createGuard({
    resource: `https://a.example${path.replace('..', 'x')}`,
    server: 'notes',
    policy: () => readPolicy(policyText),
    issuer: 'https://issuer.example',
    keys: { jwks: async () => ({ keys: [] }) },
  })
  const upstream = httpUpstream({ url: 'http://127.0.0.1:1/mcp', secret: randomBytes(32) })
  return { path, guard, upstream }
}
