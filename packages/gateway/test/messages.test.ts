import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  legacy,
  type Message,
  modern,
  modernHeaders,
  searchCall,
  send,
  slow,
  startGateway,
} from './harness.ts'

const mismatch = { status: 400, json: { error: { code: -32020 } } }

test('L01 Mcp-Name must be what the body names', async () => {
  const gw = await startGateway()
  const token = await gw.token({ scope: 'notes:read notes:write' })
  for (const name of ['create_note', 'Search_notes', 'search_notes,create_note', '', undefined]) {
    const answer = await send(gw, { token, body: searchCall, headers: { 'mcp-name': name } })
    expect(answer, String(name)).toMatchObject(mismatch)
  }
  const read = modern('resources/read', { uri: 'notes:///a' })
  expect(await send(gw, { token, body: read, headers: { 'mcp-name': 'notes:///b' } })).toMatchObject(mismatch)
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await gw.decisions()).map((record) => record.reason)).toEqual(
    Array(6).fill('message.header-mismatch'),
  )
  expect((await send(gw, { token, body: read })).status).toBe(200)
  expect((await send(gw, { token, body: searchCall })).status).toBe(200)
  expect(gw.upstream.hits).toHaveLength(2)
})

test('L02 Mcp-Method must be the method of the body', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  for (const method of ['tools/list', 'TOOLS/CALL', 'tools/call, tools/call', undefined]) {
    const answer = await send(gw, { token, body: searchCall, headers: { 'mcp-method': method } })
    expect(answer, String(method)).toMatchObject(mismatch)
  }
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await send(gw, { token, body: searchCall })).status).toBe(200)
})

test('L03 MCP-Protocol-Version must be the version of the body', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  for (const version of ['2025-11-25', '2026-07-29', undefined]) {
    const answer = await send(gw, { token, body: searchCall, headers: { 'mcp-protocol-version': version } })
    expect(answer, String(version)).toMatchObject(mismatch)
  }
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await send(gw, { token, body: searchCall })).status).toBe(200)
})

test.each(['mcp-name', 'mcp-method', 'mcp-protocol-version', 'mcp-param-region'])(
  'L05 %s sent twice is refused, the same value or another, or joined by a comma',
  async (header) => {
    const gw = await startGateway()
    const token = await gw.token()
    const value = modernHeaders(searchCall)[header] ?? 'eu'
    for (const twice of [
      [value, value],
      [value, 'other'],
    ]) {
      const answer = await send(gw, { token, body: searchCall, headers: { [header]: twice } })
      expect(answer).toMatchObject(mismatch)
    }
    if (header !== 'mcp-param-region') {
      const joined = await send(gw, {
        token,
        body: searchCall,
        headers: { [header]: `${value}, ${value}` },
      })
      expect(joined).toMatchObject(mismatch)
    }
    expect(gw.upstream.hits).toHaveLength(0)
    const once = await send(gw, { token, body: searchCall, headers: { [header]: value } })
    expect(once.status).toBe(200)
    expect(gw.upstream.hits[0]!.headers[header]).toBe(value)
  },
)

test('GW-32 GW-42 L08 an older or missing version does not switch the checks off, and the body decides', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const call = legacy('tools/call', { name: 'search_notes', arguments: {} })
  for (const version of [undefined, '2025-11-25', '2025-03-26']) {
    for (const headers of [{ 'mcp-name': 'create_note' }, { 'mcp-method': 'tools/list' }]) {
      const answer = await send(gw, {
        token,
        body: call,
        headers: { 'mcp-protocol-version': version, ...headers },
      })
      expect(answer).toMatchObject(mismatch)
    }
  }
  const denied = await send(gw, {
    token,
    body: legacy('tools/call', { name: 'create_note' }),
    headers: { 'mcp-protocol-version': '2025-11-25' },
  })
  expect(denied.status).toBe(403)
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await send(gw, { token, body: call, headers: { 'mcp-name': 'search_notes' } })).status).toBe(200)
})

