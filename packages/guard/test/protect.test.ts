import { type ProtectLogEntry, type ProtectOptions, protect, protectCalls } from '@warder/guard'
import { readChallenges } from '@warder/protocol'
import { describe, expect, it } from 'vitest'
import {
  call,
  endpoint,
  issuer,
  makeGuard,
  metadataUrl,
  policy,
  post,
  postModern,
  request,
  resource,
  signer,
} from './fixture.ts'
import { denied, mcp, messageOf, reached } from './notes-server.ts'

const token = await signer.sign()
const writeToken = await signer.sign({ scope: 'notes:read notes:write', jti: 'token-2' })
let seen: Request[] = []

function serve(options: ProtectOptions = {}, guard = makeGuard()) {
  return protect(
    guard,
    async (incoming) => {
      seen.push(incoming.clone() as Request)
      return mcp.fetch(incoming)
    },
    options,
  )
}

const challengeOf = (response: Response) =>
  Object.fromEntries(readChallenges(response.headers.get('www-authenticate') ?? '')[0]?.params ?? [])

describe('G01 G40 GW-57 without a token', () => {
  const expected = `Bearer resource_metadata="${metadataUrl}", scope="notes:read"`
  it.each(['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'HEAD'])(
    'G01 %s is 401 with a constant challenge and no error',
    async (method) => {
      const body = method === 'GET' || method === 'HEAD' ? {} : { body: '{}' }
      const response = await serve()(new Request(resource, { method, ...body }))
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, expected])
    },
  )
  it.each([
    '/',
    '/notes/mcp',
    '/notes/mcp/',
    '/admin',
    '/healthz',
    '/notes/mcp/../../x',
    '/.well-known/openid-configuration',
    '/error',
  ])('G40 RS-16 RS-36 the path %s is 401 too, before anything is processed', async (path) => {
    seen = []
    const response = await serve()(new Request(new URL(path, resource)))
    expect([response.status, seen.length]).toEqual([401, 0])
  })
  it.each<[string, unknown]>([
    ['broken JSON', '{'],
    ['a batch', '[]'],
    ['an unknown method', request('admin/reset')],
    ['a denied tool', call('wipe_disk')],
    ['an allowed tool', call('search_notes')],
    ['server/discover', request('server/discover')],
  ])('GW-57 GW-61 %s is 401, and says nothing about methods or tools', async (_, body) => {
    const response = await serve()(post(body, { headers: { 'mcp-method': 'tools/list' } }))
    expect(response.status).toBe(401)
    expect(await response.text()).not.toMatch(/tool|method/i)
  })
})

