import { join } from 'node:path'
import { createStdioHost } from '@warder/bridge'
import { expect, test } from 'vitest'
import { readDoor } from '../src/check-door.ts'
import { stdioUpstream } from '../src/index.ts'
import {
  type GatewayUnderTest,
  type Got,
  legacy,
  type Message,
  modern,
  raw,
  rawRequest,
  searchCall,
  send,
  startGateway,
  statuses,
} from './harness.ts'

const body = JSON.stringify(searchCall)

/** The status of a call with exactly these headers beside those that it needs. */
async function statusOf(
  gw: GatewayUnderTest,
  { line = 'POST /notes/mcp HTTP/1.1', host = `Host: ${gw.host}`, extra = [] as readonly string[] },
): Promise<number | undefined> {
  const needed = [
    ...(host === '' ? [] : [host]),
    `Authorization: Bearer ${await gw.token()}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'MCP-Protocol-Version: 2026-07-28',
    'Mcp-Method: tools/call',
    'Mcp-Name: search_notes',
    'Connection: close',
  ]
  const { text } = await raw(gw, rawRequest([line, ...needed, ...extra], body))
  return statuses(text).at(-1)
}

test('L31 exactly 100 header lines and a target of 2,048 characters pass, and one more does not', async () => {
  const gw = await startGateway()
  const more = (count: number): string[] => Array.from({ length: count }, (_, index) => `X-${index}: y`)
  expect(await statusOf(gw, { extra: more(92) })).toBe(200)
  expect(await statusOf(gw, { extra: more(93) })).toBe(431)
  const target = (length: number): string => `POST ${'/notes/mcp?'.padEnd(length, 'x')} HTTP/1.1`
  expect(await statusOf(gw, { line: target(2048) })).toBe(200)
  expect(await statusOf(gw, { line: target(2049) })).toBe(431)
  expect(gw.upstream.hits).toHaveLength(2)
})

test('L14 a host is its name in any case, and without one nobody comes in', async () => {
  const gw = await startGateway({ allowedHosts: ['Notes.example'] })
  for (const host of ['Host: notes.example', 'Host: NOTES.Example', `Host: ${gw.host}`]) {
    expect(await statusOf(gw, { host })).toBe(200)
  }
  expect(await statusOf(gw, { host: 'Host: notes.example.evil' })).toBe(421)
  expect(await statusOf(gw, { host: 'Host:' })).toBe(421)
  // Node asks for the header from HTTP/1.1 on only.
  expect(await statusOf(gw, { host: '', line: 'POST /notes/mcp HTTP/1.0' })).toBe(421)
  expect(gw.upstream.hits).toHaveLength(3)
})

test('L10 a header with an underscore does not travel on, not even among those that pass by their prefix', async () => {
  const gw = await startGateway()
  expect(await statusOf(gw, { extra: ['Mcp-Param-Re_gion: us', 'Mcp-Param-Region: eu'] })).toBe(200)
  expect(gw.upstream.hits[0]!.headers).toMatchObject({ 'mcp-param-region': 'eu' })
  expect(gw.upstream.hits[0]!.rawHeaders.join().toLowerCase()).not.toContain('re_gion')
})

test.each([
  'Content-Type: application/json',
  'Origin: https://app.example',
  'Mcp-Session-Id: a',
  'Last-Event-ID: 1',
])('L10 the line %j counts once and is refused twice', async (line) => {
  const gw = await startGateway({ allowedOrigins: ['https://app.example'] })
  const has = line.startsWith('Content-Type') ? [] : [line]
  expect(await statusOf(gw, { extra: has })).toBe(200)
  expect(await statusOf(gw, { extra: [...has, line] })).toBe(400)
  expect(gw.upstream.hits).toHaveLength(1)
})

test.each([
  ' https://a.example',
  'xHttps://a.example',
  '1s://a.example',
  'https//a.example',
  'https://',
  'https://a.example/',
  'https://a.example?',
  'https://*.example',
  'https://A.example',
  'https://a.example\n',
])('L13 %j is not taken as an origin that is allowed', (origin) => {
  const lists = { allowedHosts: ['a.example'], allowedOrigins: ['https://b.example', 'app+x://c', origin] }
  expect(() => readDoor(lists)).toThrow(`The gateway cannot start: ${origin} is not a web origin.`)
})

test('OT-10 a batch under a version that is sent twice is refused', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const batch = JSON.stringify([legacy('tools/call', { name: 'search_notes', arguments: {} })])
  const under = (version: string | string[]): Promise<Got> =>
    send(gw, { token, body: batch, headers: { 'mcp-protocol-version': version } })
  for (const twice of [
    ['2025-03-26', '2025-03-26'],
    ['2025-03-26', '2025-11-25'],
  ]) {
    expect((await under(twice)).status).toBe(400)
  }
  expect(gw.upstream.hits).toHaveLength(0)
  await under('2025-03-26')
  expect(gw.upstream.hits).toHaveLength(1)
})

test('GW-12 a notification is of the revision of its body, or of its header where the body names none', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const session = { 'mcp-session-id': 'garbage' }
  const { id: _, ...named } = modern('notifications/cancelled', { requestId: 7 })
  const { id: __, ...unnamed } = legacy('notifications/cancelled', { requestId: 7 })
  const version = { 'mcp-protocol-version': '2026-07-28' }
  const sent = (message: Message, headers: Record<string, string>): Promise<Got> =>
    send(gw, { token, body: JSON.stringify(message), headers: { ...session, ...headers } })
  // Without sessions the id is ignored.
  expect((await sent(named, {})).status).toBe(202)
  expect((await sent(named, version)).status).toBe(202)
  expect((await sent(unnamed, version)).status).toBe(202)
  expect(gw.upstream.hits).toHaveLength(3)
  expect((await sent(unnamed, {})).status).toBe(404)
  expect((await sent(unnamed, { 'mcp-protocol-version': '2025-11-25' })).status).toBe(404)
  expect(gw.upstream.hits).toHaveLength(3)
})

test('L05 L09 a stream is opened under one version that is spoken here, or under none', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const under = (version: string | string[] | undefined): Promise<Got> =>
    send(gw, { token, method: 'GET', headers: { 'mcp-protocol-version': version } })
  for (const [version, code] of [
    [['2025-11-25', '2025-11-25'], -32020],
    [['2025-11-25', '2026-07-28'], -32020],
    ['2024-01-01', -32022],
  ] as const) {
    const answer = await under(typeof version === 'string' ? version : [...version])
    expect(answer).toMatchObject({ status: 400, json: { error: { code } } })
  }
  expect(gw.upstream.hits).toHaveLength(0)
  for (const version of ['2025-11-25', undefined]) await under(version)
  expect(gw.upstream.hits).toHaveLength(2)
})

test('M13 OT-07 no answer reaches a server that asks nothing, not even in a session of its sender', async () => {
  const program = join(import.meta.dirname, 'programs', 'stdio-server.mjs')
  const host = createStdioHost({ command: [process.execPath, program], env: {} })
  const gw = await startGateway({ stdio: stdioUpstream(host) })
  const token = await gw.token()
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'd', version: '1' } }
  const opened = await send(gw, { token, body: legacy('initialize', params) })
  const headers = { 'mcp-session-id': opened.headers['mcp-session-id'], 'mcp-protocol-version': '2025-11-25' }
  const response = { jsonrpc: '2.0', id: 9, result: { roots: [] } }
  const answer = await send(gw, { token, body: response, headers })
  expect(answer).toMatchObject({ status: 400, json: { error: { code: -32600 } } })
  expect((await send(gw, { token, body: legacy('ping'), headers })).status).toBe(200)
})
