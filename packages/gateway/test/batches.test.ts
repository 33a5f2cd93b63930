import { join } from 'node:path'
import { createStdioHost } from '@warder/bridge'
import { expect, test } from 'vitest'
import { stdioUpstream } from '../src/index.ts'
import {
  eventually,
  type GatewayUnderTest,
  type Got,
  legacy,
  type Message,
  modern,
  send,
  slow,
  startGateway,
  startUpstream,
  tools,
} from './harness.ts'

const program = join(import.meta.dirname, 'programs', 'stdio-server.mjs')
const call = (name: string, id: unknown): Message => legacy('tools/call', { name, arguments: {} }, id)
const version = { 'mcp-protocol-version': '2025-03-26' }
const initialize = legacy('initialize', {
  protocolVersion: '2025-03-26',
  capabilities: {},
  clientInfo: { name: 'old', version: '1' },
})

/** An upstream of 2025-03-26: answers a batch with an array. */
async function startOld(): Promise<GatewayUnderTest> {
  const upstream = await startUpstream((hit, res) => {
    const body: Message | Message[] = JSON.parse(hit.body.toString())
    const answer = ({ id, method }: Message): object[] =>
      id === undefined
        ? []
        : [{ jsonrpc: '2.0', id, result: method === 'tools/list' ? { tools } : { content: [] } }]
    const answers = Array.isArray(body) ? body.flatMap(answer) : answer(body)
    if (answers.length === 0) return void res.writeHead(202).end()
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify(Array.isArray(body) ? answers : answers[0]))
  })
  return startGateway({ upstream })
}

const sendBatch = (
  gw: GatewayUnderTest,
  token: string,
  batch: unknown,
  headers: Record<string, string> = version,
): Promise<Got> => send(gw, { token, body: JSON.stringify(batch), headers })

test.each([['its version', version] as const, ['no version, as its clients send it', {}] as const])(
  'OT-10 a batch of 2025-03-26 with %s reaches the upstream in its own bytes, each message recorded',
  async (_, headers) => {
    const gw = await startOld()
    const batch = [
      call('search_notes', 1),
      legacy('tools/list', {}, '1'),
      { jsonrpc: '2.0', method: 'notifications/initialized' },
    ]
    const answer = await sendBatch(gw, await gw.token(), batch, headers)
    expect(answer.status).toBe(200)
    expect(gw.upstream.hits.map((hit) => hit.body.toString())).toEqual([JSON.stringify(batch)])
    expect(answer.json.map(({ id }: Message) => id)).toEqual([1, '1'])
    // The list in it is filtered as if it stood alone.
    expect(answer.json[1].result.tools.map(({ name }: Message) => name)).toEqual([
      'search_notes',
      'create_note',
    ])
    expect((await gw.decisions()).map(({ method, outcome }) => `${method} ${outcome}`)).toEqual([
      'tools/call open',
      'tools/list open',
      'notifications/initialized open',
    ])
    await eventually(async () => (await gw.records()).filter(({ kind }) => kind === 'outcome').length).toBe(3)
  },
)

test('OT-10 one refused message refuses the whole batch, says no more than alone, and nothing runs', async () => {
  const gw = await startOld()
  const token = await gw.token()
  for (const hidden of ['delete_everything', 'no_such_tool']) {
    const answer = await sendBatch(gw, token, [
      call('search_notes', 1),
      call(hidden, 2),
      call('create_note', 3),
    ])
    expect(answer.status).toBe(200)
    expect(
      answer.json.map(({ id, error }: { id: number; error: { code: number } }) => [id, error.code]),
    ).toEqual([
      [1, -32600],
      [2, -32602],
      [3, -32600],
    ])
    expect(answer.json[1].error.message).toBe(`Unknown tool: ${hidden}`)
  }
  const locked = await sendBatch(gw, token, [call('search_notes', 1), call('create_note', 2)])
  expect(locked.status).toBe(403)
  expect(locked.headers['www-authenticate']).toContain('notes:write')
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await gw.decisions()).map(({ outcome, reason }) => reason ?? outcome)).toEqual([
    ...['call.not-executed', 'call.unknown', 'scope.insufficient'],
    ...['call.not-executed', 'call.unknown', 'scope.insufficient'],
    ...['call.not-executed', 'scope.insufficient'],
  ])
  const wide = await gw.token({ scope: 'notes:read notes:write' })
  expect((await sendBatch(gw, wide, [call('search_notes', 1), call('create_note', 2)])).status).toBe(200)
})

