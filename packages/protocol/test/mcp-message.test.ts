import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readMcpMessage } from '../src/index.ts'
import { bytesOf, reasonOf } from './reason-of.ts'

const read = (json: unknown) =>
  readMcpMessage(bytesOf(typeof json === 'string' ? json : JSON.stringify(json)))
const reason = (json: unknown) => reasonOf(() => read(json))
const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { a: 1 } } }

describe('GW-04, OT-07: one message', () => {
  it('M01 reads a request with everything that the policy and the upstream need', () => {
    const bytes = bytesOf(JSON.stringify(call))
    const message = readMcpMessage(bytes)
    expect(message).toEqual({
      kind: 'request',
      id: 1,
      method: 'tools/call',
      params: call.params,
      value: call,
      bytes,
    })
    expect(message.bytes).toBe(bytes)
  })

  it('M11 reads a notification', () => {
    expect(read({ jsonrpc: '2.0', method: 'notifications/initialized' })).toMatchObject({
      kind: 'notification',
    })
  })

  it.each([
    { jsonrpc: '2.0', id: 'a', result: {} },
    { jsonrpc: '2.0', id: 0, error: { code: -1, message: 'no' } },
  ])('OT-07 reads the response %j of an older client', (json) => {
    expect(read(json)).toMatchObject({ kind: 'response', id: json.id, value: json })
  })

  it('GW-21 reads the version from the body', () => {
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
    expect(read({ ...call, params: { ...call.params, _meta } }).version).toBe('2026-07-28')
    expect(read(call).version).toBeUndefined()
  })
})

describe('M01: batches', () => {
  it.each([[[]], [[call]], [[call, call]], [[[call]]]])('M01 refuses %j', (json) => {
    expect(reason(json)).toBe('message.batch')
    expect(reason(call)).toBe('accepted')
  })
})

describe('M02: the same key twice, in a message', () => {
  it.each([
    '{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"},"params":{"name":"b"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","n\\u0061me":"b"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":{"y":1,"y":2}}}}',
  ])('M02 refuses %s', (text) => {
    expect(reason(text)).toBe('message.duplicate-key')
  })
})

describe('M03, M13: members', () => {
  it.each([
    { jsonrpc: '2.0', id: 1, Method: 'tools/list' },
    { jsonrpc: '2.0', id: 1, method: 'tools/list', PARAMS: {} },
    { jsonrpc: '2.0', id: 1, method: 'tools/list', paramſ: {} },
    { jsonrpc: '2.0', id: 1, method: 'tools/list', 'params ': {} },
    { jsonrpc: '2.0', id: 1, ID: 2, method: 'tools/list' },
    { jsonrpc: '2.0', id: 1, method: 'tools/list', extra: 1 },
    { jsonrpc: '2.0', id: 1, method: 'tools/list', meta: {} },
    { jsonrpc: '2.0', id: 1, method: 'tools/list', _meta: {} },
    { jsonrpc: '2.0', id: 1, result: {}, params: {} },
    { JSONRPC: '2.0', id: 1, method: 'tools/list' },
    { jsonrpc: '2.0', 'K\u212a': 1, id: 1, method: 'x' },
  ])('M03 refuses %j', (json) => {
    expect(reason(json)).toBe('message.shape')
  })

  it('M03 M05 refuses __proto__ as a member, and keeps it below', () => {
    expect(reason('{"jsonrpc":"2.0","id":1,"method":"a","__proto__":{}}')).toBe('message.shape')
    expect(reason('{"jsonrpc":"2.0","id":1,"method":"a","params":{"__proto__":{"x":1}}}')).toBe('accepted')
  })

  it.each([
    { jsonrpc: '2.0', id: 1, method: 'tools/list', result: {} },
    { jsonrpc: '2.0', id: 1, method: 'tools/list', error: { code: 1, message: '' } },
    { jsonrpc: '2.0', id: 1, result: {}, error: { code: 1, message: '' } },
    { jsonrpc: '2.0', id: 1 },
    { jsonrpc: '2.0', result: {} },
    { jsonrpc: '2.0', id: null, error: { code: 1, message: '' } },
    { jsonrpc: '2.0', id: 1, error: 'no' },
    { jsonrpc: '2.0', id: 1, error: { code: 'x', message: '' } },
    { jsonrpc: '2.0', id: 1, error: { code: 1 } },
    { jsonrpc: '2.0', id: 1, error: { code: 1, message: 1 } },
    {},
  ])('M13 refuses %j', (json) => {
    expect(reason(json)).toBe('message.shape')
  })

  it.each(['1.0', 2, 2.0, null, undefined, '2.0 ', ['2.0']])('M03 refuses jsonrpc %j', (jsonrpc) => {
    expect(reason({ ...call, jsonrpc })).toBe('message.shape')
  })

  it.each(['null', '"x"', '1', 'true'])('M03 refuses the body %s', (text) => {
    expect(reason(text)).toBe('message.shape')
  })

  it.each([null, 1, {}, ['tools/call']])('M10 refuses method %j', (method) => {
    expect(reason({ ...call, method })).toBe('message.shape')
  })
})