test('L06 an encoded name is decoded once and then compared with the body', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const encode = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`
  const named = (name: string): ReturnType<typeof send> =>
    send(gw, { token, body: searchCall, headers: { 'mcp-name': name } })
  const right = encode('search_notes')
  for (const name of [
    encode('create_note'),
    encode(right),
    right.replace('base64', 'BASE64'),
    right.replace('?=', '=?='),
    right.replace('c2', 'c 2'),
    encode('search_notes\r\nx: y'),
    '=?base64?!?=',
  ])
    expect(await named(name), name).toMatchObject(mismatch)
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await named(right)).status).toBe(200)
  expect(gw.upstream.hits[0]!.headers['mcp-name']).toBe(right)
})

test('L07 GW-36 Mcp-Param headers go on untouched where they can be read, and decide nothing', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const values = ['eu', '42', '42.0', '-0', '9007199254740993', 'True', 'create_note', '=?base64?ZXU=?=']
  for (const value of values) {
    const headers = { 'mcp-param-region': value, 'mcp-param-name': 'delete_everything' }
    expect((await send(gw, { token, body: searchCall, headers })).status).toBe(200)
    expect(gw.upstream.hits.at(-1)!.headers).toMatchObject(headers)
    // The same headers beside a tool that is denied open nothing.
    const denied = modern('tools/call', { name: 'delete_everything' })
    expect((await send(gw, { token, body: denied, headers })).json.error.code).toBe(-32602)
  }
  expect(gw.upstream.hits).toHaveLength(values.length)
  for (const value of ['=?base64?!?=', '\u00e9']) {
    const answer = await send(gw, { token, body: searchCall, headers: { 'mcp-param-region': value } })
    expect(answer).toMatchObject(mismatch)
  }
})

test('L09 GW-22 a version that nobody speaks is refused with those that are spoken', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  for (const version of ['1900-01-01', '2026-07-29', '2024-11-05', '2026-07-28, 2025-11-25', 'latest']) {
    const headers = { 'mcp-protocol-version': version }
    const answer = await send(gw, { token, body: legacy('tools/list'), headers })
    expect(answer, version).toMatchObject({ status: 400, json: { error: { code: -32022 } } })
    expect(answer.json.error.data.supported).toContain('2026-07-28')
  }
  const inBody = JSON.stringify(searchCall).replace('"2026-07-28"', '["2026-07-28"]')
  expect((await send(gw, { token, body: inBody })).json.error.code).toBe(-32022)
  expect(gw.upstream.hits).toHaveLength(0)
  for (const version of ['2025-11-25', '2025-06-18', '2025-03-26', ' 2025-11-25 ']) {
    const headers = { 'mcp-protocol-version': version }
    expect((await send(gw, { token, body: legacy('ping'), headers })).status).toBe(200)
  }
})

test('L29 a body that is deep, or has very many members, is refused before anything looks into it', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const withArguments = (text: string): string =>
    JSON.stringify(searchCall).replace('{"text":"x"}', () => text)
  const members = (count: number): string =>
    `{${Array.from({ length: count }, (_, index) => `"${index}":0`).join(',')}}`
  const headers = modernHeaders(searchCall)
  for (const text of [`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, members(300_000)]) {
    const answer = await send(gw, { token, body: withArguments(text), headers })
    expect(answer.status).toBe(400)
  }
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await send(gw, { token, body: withArguments(members(1000)), headers })).status).toBe(200)
})

test('M01 batches are refused whatever they hold, and nothing in them runs', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const denied = modern('tools/call', { name: 'delete_everything' })
  for (const batch of [[searchCall], [searchCall, denied], [[searchCall]], []]) {
    const answer = await send(gw, {
      token,
      body: JSON.stringify(batch),
      headers: modernHeaders(searchCall),
    })
    expect(answer).toMatchObject({ status: 400, json: { id: null, error: { code: -32600 } } })
  }
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await send(gw, { token, body: searchCall })).status).toBe(200)
})

