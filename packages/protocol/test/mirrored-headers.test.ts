import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkMirroredHeaders,
  checkProtocolVersion,
  type MirroredHeaders,
  Refusal,
  readMcpMessage,
  supportedVersions,
} from '../src/index.ts'
import { bytesOf, reasonOf } from './reason-of.ts'

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}

const message = (method: string, params: object = {}, rest: object = { id: 1 }) =>
  readMcpMessage(bytesOf(JSON.stringify({ jsonrpc: '2.0', ...rest, method, params })))
const modern = (method: string, params: object = {}, _meta: object = meta) =>
  message(method, { ...params, _meta })
const sent = (headers: Partial<MirroredHeaders>): MirroredHeaders => ({ params: new Map(), ...headers })
const reason = (of: ReturnType<typeof message>, headers: Partial<MirroredHeaders>) =>
  reasonOf(() => checkMirroredHeaders(of, sent(headers)))

const call = modern('tools/call', { name: 'echo' })
const right = { version: ['2026-07-28'], method: ['tools/call'], name: ['echo'] }

describe('L01, L02, L03: a header that says something else', () => {
  it('L01 L02 L03 accept headers that agree', () => {
    expect(reason(call, right)).toBe('accepted')
    expect(
      reason(modern('resources/read', { uri: 'file:///a' }), {
        ...right,
        method: ['resources/read'],
        name: ['file:///a'],
      }),
    ).toBe('accepted')
    expect(
      reason(modern('prompts/get', { name: 'p' }), { ...right, method: ['prompts/get'], name: ['p'] }),
    ).toBe('accepted')
    expect(reason(modern('tools/list'), { version: right.version, method: ['tools/list'] })).toBe('accepted')
  })

  it.each(['delete', 'Echo', 'ECHO', 'echo2', 'ech', '', 'echo,echo', 'e cho', '%65cho'])(
    'L01 refuses Mcp-Name %j',
    (name) => {
      expect(reason(call, { ...right, name: [name] })).toBe('message.header-mismatch')
    },
  )

  it('L01 compares Mcp-Name with the uri of resources/read, never with another member', () => {
    const read = modern('resources/read', { uri: 'file:///a', name: 'b' })
    expect(reason(read, { ...right, method: ['resources/read'], name: ['b'] })).toBe(
      'message.header-mismatch',
    )
    expect(reason(read, { ...right, method: ['resources/read'], name: ['file:///a'] })).toBe('accepted')
  })

  it('L01 refuses Mcp-Name where nothing is named', () => {
    expect(reason(modern('tools/list'), { ...right, method: ['tools/list'] })).toBe('message.header-mismatch')
    expect(reason(modern('tools/call', {}), right)).toBe('message.header-mismatch')
    expect(reason(modern('tools/call', { name: ['echo'] }), right)).toBe('message.header-mismatch')
  })

  it('M10 M14 leaves unknown methods and missing names to those who refuse them by their own reason', () => {
    expect(
      reason(modern('tasks/get', { taskId: 'x' }), { ...right, method: ['tasks/get'], name: ['x'] }),
    ).toBe('accepted')
    expect(reason(modern('tools/call'), { version: right.version, method: ['tools/call'] })).toBe('accepted')
  })

  it.each(['tools/list', 'TOOLS/CALL', 'Tools/Call', 'tools/call/', '', '=?base64?dG9vbHMvY2FsbA==?='])(
    'L02 GW-34 refuses Mcp-Method %j',
    (method) => {
      expect(reason(call, { ...right, method: [method] })).toBe('message.header-mismatch')
    },
  )

  it.each(['2025-11-25', '1900-01-01', '2026-07-28x', ''])(
    'L03 refuses MCP-Protocol-Version %j',
    (version) => {
      expect(reason(call, { ...right, version: [version] })).toBe('message.header-mismatch')
    },
  )

  it.each(['version', 'method', 'name'] as const)(
    'GW-29 refuses a request of 2026-07-28 without its %s header',
    (header) => {
      const { [header]: _, ...rest } = right
      expect(reason(call, rest)).toBe('message.header-mismatch')
      expect(reason(call, { ...rest, [header]: [] })).toBe('message.header-mismatch')
    },
  )

  it('GW-35 trims outer whitespace and no more', () => {
    expect(reason(call, { version: [' 2026-07-28 '], method: ['\ttools/call'], name: [' echo\t '] })).toBe(
      'accepted',
    )
    expect(reason(call, { ...right, name: ['echo\u00a0'] })).toBe('message.header-mismatch')
    expect(reason(modern('tools/call', { name: 'a b' }), { ...right, name: ['a b'] })).toBe('accepted')
    expect(reason(modern('tools/call', { name: 'a b' }), { ...right, name: ['a  b'] })).toBe(
      'message.header-mismatch',
    )
    expect(reason(call, { ...right, name: [`echo${' '.repeat(200_000)}x`] })).toBe('message.header-mismatch')
  })

  it.each(['caf\u00e9', 'a\u0000', 'a\r\nb', '\u{1f600}'])('GW-29 refuses the characters of %j', (name) => {
    expect(reason(modern('tools/call', { name }), { ...right, name: [name] })).toBe('message.header-mismatch')
  })
})