describe('G29 G30 G35 where the token is', () => {
  const list = request('tools/list')
  const status = async (headers: Record<string, string>, url = resource) =>
    (await serve()(post(list, { headers, url }))).status
  it('G30 only the case of the scheme is free', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      expect(await status({ authorization: `${scheme} ${token}` })).toBe(200)
    for (const value of [
      `Bearer\t${token}`,
      `Bearer  ${token}`,
      `Bearer${token}`,
      `Basic ${token}`,
      token,
      'Bearer',
      'Bearer ',
      `Bearer ${token}, Bearer ${token}`,
      `Bearer ${token} x`,
      `Bearer "${token}"`,
    ]) {
      expect([value.slice(0, 9), await status({ authorization: value })]).toEqual([value.slice(0, 9), 401])
    }
  })
  it('G29 a token in query, cookie or body is never accepted, and beside the header it is 400', async () => {
    const inQuery = `${resource}?access_token=${token}`
    expect(await status({}, inQuery)).toBe(400)
    expect(await status({ authorization: `Bearer ${token}` }, inQuery)).toBe(400)
    expect(await status({ authorization: `Bearer ${token}` }, `${resource}?access%5Ftoken=${token}`)).toBe(
      400,
    )
    expect(await status({ cookie: `access_token=${token}` })).toBe(401)
    expect((await serve()(post({ ...list, access_token: token }))).status).toBe(401)
    const form = new Request(resource, { method: 'POST', body: new URLSearchParams({ access_token: token }) })
    expect((await serve()(form)).status).toBe(401)
  })
  it('G29 neither token nor arguments are in a log entry', async () => {
    const entries: ProtectLogEntry[] = []
    const log = { log: (entry: ProtectLogEntry) => void entries.push(entry) }
    await serve(log)(post(list, { url: `${resource}?access_token=${token}` }))
    await serve(log)(post(list, { token: `${token}x` }))
    await serve(log)(post(call('create_note'), { token }))
    await serve(log)(post(call('search_notes', { text: 'argument-canary' }), { token }))
    expect(entries.map((entry) => entry.outcome)).toEqual(['refused', 'refused', 'locked', 'open'])
    const logged = JSON.stringify(entries)
    for (const part of [...token.split('.'), 'argument-canary']) expect(logged).not.toContain(part)
    expect(entries[3]).toMatchObject({
      call: { kind: 'tool', name: 'search_notes' },
      because: expect.any(String),
    })
  })
  it.each(['Bearer %', 'Bearer %00', 'Bearer é', 'Bearer ..', 'Bearer {}', `Bearer ${'.'.repeat(5000)}`])(
    'G35 %j is 401, not a crash',
    async (authorization) => {
      expect(await status({ authorization })).toBe(401)
    },
  )
  it('G33 nothing of the token comes back', async () => {
    const response = await serve()(post(list, { token: 'evil-canary.evil-canary.evil-canary' }))
    const text = await response.text()
    expect(JSON.stringify([text, [...response.headers]])).not.toContain('evil-canary')
    expect(challengeOf(response)['error']).toBe('invalid_token')
  })
})

describe('G34 RS-03 RS-04 metadata', () => {
  const get = (path: string, method = 'GET') => serve()(new Request(new URL(path, resource), { method }))
  it.each(['/.well-known/oauth-protected-resource/notes/mcp', '/.well-known/oauth-protected-resource'])(
    'RS-04 %s is public',
    async (path) => {
      const response = await get(path)
      expect(response.status).toBe(200)
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      expect(await response.json()).toMatchObject({ resource, authorization_servers: [issuer] })
      expect((await get(path, 'HEAD')).status).toBe(200)
      expect((await get(path, 'OPTIONS')).status).toBe(204)
      const posted = await get(path, 'POST')
      expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
    },
  )
  it.each([
    '/.well-known/oauth-protected-resource/',
    '/.well-known/oauth-protected-resource/other',
    '/.well-known/oauth-protected-resource/notes/mcp/',
    '/.well-known/oauth-protected-resource/Notes/mcp',
  ])('G34 %s is 404', async (path) => {
    expect((await get(path)).status).toBe(404)
  })
})