test('M02 a key that stands twice is refused at any depth and in any spelling', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const text = JSON.stringify(searchCall)
  const bodies = [
    text.replace('"method"', '"method":"tools/list","method"'),
    text.replace('"params"', '"params":{},"params"'),
    text.replace('"name"', '"name":"delete_everything","name"'),
    text.replace('"name"', '"n\\u0061me":"delete_everything","name"'),
    text.replace('"text"', '"text":"y","text"'),
  ]
  for (const body of bodies) {
    const answer = await send(gw, { token, body, headers: modernHeaders(searchCall) })
    expect(answer, body).toMatchObject({ status: 400, json: { id: null, error: { code: -32700 } } })
  }
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await send(gw, { token, body: text, headers: modernHeaders(searchCall) })).status).toBe(200)
})

test('M04 whatever is accepted, the upstream gets the very same bytes', slow, async () => {
  const gw = await startGateway()
  const token = await gw.token({ scope: 'notes:read notes:write' })
  const params = `"name":"search_notes","_meta":${JSON.stringify((searchCall['params'] as Message)['_meta'])}`
  let accepted = 0
  const space = fc.constantFrom('', ' ', '\n', '\t ', '\r\n')
  const text = fc.tuple(space, fc.json({ depthSize: 'small' }), space, fc.constantFrom('1', '"a"', '-7'))
  await fc.assert(
    fc.asyncProperty(text, fc.string({ unit: 'binary' }), async ([before, args, after, id], word) => {
      const argumentsText = `{"a":${args},${before}"b":${JSON.stringify(word)}}`
      const body = Buffer.from(
        `${before}{"id":${id},${after}"params":{"arguments":${argumentsText},${params}},"jsonrpc":"2.0","method":"tools/call"}${after}`,
      )
      const hitsBefore = gw.upstream.hits.length
      const answer = await send(gw, { token, body, headers: modernHeaders(searchCall) })
      const hits = gw.upstream.hits.slice(hitsBefore)
      if (answer.status === 200) {
        accepted += 1
        expect(hits).toHaveLength(1)
        expect(hits[0]!.body.equals(body)).toBe(true)
      } else {
        expect(answer.status).toBe(400)
        expect(hits).toHaveLength(0)
      }
    }),
    { numRuns: 60 },
  )
  expect(accepted).toBeGreaterThan(10)
})

test('M05 names of object members that every object has are names like others', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":${JSON.stringify(name)},"arguments":{"__proto__":{"name":"search_notes"}}}}`
    const answer = await send(gw, { token, body })
    expect(answer, name).toMatchObject({ status: 200, json: { error: { code: -32602 } } })
  }
  const unnamed =
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"__proto__":{"name":"search_notes"}}}'
  expect(await send(gw, { token, body: unnamed })).toMatchObject({
    status: 400,
    json: { error: { code: -32602 } },
  })
  expect(gw.upstream.hits).toHaveLength(0)
  const body =
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_notes","arguments":{"__proto__":{"polluted":1}}}}'
  expect((await send(gw, { token, body })).status).toBe(200)
  expect(gw.upstream.hits[0]!.body.toString()).toBe(body)
  expect(Reflect.get({}, 'polluted')).toBeUndefined()
})

test('M09 a tool name is compared code point by code point; every other spelling is an unknown tool', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const unknown = await send(gw, { token, body: legacy('tools/call', { name: 'no_such_tool' }) })
  const spellings = [
    'Search_notes',
    'search_notes ',
    ' search_notes',
    'search_n\u043etes',
    'search_notes\u200b',
    'ｓearch_notes',
    'search%5fnotes',
    'se\u0061\u0301rch_notes',
    'search_notes\0',
    'x'.repeat(129),
  ]
  for (const name of spellings) {
    const answer = await send(gw, { token, body: legacy('tools/call', { name }) })
    expect(answer.status, name).toBe(unknown.status)
    expect(answer.json.error.code).toBe(unknown.json.error.code)
    expect(answer.json.error.message).toMatch(/^Unknown tool: /)
  }
  expect(gw.upstream.hits).toHaveLength(0)
  const known = await send(gw, { token, body: legacy('tools/call', { name: 'search_notes' }) })
  expect(known.json.result).toBeDefined()
  expect(gw.upstream.hits).toHaveLength(1)
})