test('OT-10 M01 a batch of another revision or of another shape is refused, and nothing runs', async () => {
  const gw = await startOld()
  const token = await gw.token()
  const good = call('search_notes', 1)
  for (const revision of ['2025-06-18', '2025-11-25', '2026-07-28']) {
    const answer = await sendBatch(gw, token, [good], { 'mcp-protocol-version': revision })
    expect(answer).toMatchObject({ status: 400, json: { id: null, error: { code: -32600 } } })
  }
  const response = { jsonrpc: '2.0', id: 7, result: {} }
  const newer = modern('tools/call', { name: 'search_notes' }, 2)
  for (const batch of [[], [[good]], [good, null], [good, response], [good, good], [initialize, good]]) {
    const answer = await sendBatch(gw, token, batch)
    expect(answer, JSON.stringify(batch)).toMatchObject({ status: 400, json: { id: null } })
  }
  const many = Array.from({ length: 51 }, (_, id) => call('search_notes', id))
  expect((await sendBatch(gw, token, many)).status).toBe(400)
  for (const headers of [
    { 'mcp-name': 'search_notes' },
    { 'mcp-method': 'tools/call' },
    { 'mcp-param-a': 'b' },
  ]) {
    const answer = await sendBatch(gw, token, [good], { ...version, ...headers })
    expect(answer.json.error.code).toBe(-32020)
  }
  expect((await sendBatch(gw, token, [good, newer])).json.error.code).toBe(-32020)
  expect((await sendBatch(gw, token, [good, legacy('vendor/method', {}, 2)])).status).toBe(404)
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await sendBatch(gw, token, many.slice(1))).status).toBe(200)
})

test('OT-10 T04 a batch that cannot be recorded does not go on', async () => {
  const gw = await startOld()
  const token = await gw.token()
  const batch = [call('search_notes', 1), call('search_notes', 2)]
  expect((await sendBatch(gw, token, batch)).status).toBe(200)
  await gw.log.close()
  expect((await sendBatch(gw, token, batch)).status).toBe(503)
  expect(gw.upstream.hits).toHaveLength(1)
})

test('OT-10 an upstream cannot slip a list past the filter by the way it answers a batch', async () => {
  const gw = await startOld()
  const token = await gw.token()
  const batch = [call('search_notes', 1), legacy('tools/list', {}, 2)]
  const list = { jsonrpc: '2.0', id: 2, result: { tools } }
  const answers: [string, string][] = [
    ['application/json', JSON.stringify([{ ...list, id: 3 }])],
    ['application/json', JSON.stringify([[list]])],
    ['application/json', JSON.stringify(list)],
    ['text/event-stream', `data: ${JSON.stringify([list])}\n\n`],
    ['text/event-stream', `data: ${JSON.stringify(list)}\n\n`],
  ]
  for (const [type, body] of answers) {
    gw.upstream.answer = (_, res) => res.writeHead(200, { 'content-type': type }).end(body)
    const answer = await sendBatch(gw, token, batch)
    expect([200, 502]).toContain(answer.status)
    expect(answer.text).not.toContain('delete_everything')
    if (answer.status === 200) expect(answer.text).toContain('search_notes')
  }
})

test('OT-10 a stdio server gets a batch message by message, in the session of its caller', slow, async () => {
  const host = createStdioHost({ command: [process.execPath, program], env: {} })
  const gw = await startGateway({ stdio: stdioUpstream(host) })
  const token = await gw.token()
  const opened = await send(gw, { token, body: initialize })
  const session = { 'mcp-session-id': opened.headers['mcp-session-id']! }
  const batch = [call('search_notes', 1), legacy('tools/list', {}, 2), legacy('ping', {}, 3)]
  const answer = await sendBatch(gw, token, batch, session)
  expect(answer.json.map(({ id }: Message) => id)).toEqual([1, 2, 3])
  expect(answer.json[0].result.content[0].text).toMatch(/^pid \d+$/)
  expect(answer.text).not.toContain('delete_everything')
  const reporting = legacy('tools/call', { name: 'search_notes', _meta: { progressToken: 'p' } }, 4)
  const streamed = await sendBatch(gw, token, [reporting, legacy('tools/list', {}, 5)], session)
  expect(streamed.headers['content-type']).toBe('text/event-stream')
  const messages = [...streamed.text.matchAll(/^data: (.+)$/gm)].map((match) => JSON.parse(match[1]!))
  expect(messages.map(({ id, method }) => id ?? method).sort()).toEqual([4, 5, 'notifications/progress'])
  expect(streamed.text).not.toContain('delete_everything')
  const notices = [{ jsonrpc: '2.0', method: 'notifications/initialized' }]
  expect((await sendBatch(gw, token, notices, session)).status).toBe(202)
  expect((await sendBatch(gw, token, batch)).status).toBe(400)
  expect((await sendBatch(gw, await gw.token({ sub: 'bob' }), batch, session)).status).toBe(404)
})