describe('a real MCP server behind the guard', () => {
  it('RS-34 RS-39 N03 tools/list shows open and locked tools only, in both eras', async () => {
    for (const sent of [
      post(request('tools/list'), { token }),
      postModern(request('tools/list'), { token }),
    ]) {
      const response = await serve()(sent)
      const { text, message } = await messageOf(response)
      expect(response.status).toBe(200)
      expect(message.result.tools.map((tool: { name: string }) => tool.name)).toEqual([
        'search_notes',
        'create_note',
      ])
      expect(message.result.cacheScope).toBe('private')
      expect(text).not.toMatch(denied)
    }
  })
  it('N03 prompts, resources, server/discover and initialize name nothing that is hidden', async () => {
    for (const method of ['prompts/list', 'resources/list', 'resources/templates/list', 'server/discover']) {
      const { text, message } = await messageOf(await serve()(postModern(request(method), { token })))
      expect(message.result, method).toBeDefined()
      expect(message.result.cacheScope, method).toBe('private')
      expect(text).not.toMatch(denied)
    }
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'c', version: '1' },
    }
    const { message } = await messageOf(await serve()(post(request('initialize', params), { token })))
    expect(message.result.instructions).toBe('Use search_notes.')
  })
  it('RS-14 RS-17 an allowed call reaches the server with the same bytes and without the token', async () => {
    reached.length = 0
    seen = []
    const body =
      '{ "jsonrpc":"2.0", "id":"q-1", "method":"tools/call", "params":{"name":"search_notes","arguments":{"text":"\\u00e9"}} }'
    const { message } = await messageOf(await serve()(post(body, { token })))
    expect(message).toMatchObject({ id: 'q-1', result: { content: [{ text: 'search_notes done' }] } })
    expect(reached).toEqual(['search_notes'])
    expect(await seen[0]?.text()).toBe(body)
    expect(seen[0]?.headers.get('authorization')).toBeNull()
  })
  it('RS-21 a locked call is 403, does not reach the server, and passes with the wider token', async () => {
    reached.length = 0
    const handle = serve()
    const response = await handle(postModern(call('create_note'), { token }))
    expect(response.status).toBe(403)
    expect(challengeOf(response)).toMatchObject({
      error: 'insufficient_scope',
      scope: 'notes:write',
      resource_metadata: metadataUrl,
    })
    expect(await response.json()).toMatchObject({ id: 1, error: { code: expect.any(Number) } })
    expect(reached).toEqual([])
    expect((await handle(postModern(call('create_note'), { token: writeToken }))).status).toBe(200)
    expect(reached).toEqual(['create_note'])
  })
  const names = [
    'wipe_disk',
    'unlisted_tool',
    'no_such_tool',
    'Search_notes',
    'search_notes ',
    'ｓearch_notes',
    'sеarch_notes',
    'search_notes\u200b',
    'search%5Fnotes',
    '__proto__',
    'x'.repeat(129),
  ]
  it.each(names)('M09 N03 the tool %j is unknown, whether the server has it or not', async (name) => {
    reached.length = 0
    const response = await serve()(post(call(name), { token }))
    expect(await response.json()).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32602, message: `Unknown tool: ${name}` },
    })
    expect(reached).toEqual([])
  })
  it('RS-27 each request stands for itself', async () => {
    const handle = serve()
    const statuses = []
    for (const sent of [{ token }, {}, { token }, { token: `${token}A` }])
      statuses.push((await handle(post(call('search_notes'), sent))).status)
    expect(statuses).toEqual([200, 401, 200, 401])
  })
  it('GW-64 resources are decided by their URI, subscriptions too', async () => {
    const read = async (uri: string) =>
      (await messageOf(await serve()(postModern(request('resources/read', { uri }), { token })))).message
    expect((await read('notes:///public/1')).result.cacheScope).toBe('private')
    expect((await read('notes:///secret/1')).error.code).toBe(-32602)
    const listen = (...resourceSubscriptions: readonly string[]) =>
      serve()(
        postModern(
          request('subscriptions/listen', {
            notifications: { toolsListChanged: true, resourceSubscriptions },
          }),
          { token },
        ),
      )
    seen = []
    const stream = await listen('notes:///public/1', 'notes:///drafts/1', 'notes:///secret/1')
    const { params } = (await seen[0]!.json()) as { params: { notifications: object } }
    expect(params.notifications).toEqual({
      toolsListChanged: true,
      resourceSubscriptions: ['notes:///public/1'],
    })
    const reader = stream.body!.getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('acknowledged')
    mcp.notify.toolsChanged()
    expect(new TextDecoder().decode((await reader.read()).value)).toContain(
      'notifications/tools/list_changed',
    )
    await reader.cancel()
  })
})