describe('M03: members of params that a reader who folds case takes for others', () => {
  const version = 'io.modelcontextprotocol/protocolVersion'
  const good: Readonly<Record<string, object>> = {
    'tools/call': { name: 'echo', arguments: { a: 1 }, _meta: { progressToken: 'p' } },
    'tools/list': { cursor: 'c' },
    'resources/read': { uri: 'a://b', _meta: { [version]: '2026-07-28' } },
    'completion/complete': {
      ref: { type: 'ref/prompt', name: 'p' },
      argument: { name: 'a', value: 'v' },
      context: { arguments: { A: '1', a: '2' } },
    },
    'subscriptions/listen': { notifications: { toolsListChanged: true, resourceSubscriptions: ['a://b'] } },
    initialize: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
    'notifications/cancelled': { requestId: 1, reason: 'r' },
  }
  const sent = (method: string, params: object) => ({ jsonrpc: '2.0', id: 1, method, params })

  it.each(Object.entries(good))('M03 twin: %s %j', (method, params) => {
    expect(reason(sent(method, params))).toBe('accepted')
  })

  it.each([
    ['tools/call', { Name: 'wipe' }],
    ['tools/call', { NAME: 'wipe' }],
    ['tools/call', { argument\u017f: {} }],
    ['tools/call', { _META: {} }],
    ['tools/call', { 'name\0x': 'wipe' }],
    ['tools/list', { Cursor: '7' }],
    ['resources/read', { URI: 'a://c' }],
    ['resources/read', { ur\u0130: 'a://c' }],
    ['initialize', { ProtocolVersion: '2026-07-28' }],
    ['notifications/cancelled', { requestID: 2 }],
    ['tools/call', { extra: 1, Extra: 2 }],
  ])('M03 refuses %s with %j, beside what is right and alone', (method, more) => {
    expect(reason(sent(method, { ...good[method], ...more }))).toBe('message.params')
    expect(reason(sent(method, { ...more }))).toBe('message.params')
    expect(reason(sent(method, { ...more, other: 2 }))).toBe('message.params')
    expect(reason(sent(method, { ...good[method], extra: 1, other: 2 }))).toBe('accepted')
  })

  it.each([
    ['completion/complete', 'ref', { Name: 'q' }],
    ['completion/complete', 'ref', { Type: 'ref/resource' }],
    ['completion/complete', 'argument', { VALUE: 'w' }],
    ['completion/complete', 'context', { Arguments: {} }],
    ['subscriptions/listen', 'notifications', { ResourceSubscriptions: ['a://c'] }],
    ['tools/call', '_meta', { [version.toUpperCase()]: '2026-07-28' }],
    ['tools/call', '_meta', { ProgressToken: 'q' }],
  ])('M03 refuses %s whose %s has %j', (method, member, more) => {
    const params = good[method] as Record<string, object>
    expect(reason(sent(method, { ...params, [member]: { ...params[member], ...more } }))).toBe(
      'message.params',
    )
    expect(reason(sent(method, { ...params, [member]: { ...params[member], extra: 1 } }))).toBe('accepted')
  })

  it('M03 leaves the names in arguments to the tool, and takes a _meta whose names only look like those of params', () => {
    expect(reason(sent('tools/call', { name: 'a', arguments: { Name: 1, name: 2, \u017f: 3 } }))).toBe(
      'accepted',
    )
    expect(reason(sent('tools/call', { name: 'a', _meta: { Name: 1, URI: 2 } }))).toBe('accepted')
  })

  it('M03 refuses every other spelling of a name of the protocol, wherever it stands', () => {
    const known = ['name', 'uri', 'arguments', 'ref', 'cursor', '_meta', 'notifications', 'type', 'level']
    const twins: Readonly<Record<string, string>> = { s: '\u017f', k: '\u212a' }
    const spelling = fc
      .tuple(fc.constantFrom(...known), fc.array(fc.constantFrom('upper', 'twin', 'same'), { minLength: 13 }))
      .map(([name, how]) =>
        [...name]
          .map((letter, at) => {
            if (how[at] === 'upper') return letter.toUpperCase()
            return how[at] === 'twin' ? (twins[letter] ?? letter) : letter
          })
          .join(''),
      )
      .filter((name) => !known.includes(name))
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(good)), spelling, fc.jsonValue(), (method, name, value) => {
        expect(reason(sent(method, { ...good[method], [name]: value }))).toBe('message.params')
        expect(reason(sent(method, { [name]: value, ...good[method] }))).toBe('message.params')
      }),
      { numRuns: 300 },
    )
  })
})

