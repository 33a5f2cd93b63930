import { filterAnswer, isFiltered } from '@warder/guard'
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
  method = 'tools/list',
  size?: number,
) {
  let out = ''
  let refused: string | undefined
  try {
    for await (const bytes of filterAnswer(guard, principal, method, type, chunks(body, size))) {
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
  const { split } = String.prototype
  const counted = vi.spyOn(String.prototype, 'split').mockImplementation(function (this: string, ...args) {
    searched += this.length
    return Reflect.apply(split, this, args)
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
  it.each([json, 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
    'twin: %s is filtered',
    async (type) => {
      const { out, refused } = await run(type, mixed)
      expect(refused).toBeUndefined()
      expect(JSON.parse(out)).toEqual({
        jsonrpc: '2.0',
        id: 1,
        result: { ...list('search_notes'), cacheScope: 'private' },
      })
    },
  )
  it.each<[string, string | Uint8Array]>([
    ['BOM', `\ufeff${mixed}`],
    ['invalid UTF-8', new Uint8Array([...new TextEncoder().encode(mixed), 0xff])],
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
    'application/json; charset=utf-16',
    'application/x-ndjson',
    'multipart/mixed',
  ])('N02 content type %j: nothing comes out', async (type) => {
    expect(await run(type, mixed)).toEqual({ out: '', refused: 'upstream.answer' })
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
  it.each<[string, string | Uint8Array]>([
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
    expect(messagesOf(await send(note('prompts/list_changed')))).toHaveLength(1)
  })
  it('updates of resources come to those who may read them', async () => {
    const updated = (uri: unknown) => send(note('resources/updated', { uri }))
    expect(messagesOf(await updated('notes:///public/1'))).toHaveLength(1)
    expect(await updated('notes:///drafts/1')).toBe('')
    expect(await updated('notes:///secret/1')).toBe('')
    expect(await updated(7)).toBe('')
  })
  it('log messages about what is hidden are dropped, others pass', async () => {
    expect(await send(note('message', { data: 'wipe_disk called' }))).toBe('')
    expect(await send(note('message', { data: { deep: ['\nattack_plan'] } }))).toBe('')
    expect(messagesOf(await send(note('message', { data: 'search_notes called' })))).toHaveLength(1)
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