describe('a handler of calls', () => {
  it('RS-14 RS-17 gets the message that was read, and a request without the token where it asks for one', async () => {
    const said: unknown[] = []
    const handle = protectCalls(makeGuard(), async ({ principal, message, header, request: make }) => {
      const names = ['Authorization', 'authorization', 'Content-Type', 'x-none']
      said.push(principal.user.subject, message, ...names.map(header))
      const made = make()
      said.push(made === make(), await made.text(), made.headers.get('authorization'), made.method)
      return Response.json({ jsonrpc: '2.0', id: 1, result: {} })
    })
    const sent = call('search_notes', { text: 'é' })
    expect((await handle(post(sent, { token }))).status).toBe(200)
    expect(said).toEqual([
      ...['user-1', sent, undefined, undefined, 'application/json', undefined],
      ...[true, JSON.stringify(sent), null, 'POST'],
    ])
  })
  it('RS-21 M09 is not asked about what is locked or hidden, and its lists are filtered', async () => {
    let asked = 0
    const handle = protectCalls(makeGuard(), async () => {
      asked += 1
      return Response.json({
        jsonrpc: '2.0',
        id: 1,
        result: { tools: [{ name: 'search_notes' }, { name: 'wipe_disk' }] },
      })
    })
    for (const name of ['create_note', 'wipe_disk']) await handle(post(call(name), { token }))
    expect(asked).toBe(0)
    const text = await (await handle(post(request('tools/list'), { token }))).text()
    expect([asked, text.includes('search_notes'), text.includes('wipe_disk')]).toEqual([1, true, false])
  })
})