describe('M11: ids', () => {
  it.each([null, [], {}, [1], true, 1.5, 1e20, 'x'.repeat(1025), 'x'.repeat(1_000_000)])(
    'M11 refuses an id like %j',
    (id) => {
      expect(reason({ ...call, id })).toBe('message.shape')
    },
  )

  it.each([0, -1, 1, Number.MAX_SAFE_INTEGER, '', 'a', '__proto__', 'x'.repeat(1024)])(
    'M11 keeps the id %j',
    (id) => {
      expect(read({ ...call, id }).id).toBe(id)
    },
  )
})

describe('M14: params', () => {
  it.each([[[]], ['x'], [null], [1], [false]])('M14 refuses params %j', (params) => {
    expect(reason({ ...call, params })).toBe('message.params')
  })

  it.each([[[]], ['x'], [null]])('M14 refuses _meta %j', (_meta) => {
    expect(reason({ ...call, params: { name: 'a', _meta } })).toBe('message.params')
  })

  it.each([[['2026-07-28']], [1], [null], [{}]])('L09 refuses the protocol version %j', (version) => {
    const _meta = { 'io.modelcontextprotocol/protocolVersion': version }
    expect(reason({ ...call, params: { name: 'a', _meta } })).toBe('message.version')
  })

  it('M14 accepts no params, empty params and an empty _meta', () => {
    expect(reason({ jsonrpc: '2.0', id: 1, method: 'tools/list' })).toBe('accepted')
    expect(reason({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })).toBe('accepted')
    expect(reason({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: {} } })).toBe('accepted')
  })
})

describe('M04, M07: bytes', () => {
  it('M07 refuses a byte order mark and invalid UTF-8', () => {
    const text = bytesOf(JSON.stringify(call))
    expect(reasonOf(() => readMcpMessage(Uint8Array.of(0xef, 0xbb, 0xbf, ...text)))).toBe('message.not-utf8')
    expect(reasonOf(() => readMcpMessage(Uint8Array.of(...text.subarray(0, -1), 0xff, 0x7d)))).toBe(
      'message.not-utf8',
    )
  })

  it('M04 what was read is what JSON.parse reads from the same bytes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 }), fc.string(), (args, name) => {
        const text = JSON.stringify({ ...call, params: { name, arguments: args } })
        expect(JSON.parse(JSON.stringify(read(text).value))).toEqual(JSON.parse(text))
      }),
      { numRuns: 500 },
    )
  })

  it('M04 throws nothing but refusals for arbitrary and for nearly right bytes', () => {
    const near = fc
      .tuple(fc.nat(), fc.uint8Array({ maxLength: 3 }), fc.nat(3))
      .map(([at, insert, remove]) => {
        const bytes = bytesOf(JSON.stringify(call))
        const start = at % bytes.length
        return Uint8Array.of(...bytes.subarray(0, start), ...insert, ...bytes.subarray(start + remove))
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), near, fc.json().map(bytesOf)), (bytes) => {
        reasonOf(() => readMcpMessage(bytes))
      }),
      { numRuns: 3000 },
    )
  })
})
