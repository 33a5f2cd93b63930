import { filterAnswer, isFiltered, type SealCursor } from '@warder/guard'
import { Refusal } from '@warder/protocol'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { authenticate, makeGuard, signer } from './fixture.ts'

const guard = makeGuard()
const principal = await authenticate(guard, await signer.sign())
const denied = /wipe_disk|attack_plan/
const json = 'application/json'
const sse = 'text/event-stream'
const list = (...names: readonly string[]) => ({ tools: names.map((name) => ({ name })) })
const answer = (result: object): string => JSON.stringify({ jsonrpc: '2.0', id: 1, result })
const mixed = answer(list('wipe_disk', 'search_notes'))

async function* chunks(body: string | Uint8Array, size = 1 << 30): AsyncGenerator<Uint8Array> {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** What came out, and whether it ended with a refusal. */
async function run(
  type: string | undefined,
  body: string | Uint8Array,
  method: string | ReadonlyMap<string, string> = 'tools/list',
  size?: number,
  sealCursor?: SealCursor,
) {
  let out = ''
  let refused: string | undefined
  try {
    for await (const bytes of filterAnswer(guard, principal, method, type, chunks(body, size), sealCursor)) {
      out += new TextDecoder().decode(bytes)
    }
  } catch (error) {
    refused = error instanceof Refusal ? error.reason : String(error)
  }
  return { out, refused }
}

/** The messages that a client reads out of a stream, by the rules of HTML section 9.2.6. */
function messagesOf(stream: string): unknown[] {
  const events = stream
    .split('\n\n')
    .map((event) => event.split('\n').filter((line) => line.startsWith('data: ')))
  return events
    .filter((lines) => lines.length > 0)
    .map((lines) => JSON.parse(lines.map((line) => line.slice(6)).join('\n')))
}

it('N02 a long line that comes in small pieces is searched once, not once a piece', async () => {
  const text = `data: ${answer({ content: 'x'.repeat(20_000) })}\n\n`
  let searched = 0
  const { indexOf } = Buffer.prototype
  const counted = vi.spyOn(Buffer.prototype, 'indexOf').mockImplementation(function (this: Buffer, ...args) {
    searched += this.length
    return Reflect.apply(indexOf, this, args)
  })
  const { out, refused } = await run(sse, text, 'GET', 1).finally(() => counted.mockRestore())
  expect(refused).toBeUndefined()
  expect(messagesOf(out)).toHaveLength(1)
  expect(searched).toBeGreaterThan(20_000)
  expect(searched).toBeLessThan(3 * text.length)
})

it('M25 N03 a completion on a resumed stream is filtered like one that was asked for there', async () => {
  const values = ['search_notes', 'wipe_disk', 'attack_plan']
  const body = `data: ${answer({ completion: { values, total: 3, hasMore: false } })}\n\n`
  const { out } = await run(sse, body, 'GET')
  expect(out).toContain('search_notes')
  expect(out).not.toMatch(denied)
  expect(out).not.toContain('total')
})

it('which answers must be filtered', () => {
  for (const method of ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'])
    expect(isFiltered(method)).toBe(true)
  for (const method of ['initialize', 'server/discover', 'resources/read', 'subscriptions/listen', 'GET'])
    expect(isFiltered(method)).toBe(true)
  for (const method of ['tools/call', 'ping', 'toString', 'response']) expect(isFiltered(method)).toBe(false)
})

describe('N02 JSON answers', () => {
  it.each([
    json,
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8"',
    'application/json ; charset=utf-8 ',
  ])('twin: %s is filtered', async (type) => {
    const { out, refused } = await run(type, mixed)
    expect(refused).toBeUndefined()
    expect(JSON.parse(out)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: { ...list('search_notes'), cacheScope: 'private' },
    })
  })
  it.each<[string, string | Uint8Array]>([
    ['BOM', `\ufeff${mixed}`],
    ['invalid UTF-8', new Uint8Array([...new TextEncoder().encode(mixed), 0xff])],
    ['a character that the end cuts off', new Uint8Array([...new TextEncoder().encode(mixed), 0xc3])],
    ['gzip', new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0])],
    ['UTF-16', Buffer.from(mixed, 'utf16le')],
    [
      'result beside error',
      JSON.stringify({ jsonrpc: '2.0', id: 1, result: list('wipe_disk'), error: { code: 1, message: 'x' } }),
    ],
    ['two messages', `${mixed}${mixed}`],
    ['two lines', `${mixed}\n${mixed}`],
    ['batch', `[${mixed}]`],
    ['the result twice', mixed.replace('{', '{"result":{"tools":[]},')],
    ['the list twice', mixed.replace('"tools"', '"tools":[],"tools"')],
    ['the list twice, once escaped', mixed.replace('"tools"', '"tools":[],"t\\u006fols"')],
    ['another result member', mixed.replace('"result"', '"Result"')],
    ['an extra member', mixed.replace('"id":1', '"id":1,"tools":["wipe_disk"]')],
    ['no version', mixed.replace('"jsonrpc":"2.0",', '')],
    ['another version', mixed.replace('"2.0"', '"1.0"')],
    ['null', 'null'],
    ['a method that is no text', '{"jsonrpc":"2.0","method":7}'],
    ['cut off', mixed.slice(0, -1)],
    ['empty', ''],
    [
      'a notification',
      JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { data: 'wipe_disk' } }),
    ],
    ['10 MB', answer({ tools: [{ name: 'wipe_disk', description: 'x'.repeat(10 * 1024 * 1024) }] })],
    ['100 levels', answer({ tools: [], _meta: JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`) })],
  ])('N02 %s: nothing comes out', async (_, body) => {
    expect(await run(json, body)).toEqual({ out: '', refused: 'upstream.answer' })
  })
  it.each([
    undefined,
    '',
    'text/plain',
    'text/html',
    'application/jsonx',
    'application/json, text/plain',
    'text/plain, application/json',
    'application/json; charset=utf-8x',
    'application/json"',
    'application/json; charset=utf-16',
    'application/x-ndjson',
    'multipart/mixed',
  ])('N02 content type %j: nothing comes out', async (type) => {
    expect(await run(type, mixed)).toEqual({ out: '', refused: 'upstream.answer' })
  })
  it('N02 invalid UTF-8 inside a text is not mended, wherever the chunks are cut', async () => {
    const bytes = Buffer.from(answer({ tools: [{ name: 'search_notes', title: 'caf\u00e9' }] }))
    const spoilt = Buffer.from(bytes)
    spoilt[bytes.indexOf(0xc3)] = 0xff
    for (const size of [1, 2, 7, 1 << 20]) {
      expect(await run(json, spoilt, 'tools/list', size)).toEqual({ out: '', refused: 'upstream.answer' })
      expect((await run(json, bytes, 'tools/list', size)).out).toContain('caf\u00e9')
      const event = (data: Buffer): Buffer =>
        Buffer.concat([Buffer.from('data: '), data, Buffer.from('\n\n')])
      expect(await run(sse, event(spoilt), 'tools/list', size)).toEqual({
        out: '',
        refused: 'upstream.answer',
      })
      expect((await run(sse, event(bytes), 'tools/list', size)).out).toContain('caf\u00e9')
    }
  })
  it('N02 a list has at most 8 MB, the content of a resource 32 MB, and not one byte more', async () => {
    const padded = (result: object, size: number): string => {
      const text = answer(result)
      return text + ' '.repeat(size - text.length)
    }
    const contents = { contents: [{ uri: 'notes:///public/1', text: 'x' }] }
    const mb = 1024 * 1024
    const refused = { out: '', refused: 'upstream.answer' }
    expect((await run(json, padded(list('search_notes'), 8 * mb))).refused).toBeUndefined()
    expect(await run(json, padded(list('search_notes'), 8 * mb + 1))).toEqual(refused)
    expect((await run(json, padded(contents, 32 * mb), 'resources/read')).refused).toBeUndefined()
    expect(await run(json, padded(contents, 32 * mb + 1), 'resources/read')).toEqual(refused)
  })
  it('digits of numbers survive beside names and texts with digits and quotes in them', async () => {
    const schema = '{"a1":18446744073709551615,"a2":"1\\"2","a\\"3":[1.50,"4.0"]}'
    const body = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"search_notes","inputSchema":${schema}}]}}`
    const { out, refused } = await run(json, body)
    expect(refused).toBeUndefined()
    expect(out).toContain(schema)
  })
  it('digits of numbers survive', async () => {
    const bound = '{"type":"integer","maximum":18446744073709551615,"minimum":-0,"multipleOf":1.10}'
    const body = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"search_notes","inputSchema":${bound}}]}}`
    const { out } = await run(json, body)
    expect(out).toContain(bound)
    expect(await run(json, body.replace('"multipleOf"', '"type":"x","multipleOf"'))).toEqual({
      out: '',
      refused: 'upstream.answer',
    })
  })
  it('N03 an error names what is hidden no more, and other errors pass', async () => {
    const error = (message: string, data?: unknown) =>
      JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -32602, message, data } })
    const leaky = [
      error('did you mean wipe_disk?'),
      error('bad', ['x', { wipe_disk: 1 }]),
      error('bad\nwipe_disk'),
    ]
    for (const body of leaky) {
      const { out } = await run(json, body)
      expect(JSON.parse(out).error.code).toBe(-32602)
      expect(out).not.toMatch(denied)
    }
    expect((await run(json, error('bad cursor'))).out).toBe(error('bad cursor'))
  })
})

describe('N02 event streams', () => {
  it.each<[string, string]>([
    ['LF', `event: message\ndata: ${mixed}\n\n`],
    ['CR LF', `event: message\r\ndata: ${mixed}\r\n\r\n`],
    ['CR', `event: message\rdata: ${mixed}\r\r`],
    ['mixed line ends', `: wipe_disk\r\nevent: message\rdata:${mixed}\n\r\n`],
    [
      'split data lines with CR LF',
      'data: {"jsonrpc":"2.0","id":1,\r\ndata: "result":{"tools":[{"name":"search_notes"}]}}\r\n\r\n',
    ],
    [
      'split data lines',
      `data: {"jsonrpc":"2.0","id":1,\ndata: "result":{"tools":[{"name":\ndata: "wipe_disk"},{"name":"search_notes"}]}}\n\n`,
    ],
    ['data before event', `data: ${mixed}\nevent: message\nid: 7\n\n`],
    ['unknown fields', `wipe_disk: wipe_disk\nwipe_disk\ndata: ${mixed}\n\n`],
  ])('N02 %s is read as clients read it, wherever the chunks are cut', async (_, body) => {
    for (const size of [1, 2, 3, 7, 1 << 20]) {
      const { out, refused } = await run(sse, body, 'tools/list', size)
      expect(refused).toBeUndefined()
      expect(out).not.toMatch(denied)
      expect(messagesOf(out)).toEqual([
        { jsonrpc: '2.0', id: 1, result: { ...list('search_notes'), cacheScope: 'private' } },
      ])
    }
  })
  it('N02 wherever a stream is cut in two, it is read alike', async () => {
    for (const end of ['\r\n', '\r', '\n']) {
      const body = `data: {"jsonrpc":"2.0","id":1,${end}data:"result":{"tools":[{"name":"a b"}]}}${end}${end}`
      const whole = await run(sse, body, 'ping')
      expect(messagesOf(whole.out)).toEqual([{ jsonrpc: '2.0', id: 1, result: list('a b') }])
      for (let at = 1; at < body.length; at++) {
        let out = ''
        const parts = (async function* () {
          yield new TextEncoder().encode(body.slice(0, at))
          yield new TextEncoder().encode(body.slice(at))
        })()
        for await (const bytes of filterAnswer(guard, principal, 'ping', sse, parts))
          out += new TextDecoder().decode(bytes)
        expect(out).toBe(whole.out)
      }
    }
  })
  it('N02 a byte order mark begins no stream, however it is cut, and is a letter like any other inside', async () => {
    const titled = answer({ tools: [{ name: 'search_notes', title: '\ufeff' }] })
    for (const size of [1, 2, 3, 1 << 20]) {
      const refused = { out: '', refused: 'upstream.answer' }
      expect(await run(sse, `\ufeffdata: ${mixed}\n\n`, 'tools/list', size)).toEqual(refused)
      expect((await run(sse, `data: ${titled}\n\n`, 'tools/list', size)).out).toContain('\ufeff')
    }
  })
  it.each([
    ['a field without a colon', 'id: 5\ndata\n\n', 'id: 5\ndata: \n\n'],
    ['a retry in letters', 'id: 5\nretry: x5\n\n', 'id: 5\n\n'],
    ['a retry with more behind it', 'id: 5\nretry: 5x\n\n', 'id: 5\n\n'],
    ['a retry of ten digits', 'id: 5\nretry: 1234567890\n\n', 'id: 5\n\n'],
    ['digits of another field', 'id: 5\nagain: 5\n\n', 'id: 5\n\n'],
    ['an id with a NUL', 'id: 5\0\nretry: 5\n\n', 'retry: 5\n\n'],
    ['nothing', '\n\n\n', ''],
    ['a type alone', 'event: x\n\n', ''],
  ])('GW-08 %s is read as clients read it', async (_, body, wanted) => {
    expect(await run(sse, body)).toEqual({ out: wanted, refused: undefined })
  })
  it('N02 nothing between CR and LF makes two line ends of one', async () => {
    const [before, after] = mixed.split('"result"') as [string, string]
    const cut = async (...texts: readonly string[]) => {
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (const text of texts) yield new TextEncoder().encode(text)
      }
      let out = ''
      for await (const bytes of filterAnswer(guard, principal, 'tools/list', sse, pieces()))
        out += new TextDecoder().decode(bytes)
      return messagesOf(out)
    }
    const whole = [`data: ${before}\r`, `\ndata: "result"${after}\n\n`] as const
    expect(await cut(...whole)).toHaveLength(1)
    expect(await cut(whole[0], '', whole[1])).toEqual(await cut(...whole))
  })
  it('N02 a line break within an item of a list ends no event', async () => {
    const body = mixed.replace('"search_notes"', '"search_notes",\ndata: "title":"x"')
    const tools = [{ name: 'search_notes', title: 'x' }]
    expect(messagesOf((await run(sse, `data: ${body}\n\n`)).out)).toEqual([
      { jsonrpc: '2.0', id: 1, result: { tools, cacheScope: 'private' } },
    ])
  })
  it('N02 a byte order mark is one at the beginning only; later it makes another field of a line', async () => {
    expect((await run(sse, `\ufeffid: 5\n\n`)).refused).toBe('upstream.answer')
    const later = await run(sse, `id: 5\n\n\ufeffdata: ${mixed}\n\n`)
    expect(later).toEqual({ out: 'id: 5\n\n', refused: undefined })
  })
  it.each(['\ufec0', '\uff3f', '\u2eff', '\ufeba'])(
    'N02 %j, which has bytes of a mark, is none',
    async (letter) => {
      expect(await run(sse, `${letter}\nid: 5\n\n`)).toEqual({ out: 'id: 5\n\n', refused: undefined })
    },
  )
  it('N02 a comment is UTF-8, and no longer than an event', async () => {
    const limit = 8 * 1024 * 1024
    const bad = new Uint8Array([...Buffer.from(': x'), 0xff, 10, 10])
    expect(await run(sse, bad)).toEqual({ out: '', refused: 'upstream.answer' })
    expect(await run(sse, ': x\n\n')).toEqual({ out: ':\n\n', refused: undefined })
    const long = (size: number): string => `:${'x'.repeat(size - 1)}\n\n`
    for (const size of [1 << 20, limit, 1 << 30]) {
      expect((await run(sse, long(limit), 'tools/list', size)).refused).toBeUndefined()
      expect((await run(sse, long(limit + 1), 'tools/list', size)).refused).toBe('upstream.answer')
    }
  })
  it('N02 an event of no type is a message', async () => {
    expect(messagesOf((await run(sse, `event:\ndata: ${mixed}\n\n`)).out)).toHaveLength(1)
  })
  it('N02 an event has at most 8 million characters, and not one more', async () => {
    const limit = 8 * 1024 * 1024
    const padded = (size: number): string => `data: ${mixed}${' '.repeat(size - 6 - mixed.length)}\n\n`
    expect((await run(sse, padded(limit))).refused).toBeUndefined()
    expect(await run(sse, padded(limit + 1))).toEqual({ out: '', refused: 'upstream.answer' })
  })
  it.each<[string, string | Uint8Array]>([
    ['a notification with more members', 'data: {"jsonrpc":"2.0","method":"notifications/x","tools":[]}\n\n'],
    ['a method that is no text', 'data: {"jsonrpc":"2.0","method":7}\n\n'],
    ['BOM', `\ufeffdata: ${mixed}\n\n`],
    ['two messages in one event', `data: ${mixed}\ndata: ${mixed}\n\n`],
    ['result beside error', `data: ${mixed.replace('"id"', '"error":{"code":1,"message":"x"},"id"')}\n\n`],
    ['invalid JSON', `data: {"tools":["wipe_disk"\n\n`],
    ['batch', `data: [${mixed}]\n\n`],
    ['invalid UTF-8', new Uint8Array([...Buffer.from('data: "wipe_disk'), 0xff, 10, 10])],
    ['an endless line', `data: ${'wipe_disk'.repeat(1024 * 1024)}`],
    ['endless lines', `data: ${'wipe_disk'.repeat(10_000)}\n`.repeat(120)],
  ])('N02 %s: nothing comes out', async (_, body) => {
    expect(await run(sse, body)).toEqual({ out: '', refused: 'upstream.answer' })
  })
  it('N02 invalid JSON in between ends the stream; what was before it is whole', async () => {
    const { out, refused } = await run(sse, `data: ${mixed}\n\ndata: {wipe_disk\n\ndata: ${mixed}\n\n`)
    expect(refused).toBe('upstream.answer')
    expect(messagesOf(out)).toHaveLength(1)
    expect(out).not.toMatch(denied)
  })
  it('N02 an event that the end cuts off, or of another type, is none', async () => {
    expect(await run(sse, `event: debug\ndata: wipe_disk\n\ndata: ${mixed}\n`)).toEqual({
      out: '',
      refused: undefined,
    })
  })
  it('GW-08 keep-alives and resumption points go on, without their text', async () => {
    const { out } = await run(
      sse,
      ': wipe_disk\n\nid: 5\nevent: wipe_disk\ndata: \n\nretry: 100\n\nid: 6\n\n',
    )
    expect(out).toBe(':\n\nid: 5\ndata: \n\nretry: 100\n\nid: 6\n\n')
  })
  it('N03 an id that names something hidden goes, and its message stays', async () => {
    const send = async (id: string) => (await run(sse, `id: ${id}\nretry: 5\ndata: ${mixed}\n\n`)).out
    expect(await send('page-7')).toMatch(/^event: message\nid: page-7\nretry: 5\ndata: /)
    expect(await send('wipe_disk-7')).toMatch(/^event: message\nretry: 5\ndata: /)
    expect((await run(sse, 'id: wipe_disk\n\n')).out).toBe('')
    expect((await run(sse, 'id: 7\n\n')).out).toBe('id: 7\n\n')
  })
  it('N21 what is passed on cannot start another event', async () => {
    const evil = answer({ tools: [{ name: 'search_notes', description: 'a\n\ndata: {"x":1}\r\revent: y' }] })
    expect(messagesOf((await run(sse, `data: ${evil}\n\n`)).out)).toHaveLength(1)
  })
  it('the events come one by one', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode(`data: ${mixed}\n\n`)
      await new Promise(() => {})
    }
    const first = await filterAnswer(guard, principal, 'GET', sse, endless()).next()
    expect(new TextDecoder().decode(first.value)).toContain('search_notes')
  })
})

describe('OT-10 answers to a batch', () => {
  const asked = new Map([
    ['1', 'tools/list'],
    ['"a"', 'prompts/list'],
    ['2', 'ping'],
  ])
  const message = (id: unknown, result: object): object => ({ jsonrpc: '2.0', id, result })
  const prompts = { prompts: [{ name: 'attack_plan' }, { name: 'summarize' }] }
  const tools = list('wipe_disk', 'search_notes')
  const cacheScope = 'private'

  it('N02 each is filtered as what its id asked for, in an array or alone', async () => {
    const body = JSON.stringify([message('a', prompts), message(1, tools), message(2, {})])
    const wanted = [
      message('a', { prompts: [{ name: 'summarize' }], cacheScope }),
      message(1, { ...list('search_notes'), cacheScope }),
      message(2, {}),
    ]
    expect(JSON.parse((await run(json, body, asked)).out)).toEqual(wanted)
    expect(messagesOf((await run(sse, `data: ${body}\n\n`, asked)).out)).toEqual([wanted])
    expect(JSON.parse((await run(json, JSON.stringify(message(1, tools)), asked)).out)).toEqual(wanted[1])
    expect(isFiltered(asked)).toBe(true)
  })
  it.each([
    ['an answer to nothing', [message(3, tools)]],
    ['the id as another type', [message('1', tools)]],
    ['a prompt list where tools were asked for', [message(1, prompts)]],
    ['an empty array', []],
    ['an array in an array', [[message(1, tools)]]],
    ['no object', [7]],
    ['one of two that cannot be read', [message(2, {}), { jsonrpc: '2.0', id: 1 }]],
  ])('N02 %s: nothing comes out', async (_, body) => {
    expect(await run(json, JSON.stringify(body), asked)).toEqual({ out: '', refused: 'upstream.answer' })
  })
  it('N02 an empty array is refused, in a stream too', async () => {
    expect(await run(sse, 'data: []\n\n', asked)).toEqual({ out: '', refused: 'upstream.answer' })
    expect(await run(json, '[]', asked)).toEqual({ out: '', refused: 'upstream.answer' })
  })
  it('N03 what is about something hidden is left out, and an array of nothing is no answer', async () => {
    const note = { jsonrpc: '2.0', method: 'notifications/message', params: { data: 'wipe_disk' } }
    const { out } = await run(json, JSON.stringify([note, message(2, {})]), asked)
    expect(JSON.parse(out)).toEqual([message(2, {})])
    expect(await run(json, JSON.stringify([note]), asked)).toEqual({ out: '', refused: 'upstream.answer' })
    expect(await run(sse, `data: ${JSON.stringify([note])}\n\n`, asked)).toEqual({
      out: '',
      refused: undefined,
    })
  })
})

describe('N03 what else comes along a stream', () => {
  const send = async (message: object, method = 'GET') =>
    (await run(sse, `data: ${JSON.stringify(message)}\n\n`, method)).out
  const note = (method: string, params?: object) => ({
    jsonrpc: '2.0',
    method: `notifications/${method}`,
    params,
  })
  it('list_changed says only that', async () => {
    expect(
      messagesOf(await send(note('tools/list_changed', { tools: ['wipe_disk'], _meta: { s: 1 } }))),
    ).toEqual([{ jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: { _meta: { s: 1 } } }])
    for (const params of [undefined, {}, { tools: ['wipe_disk'] }, ['wipe_disk']]) {
      expect(messagesOf(await send({ ...note('prompts/list_changed'), params }))).toEqual([
        { jsonrpc: '2.0', method: 'notifications/prompts/list_changed' },
      ])
    }
  })
  it('GW-64 an acknowledgment names what the caller may read, and nothing else of it changes', async () => {
    const method = 'notifications/subscriptions/acknowledged'
    const acknowledge = (params: unknown) =>
      run(sse, `data: ${JSON.stringify({ jsonrpc: '2.0', method, params })}\n\n`, 'subscriptions/listen')
    const honored = { toolsListChanged: true }
    const uris = ['notes:///public/1', 'notes:///secret/1', 7, 'notes:///drafts/1']
    const params = { _meta: { s: 1 }, notifications: { ...honored, resourceSubscriptions: uris } }
    expect(messagesOf((await acknowledge(params)).out)).toEqual([
      {
        jsonrpc: '2.0',
        method,
        params: {
          _meta: { s: 1 },
          notifications: { ...honored, resourceSubscriptions: ['notes:///public/1'] },
        },
      },
    ])
    const without = { notifications: honored }
    expect(messagesOf((await acknowledge(without)).out)).toEqual([
      { jsonrpc: '2.0', method, params: without },
    ])
    for (const broken of [
      {},
      { notifications: null },
      { notifications: { resourceSubscriptions: 'notes:///secret/1' } },
    ])
      expect(await acknowledge(broken)).toEqual({ out: '', refused: 'upstream.answer' })
  })
  it('updates of resources come to those who may read them', async () => {
    const updated = (uri: unknown) => send(note('resources/updated', { uri }))
    expect(messagesOf(await updated('notes:///public/1'))).toHaveLength(1)
    expect(await updated('notes:///drafts/1')).toBe('')
    expect(await updated('notes:///secret/1')).toBe('')
    for (const params of [{ uri: 7 }, {}, [], undefined]) {
      const body = `data: ${JSON.stringify(note('resources/updated', params))}\n\n`
      expect(await run(sse, body, 'GET')).toEqual({ out: '', refused: 'upstream.answer' })
    }
  })
  it('N02 what was asked decides where it is known; a result that is no object is none', async () => {
    const refused = { out: '', refused: 'upstream.answer' }
    expect(await run(json, answer(list('search_notes')), 'prompts/list')).toEqual(refused)
    for (const result of [null, 7, [list('wipe_disk')]])
      expect(await run(sse, `data: ${JSON.stringify({ jsonrpc: '2.0', id: 1, result })}\n\n`, 'GET')).toEqual(
        refused,
      )
  })
  it('log messages about what is hidden are dropped, others pass', async () => {
    expect(await send(note('message', { data: 'wipe_disk called' }))).toBe('')
    expect(await send(note('message', { data: { deep: ['\nattack_plan'] } }))).toBe('')
    expect(messagesOf(await send(note('message', { data: 'search_notes called' })))).toHaveLength(1)
    expect(messagesOf(await send(note('message', { data: [null, 7, true, { x: null }] })))).toHaveLength(1)
  })
  it('N02 a member of a name that stands for nothing hides no list on a resumed stream', async () => {
    const body = answer({ undefined: 1, ...list('wipe_disk', 'search_notes') })
    const { out, refused } = await run(sse, `data: ${body}\n\n`, 'GET')
    expect(refused).toBeUndefined()
    expect(messagesOf(out)).toHaveLength(1)
    expect(out).not.toMatch(denied)
  })
  it('a method that nobody knows has no list: its answer passes, cursors too', async () => {
    const body = answer({ nextCursor: 'c', made: ['wipe_disk'] })
    const seal = (method: string, cursor: string): string => `${method} ${cursor}`
    expect((await run(json, body, 'made/up', undefined, seal)).out).toBe(body)
  })
  it('a list in a stream that does not say what was asked is filtered by its shape', async () => {
    const message = { jsonrpc: '2.0', id: 1, result: list('wipe_disk', 'search_notes') }
    expect(messagesOf(await send(message))).toEqual([
      { ...message, result: { ...list('search_notes'), cacheScope: 'private' } },
    ])
    const described = { jsonrpc: '2.0', id: 1, result: { instructions: 'a\nwipe_disk' } }
    expect(messagesOf(await send(described))).toEqual([{ ...described, result: { instructions: 'a' } }])
    expect(
      await send({ jsonrpc: '2.0', id: 'q', method: 'sampling/createMessage', params: { x: 'wipe_disk' } }),
    ).toBe('')
    expect(messagesOf(await send({ jsonrpc: '2.0', id: 'q', method: 'roots/list' }))).toHaveLength(1)
    expect(
      messagesOf(await send({ jsonrpc: '2.0', id: 2, result: {} }, 'subscriptions/listen')),
    ).toHaveLength(1)
  })
})

it('N02 whatever bytes come: out come only messages without denied names, or nothing', async () => {
  const piece = fc.constantFrom(
    'data: ',
    'data:',
    'event: message',
    'event: x',
    'id: 1',
    ':',
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    mixed,
    '{"name":"wipe_disk"}',
    '"wipe_disk"',
    'wipe_disk',
    '\ufeff',
    ',',
    '[',
    ']',
    ' ',
    '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"wipe_disk"}]}}',
    '{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"x":"wipe_disk"}}',
  )
  const body = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(json, sse),
      body,
      fc.integer({ min: 1, max: 40 }),
      async (type, text, size) => {
        const { out } = await run(type, text, 'tools/list', size)
        expect(out).not.toMatch(denied)
        if (type === sse) messagesOf(out.replaceAll('data: \n', ''))
        else if (out !== '') JSON.parse(out)
      },
    ),
    { numRuns: 500 },
  )
})

it('N01 cursors of lists are sealed for their method where there is a seal, and nothing else is', async () => {
  const seal: SealCursor = (method, cursor) => `${method}<${cursor}>`
  const sealed = async (result: object, method: string) =>
    JSON.parse((await run(json, answer(result), method, undefined, seal)).out).result
  const page = { ...list('search_notes'), nextCursor: 'c' }
  expect(await sealed(page, 'tools/list')).toMatchObject({ nextCursor: 'tools/list<c>' })
  expect(await sealed({ prompts: [], nextCursor: 'c' }, 'prompts/list')).toMatchObject({
    nextCursor: 'prompts/list<c>',
  })
  expect(await sealed(list('search_notes'), 'tools/list')).not.toHaveProperty('nextCursor')
  expect(await sealed({ ...page, nextCursor: { at: 'wipe_disk' } }, 'tools/list')).not.toHaveProperty(
    'nextCursor',
  )
  expect(await sealed({ contents: [], nextCursor: 'c' }, 'resources/read')).toEqual({
    contents: [],
    nextCursor: 'c',
  })
  expect(JSON.parse((await run(json, answer(page))).out).result).toMatchObject({ nextCursor: 'c' })
  // On a stream that does not say what was asked, the shape of the result tells the method.
  const { out } = await run(sse, `data: ${answer(page)}\n\n`, 'GET', undefined, seal)
  expect(out).toContain('tools/list<c>')
})