describe('what the guard does not let through', () => {
  const status = async (sent: Request, options?: ProtectOptions) => (await serve(options)(sent)).status
  it.each<[string, number, unknown, Record<string, string>?]>([
    ['M01 a batch', 400, [call('search_notes'), call('wipe_disk')]],
    [
      'M02 a key twice',
      400,
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_notes","n\\u0061me":"wipe_disk"}}',
    ],
    ['M03 an odd member', 400, { ...call('search_notes'), Method: 'x' }],
    ['M10 an unknown method', 404, request('admin/reset')],
    [
      'M11 a call without id',
      400,
      { jsonrpc: '2.0', method: 'tools/call', params: { name: 'search_notes' } },
    ],
    ['a form', 415, call('search_notes'), { 'content-type': 'application/x-www-form-urlencoded' }],
    [
      'L11 half a quotation',
      415,
      call('search_notes'),
      { 'content-type': 'application/json; charset="utf-8' },
    ],
    ['no JSON', 400, 'hello'],
    ['BOM', 400, `\ufeff${JSON.stringify(call('search_notes'))}`],
    ['GW-29 another tool in the header', 400, call('search_notes'), { 'mcp-name': 'create_note' }],
    ['GW-29 another method in the header', 400, call('search_notes'), { 'mcp-method': 'tools/list' }],
  ])('%s is %d and reaches nothing', async (_, expected, body, headers = {}) => {
    seen = []
    expect(await status(post(body, { token, headers }))).toBe(expected)
    expect(seen).toEqual([])
  })
  it('a body that is too large is 413', async () => {
    expect(await status(post(call('search_notes'), { token }), { maxBodyBytes: 20 })).toBe(413)
  })
  it('G41 a body that somebody has read is refused, not taken for an empty one', async () => {
    const sent = post(call('search_notes'), { token })
    await sent.text()
    expect(await status(sent)).toBe(500)
    const empty = new Request(resource, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    })
    expect(await status(empty)).toBe(400)
  })
  it('GW-02 OT-12 hosts and origins that are not allowed are refused', async () => {
    const list = request('tools/list')
    expect(await status(post(list, { token, url: 'https://evil.example/notes/mcp' }))).toBe(421)
    expect(
      await status(post(list, { token, url: 'https://alias.example/x' }), {
        allowedHosts: ['alias.example'],
      }),
    ).toBe(200)
    const origin = (value: string) => post(list, { token, headers: { origin: value } })
    expect(await status(origin('https://evil.example'))).toBe(403)
    expect(await status(origin('null'))).toBe(403)
    expect(await status(origin('https://mcp.example.com'))).toBe(200)
    const allowed = await serve({ allowedOrigins: ['https://app.example'] })(origin('https://app.example'))
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([
      200,
      'https://app.example',
    ])
  })
  it('a preflight of an allowed origin is answered, any other OPTIONS is 401', async () => {
    const preflight = (origin: string) =>
      new Request(resource, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization, mcp-name',
        },
      })
    const options = { allowedOrigins: ['https://app.example'] }
    const response = await serve(options)(preflight('https://app.example'))
    expect([response.status, response.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'authorization, mcp-name',
    ])
    expect((await serve(options)(preflight('https://evil.example'))).status).toBe(403)
    expect((await serve(options)(new Request(resource, { method: 'OPTIONS' }))).status).toBe(401)
  })
  it('who has no row in the policy gets 403, for lists and streams too', async () => {
    const stranger = makeGuard({ findUser: () => ({ names: ['stranger'], groups: [] }) })
    expect((await serve({}, stranger)(post(request('tools/list'), { token }))).status).toBe(403)
    expect(
      (await serve({}, stranger)(new Request(resource, { headers: { authorization: `Bearer ${token}` } })))
        .status,
    ).toBe(403)
  })
  it('N02 an answer that cannot be filtered is 502', async () => {
    const answers = [
      new Response('{"tools":["wipe_disk"]', { headers: { 'content-type': 'application/json' } }),
      new Response('<p>wipe_disk</p>', { headers: { 'content-type': 'text/html' } }),
      new Response('data: wipe_disk\n\n', { headers: { 'content-type': 'text/event-stream' } }),
    ]
    for (const answer of answers) {
      const response = await protect(makeGuard(), async () => answer)(post(request('tools/list'), { token }))
      expect(response.status).toBe(502)
      expect(await response.json()).toMatchObject({ id: 1, error: { code: -32603 } })
    }
  })
  it('a method that no MCP endpoint has is 405, with those that it has', async () => {
    const put = new Request(resource, { method: 'PUT', headers: { authorization: `Bearer ${token}` } })
    const response = await serve()(put)
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST, DELETE'])
  })
  describe('N02 a refusal of the handler that cannot be filtered keeps its status, in words of ours', () => {
    const refused = async (status: number, body: string, headers: Record<string, string> = {}) => {
      const handler = async () =>
        new Response(body, { status, headers: { 'x-own': 'wipe_disk', ...headers } })
      const get = new Request(resource, { headers: { authorization: `Bearer ${token}` } })
      const response = await protect(makeGuard(), handler)(get)
      return { response, text: await response.text() }
    }
    it.each([
      [405, { allow: 'POST' }, 'allow', 'POST'],
      [405, {}, 'allow', 'POST'],
      [405, { allow: 'POST, DELETE' }, 'allow', 'POST, DELETE'],
      [405, { allow: 'wipe_disk' }, 'allow', 'POST'],
      [429, { 'retry-after': '7' }, 'retry-after', '7'],
      [503, { 'retry-after': 'wipe_disk' }, 'retry-after', '5'],
      [404, {}, 'allow', null],
      [400, {}, 'retry-after', null],
      [500, {}, 'allow', null],
    ] as const)('%i with %j', async (status, headers, name, wanted) => {
      const { response, text } = await refused(status, 'wipe_disk', headers)
      expect([response.status, response.headers.get(name)]).toEqual([status, wanted])
      expect(JSON.parse(text)).toMatchObject({ jsonrpc: '2.0', error: { message: expect.any(String) } })
      expect(text + [...response.headers].join()).not.toContain('wipe_disk')
    })
    it.each([401, 403, 407])('%i is none: nobody here could get what the handler wants', async (status) => {
      const { response } = await refused(status, 'wipe_disk', { 'www-authenticate': 'Basic' })
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([502, null])
    })
    it.each([200, 301])('twin: %i, which is no refusal, is 502', async (status) => {
      expect((await refused(status, 'wipe_disk')).response.status).toBe(502)
    })
    it.each([202, 404, 405])('twin: %i without a body passes as it is', async (status) => {
      const { response, text } = await refused(status, '', { 'x-own': 'x', allow: 'POST' })
      expect([response.status, response.headers.get('x-own'), text]).toEqual([status, 'x', ''])
    })
    it('twin: a JSON-RPC error passes as the handler wrote it', async () => {
      const error = { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }
      const { response, text } = await refused(404, JSON.stringify(error), {
        'content-type': 'application/json',
      })
      expect([response.status, JSON.parse(text)]).toEqual([404, error])
    })
    it('twin: a stream without a byte passes as it is', async () => {
      const empty = new ReadableStream<Uint8Array>({
        start: (controller) => {
          controller.enqueue(new Uint8Array())
          controller.close()
        },
      })
      const handler = async () => new Response(empty, { status: 202 })
      const get = new Request(resource, { headers: { authorization: `Bearer ${token}` } })
      expect((await protect(makeGuard(), handler)(get)).status).toBe(202)
    })
    it('is the handler’s own affair in the log; a good answer that cannot be filtered is not', async () => {
      const outcomes = async (status: number): Promise<readonly string[]> => {
        const log: string[] = []
        const options = { log: ({ outcome }: { outcome: string }) => void log.push(outcome) }
        const get = new Request(resource, { headers: { authorization: `Bearer ${token}` } })
        await protect(makeGuard(), async () => new Response('wipe_disk', { status }), options)(get)
        return log
      }
      expect([await outcomes(404), await outcomes(200)]).toEqual([['open'], ['open', 'refused']])
    })
    it('while the policy cannot be read, nothing of the handler’s answer counts', async () => {
      let isBroken = false
      const loaded = (): typeof policy => {
        if (isBroken) throw new Error('no')
        return policy
      }
      const handler = async () => {
        isBroken = true
        const error = { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'wipe_disk' } }
        return Response.json(error, { status: 404 })
      }
      const get = new Request(resource, { headers: { authorization: `Bearer ${token}` } })
      expect((await protect(makeGuard({ policy: loaded }), handler)(get)).status).toBe(503)
    })
    it('the rest of such an answer is not read', async () => {
      let isCancelled = false
      const endless = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(1)),
        cancel: () => {
          isCancelled = true
        },
      })
      const handler = async () => new Response(endless, { status: 404 })
      const get = new Request(resource, { headers: { authorization: `Bearer ${token}` } })
      expect((await protect(makeGuard(), handler)(get)).status).toBe(404)
      expect(isCancelled).toBe(true)
    })
  })
  it('N02 a stream that turns bad ends with an error for the same request', async () => {
    const good = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
    const body = `data: ${good}\n\ndata: {wipe_disk\n\n`
    const handler = async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    const text = await (
      await protect(makeGuard(), handler)(post(request('tools/list', {}, 'q'), { token }))
    ).text()
    expect(text).toContain('"id":"q","error":{"code":-32603')
    expect(text).not.toMatch(denied)
  })
  it('an error of the handler is a 500 without details', async () => {
    const failing = protect(makeGuard(), async () => {
      throw new Error('password=hunter2')
    })
    const response = await failing(post(call('search_notes'), { token }))
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('hunter2')
  })
  it('a revoked token is 401 on the next request', async () => {
    let revoked = false
    const guard = makeGuard({ revocations: { isFresh: () => true, isRevoked: () => revoked } })
    const handle = endpoint(guard)
    expect((await handle(post(call('search_notes'), { token }))).status).toBe(200)
    revoked = true
    expect((await handle(post(call('search_notes'), { token }))).status).toBe(401)
  })
})