describe('L05: a header sent twice', () => {
  it.each(['version', 'method', 'name'] as const)('L05 refuses %s twice, different or equal', (header) => {
    const [value = ''] = right[header]
    expect(reason(call, { ...right, [header]: [value, value] })).toBe('message.header-mismatch')
    expect(reason(call, { ...right, [header]: [value, 'x'] })).toBe('message.header-mismatch')
    expect(reason(call, { ...right, [header]: [`${value}, ${value}`] })).toBe('message.header-mismatch')
    expect(reason(call, { ...right, [header]: [value] })).toBe('accepted')
  })

  it('L05 refuses Mcp-Param headers twice', () => {
    expect(reason(call, { ...right, params: new Map([['region', ['eu', 'eu']]]) })).toBe(
      'message.header-mismatch',
    )
    expect(reason(call, { ...right, params: new Map([['region', ['eu']]]) })).toBe('accepted')
  })
})

describe('L06: the base64 sentinel', () => {
  const named = (name: string, header: string) =>
    reason(modern('tools/call', { name }), { ...right, name: [header] })
  const encode = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`

  it('GW-28 L06 decodes once, then compares', () => {
    expect(named('größe', encode('größe'))).toBe('accepted')
    expect(named('echo', encode('echo'))).toBe('accepted')
    expect(named(' echo ', encode(' echo '))).toBe('accepted')
    expect(named('a\r\nb', encode('a\r\nb'))).toBe('accepted')
    expect(named(encode('echo'), encode(encode('echo')))).toBe('accepted')
    expect(named('\ufeffecho', encode('\ufeffecho'))).toBe('accepted')
    expect(named('', '=?base64??=')).toBe('accepted')
  })

  it.each([
    ['echo', encode('delete')],
    ['echo', encode(encode('echo'))],
    ['echo', encode('\ufeffecho')],
    ['echo', encode('echo\r\n')],
    [encode('echo'), encode('echo')],
    ['echo', '=?base64?ZWNobw?='],
    ['echo', '=?base64?ZWNobw=?='],
    ['echo', '=?base64?ZWNobw===?='],
    ['echo', '=?base64?ZWN obw==?='],
    ['echo', '=?base64? ZWNobw==?='],
    ['ech', '=?base64?ZWNp?='],
    ['a', '=?base64?YR==?='],
    ['a', '=?base64?Y-_=?='],
    ['\ufffd', '=?base64?/w==?='],
    ['echo', '=?BASE64?ZWNobw==?='],
    ['echo', 'x=?base64?ZWNobw==?='],
    ['echo', '=?base64?ZWNobw==?=x'],
    ['echo', '=?Base64?ZWNobw==?='],
    ['echo', '=?base64?ZWNobw=='],
  ])('L06 refuses for %j the header %s', (name, header) => {
    expect(named(name, header)).toBe('message.header-mismatch')
  })

  it('GW-35 takes other spellings of the sentinel for plain values', () => {
    expect(named('=?BASE64?ZWNobw==?=', '=?BASE64?ZWNobw==?=')).toBe('accepted')
    expect(named('=?base64?ZWNobw==', '=?base64?ZWNobw==')).toBe('accepted')
  })

  it('L06 agrees for every name with what clients encode', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (name, other) => {
        expect(named(name, encode(name))).toBe('accepted')
        if (name !== other) expect(named(name, encode(other))).toBe('message.header-mismatch')
      }),
      { numRuns: 300 },
    )
  })

  it('L06 refuses a header that is no UTF-8 also where nothing is named', () => {
    const list = modern('tools/list')
    const headers = { version: right.version, method: ['tools/list'] }
    expect(reason(list, { ...headers, name: ['=?base64?/w==?='] })).toBe('message.header-mismatch')
    expect(reason(list, headers)).toBe('accepted')
  })

  it('L07 refuses Mcp-Param headers that cannot be read', () => {
    expect(reason(call, { ...right, params: new Map([['region', ['=?base64?/w==?=']]]) })).toBe(
      'message.header-mismatch',
    )
    expect(reason(call, { ...right, params: new Map([['region', ['=?base64?***?=']]]) })).toBe(
      'message.header-mismatch',
    )
    expect(reason(call, { ...right, params: new Map([['region', ['\u00e9']]]) })).toBe(
      'message.header-mismatch',
    )
    expect(reason(call, { ...right, params: new Map([['region', [encode('größe')]]]) })).toBe('accepted')
  })
})

describe('L08: an older version, or none', () => {
  const older = message('tools/call', { name: 'echo' })

  it.each([[{}], [{ version: ['2025-11-25'] }], [{ version: ['2025-03-26'] }]])(
    'OT-13 L08 needs no Mcp headers with %j, and refuses wrong ones',
    (version) => {
      expect(reason(older, version)).toBe('accepted')
      expect(reason(older, { ...version, method: ['tools/call'], name: ['echo'] })).toBe('accepted')
      expect(reason(older, { ...version, name: ['delete'] })).toBe('message.header-mismatch')
      expect(reason(older, { ...version, method: ['tools/list'] })).toBe('message.header-mismatch')
      expect(reason(older, { ...version, name: ['echo', 'echo'] })).toBe('message.header-mismatch')
    },
  )

  it('L08 a list without values is a header that was not sent', () => {
    expect(reason(older, { version: [], method: [], name: [] })).toBe('accepted')
  })

  it('L08 needs no Mcp headers where _meta names an older version', () => {
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2025-11-25' }
    expect(reason(modern('tools/call', { name: 'echo' }, _meta), {})).toBe('accepted')
    expect(reason(call, {})).toBe('message.header-mismatch')
  })

  it('M10 leaves a method of the other era to those who refuse it by its own reason', () => {
    const subscribe = modern('resources/subscribe', { uri: 'a:1' })
    expect(reason(subscribe, { version: right.version, method: ['resources/subscribe'] })).toBe('accepted')
  })

  it('L08 M14 refuses a body without _meta under the new version', () => {
    expect(reason(older, right)).toBe('message.params')
    expect(reason(message('initialize', {}), { version: ['2026-07-28'] })).toBe('message.header-mismatch')
    expect(reason(message('initialize', {}), {})).toBe('accepted')
  })

  it('M14 GW-51 refuses a request without its capabilities', () => {
    const { 'io.modelcontextprotocol/clientCapabilities': _, ...incomplete } = meta
    expect(reason(modern('tools/call', { name: 'echo' }, incomplete), right)).toBe('message.params')
    expect(
      reason(
        modern(
          'tools/call',
          { name: 'echo' },
          { ...incomplete, 'io.modelcontextprotocol/clientCapabilities': [] },
        ),
        right,
      ),
    ).toBe('message.params')
    expect(reason(call, right)).toBe('accepted')
  })

  it('M13 GW-04 refuses responses under the new version', () => {
    const response = readMcpMessage(bytesOf('{"jsonrpc":"2.0","id":1,"result":{}}'))
    expect(reason(response, { version: ['2026-07-28'] })).toBe('message.shape')
    expect(reason(response, { version: ['2025-11-25'] })).toBe('accepted')
    expect(reason(response, { method: ['tools/call'] })).toBe('message.header-mismatch')
    expect(reason(response, { name: ['echo'] })).toBe('message.header-mismatch')
  })

  it('GW-06 asks no headers of notifications, and compares those that are there', () => {
    const cancelled = message('notifications/cancelled', { requestId: 1, _meta: meta }, {})
    expect(reason(cancelled, {})).toBe('accepted')
    expect(reason(cancelled, { version: ['2026-07-28'], method: ['notifications/cancelled'] })).toBe(
      'accepted',
    )
    expect(reason(cancelled, { method: ['tools/call'] })).toBe('message.header-mismatch')
    expect(reason(cancelled, { version: ['2025-11-25'] })).toBe('message.header-mismatch')
    const bare = message('notifications/cancelled', { requestId: 1 }, {})
    expect(reason(bare, { version: ['2026-07-28'] })).toBe('accepted')
  })
})

describe('L09: unsupported versions', () => {
  it.each(['1900-01-01', '2099-01-01', '2024-11-05', '2026-07-28x', 'latest', '', '__proto__'])(
    'L09 GW-22 refuses %j and says what is supported',
    (version) => {
      const of = modern('tools/list', {}, { ...meta, 'io.modelcontextprotocol/protocolVersion': version })
      expect(reason(of, { version: [version], method: ['tools/list'] })).toBe('message.version')
      expect(reason(message('tools/list'), { version: [version] })).toBe('message.version')
    },
  )

  it('L09 GW-22 carries supported and requested versions, the latter cut', () => {
    const refusal = (version: string, place: 'header' | 'meta' = 'header'): unknown => {
      try {
        checkProtocolVersion(version, place)
        return 'accepted'
      } catch (error) {
        return error instanceof Refusal ? [error.rule.status, error.rule.code, error.notes.data] : error
      }
    }
    expect(refusal('1900-01-01')).toEqual([
      400,
      -32022,
      { supported: supportedVersions, requested: '1900-01-01' },
    ])
    expect(refusal('x'.repeat(1000))).toEqual([
      400,
      -32022,
      { supported: supportedVersions, requested: 'x'.repeat(64) },
    ])
    expect(refusal('1900-01-01', 'meta')).toEqual([
      400,
      -32022,
      { supported: ['2026-07-28'], requested: '1900-01-01' },
    ])
  })

  it.each(supportedVersions)('L09 takes %s', (version) => {
    expect(reasonOf(() => checkProtocolVersion(version, 'header'))).toBe('accepted')
  })
})

describe('what a mismatch answers', () => {
  it('L01 HM is 400 with -32020', () => {
    let refusal: unknown
    try {
      checkMirroredHeaders(call, sent({ ...right, name: ['delete'] }))
    } catch (error) {
      refusal = error
    }
    expect(refusal).toBeInstanceOf(Refusal)
    expect((refusal as Refusal).rule).toMatchObject({ status: 400, code: -32020 })
  })
})