test('M10 methods that are not on the list do not exist', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const methods = [
    'tools/execute',
    'tools/call/',
    'Tools/Call',
    'rpc.discover',
    'vendor/do',
    'tasks/get',
    'sampling/createMessage',
    '',
    '__proto__',
    'x'.repeat(10_000),
  ]
  for (const method of methods) {
    const answer = await send(gw, { token, body: legacy(method) })
    expect(answer, method.slice(0, 20)).toMatchObject({
      status: 404,
      json: { id: 1, error: { code: -32601 } },
    })
  }
  expect(await send(gw, { token, body: modern('initialize') })).toMatchObject({
    status: 404,
    json: { error: { code: -32601 } },
  })
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await send(gw, { token, body: legacy('ping') })).status).toBe(200)
})

test('M11 a tool is called with an id or not at all', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const { id: _, ...withoutId } = searchCall
  const bodies: Message[] = [
    withoutId,
    ...[null, [], {}, 1.5, true, 'x'.repeat(1_000_000)].map((id) => ({ ...searchCall, id })),
  ]
  for (const body of bodies) {
    const answer = await send(gw, { token, body, headers: modernHeaders(searchCall) })
    expect(answer.status, JSON.stringify(body).slice(0, 60)).toBe(400)
  }
  expect(gw.upstream.hits).toHaveLength(0)
  for (const id of [0, 'a', -1]) {
    expect((await send(gw, { token, body: { ...searchCall, id } })).json.id).toBe(id)
  }
})

test('M13 a message is a request or a notification, and a response only where the server may have asked', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const both = { ...searchCall, result: {} }
  expect(await send(gw, { token, body: both, headers: modernHeaders(searchCall) })).toMatchObject({
    status: 400,
    json: { error: { code: -32600 } },
  })
  const response = { jsonrpc: '2.0', id: 1, result: {} }
  const headers = { 'mcp-protocol-version': '2026-07-28' }
  expect(await send(gw, { token, body: response, headers })).toMatchObject({
    status: 400,
    json: { error: { code: -32600 } },
  })
  const older = { 'mcp-protocol-version': '2025-11-25' }
  expect((await send(gw, { token, body: response, headers: older })).status).toBe(400)
  const foreign = { ...older, 'mcp-session-id': 'A'.repeat(60) }
  expect((await send(gw, { token, body: response, headers: foreign })).status).toBe(404)
  expect(gw.upstream.hits).toHaveLength(0)
})

test('M14 params are an object, and what the revision wants in them is there', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  for (const params of [[], 'x', null, 1]) {
    const answer = await send(gw, { token, body: { jsonrpc: '2.0', id: 1, method: 'tools/list', params } })
    expect(answer).toMatchObject({ status: 400, json: { error: { code: -32602 } } })
  }
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: meta } }
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }
  expect(await send(gw, { token, body, headers })).toMatchObject({
    status: 400,
    json: { error: { code: -32602 } },
  })
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await send(gw, { token, body: modern('tools/list') })).status).toBe(200)
})

test('GW-05 a notification passes, and is answered as the upstream answers it', async () => {
  const gw = await startGateway()
  const answer = await send(gw, {
    token: await gw.token(),
    body: { jsonrpc: '2.0', method: 'notifications/initialized' },
  })
  expect(answer).toMatchObject({ status: 202, text: '' })
  expect(gw.upstream.hits).toHaveLength(1)
})

test('GW-57 a stranger is told to sign in before anything of the message is looked at', async () => {
  const gw = await startGateway()
  for (const body of ['not json', JSON.stringify([searchCall]), JSON.stringify(legacy('no/such/method'))]) {
    const answer = await send(gw, { body })
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('resource_metadata=')
    expect(answer.headers['www-authenticate']).not.toContain('error=')
  }
  expect((await send(gw, { body: '{}', headers: { 'content-type': 'text/plain' } })).status).toBe(401)
  expect(gw.upstream.hits).toHaveLength(0)
  const token = await gw.token()
  expect((await send(gw, { token, body: 'not json' })).status).toBe(400)
  expect((await send(gw, { token, body: searchCall })).status).toBe(200)
})
