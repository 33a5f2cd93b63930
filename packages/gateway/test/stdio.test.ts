import { join } from 'node:path'
import { createStdioHost } from '@warder/bridge'
import { expect, test } from 'vitest'
import { stdioUpstream } from '../src/index.ts'
import {
  type GatewayUnderTest,
  type Got,
  legacy,
  modern,
  searchCall,
  send,
  slow,
  startGateway,
} from './harness.ts'

function startStdio(): Promise<GatewayUnderTest> {
  const program = join(import.meta.dirname, 'programs', 'stdio-server.mjs')
  return startGateway({
    stdio: stdioUpstream(createStdioHost({ command: [process.execPath, program], env: {} })),
  })
}

/** The message of an answer, whether it came as JSON or as one event. */
function messageOf(answer: Got): { result: { content: { text: string }[]; tools: { name: string }[] } } {
  const data = /^data: ?(\{.*)$/m.exec(answer.text)?.[1]
  return data === undefined ? answer.json : JSON.parse(data)
}

const pidOf = (answer: Got): string => messageOf(answer).result.content[0]!.text

test(
  'a stdio server answers both eras behind the same rules, with one process for each user',
  slow,
  async () => {
    const gw = await startStdio()
    const alice = await gw.token()
    const bob = await gw.token({ sub: 'bob' })
    const first = await send(gw, { token: alice, body: searchCall })
    expect(first.status).toBe(200)
    expect(pidOf(first)).toMatch(/^pid \d+$/)
    expect(pidOf(await send(gw, { token: alice, body: searchCall }))).toBe(pidOf(first))
    expect(pidOf(await send(gw, { token: bob, body: searchCall }))).not.toBe(pidOf(first))
    const list = await send(gw, { token: alice, body: modern('tools/list') })
    expect(messageOf(list).result.tools.map((tool) => tool.name)).toEqual(['search_notes'])

    const initialize = legacy('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'test', version: '1' },
    })
    const opened = await send(gw, { token: alice, body: initialize })
    const id = opened.headers['mcp-session-id']!
    const inSession = (token: string | undefined): Promise<Got> =>
      send(gw, {
        token,
        body: legacy('tools/call', { name: 'search_notes' }, 2),
        headers: { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' },
      })
    expect(pidOf(await inSession(alice))).toBe(pidOf(first))
    expect((await inSession(bob)).status).toBe(404)
    expect((await inSession(undefined)).status).toBe(401)
    const other = await gw.token({ client_id: 'https://other.example/client.json' })
    expect((await inSession(other)).status).toBe(404)
  },
)

test('M13 a stdio server gets no answers of clients, since its requests never reach them', async () => {
  const gw = await startStdio()
  const answer = await send(gw, {
    token: await gw.token(),
    body: { jsonrpc: '2.0', id: 1, result: {} },
    headers: { 'mcp-session-id': 'A'.repeat(60), 'mcp-protocol-version': '2025-11-25' },
  })
  expect(answer).toMatchObject({ status: 400, json: { error: { code: -32600 } } })
})
