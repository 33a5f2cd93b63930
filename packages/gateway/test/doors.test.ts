import { join } from 'node:path'
import { createStdioHost } from '@warder/bridge'
import { expect, test } from 'vitest'
import { stdioUpstream } from '../src/index.ts'
import { type GatewayUnderTest, type Got, legacy, send, slow, startGateway } from './harness.ts'

const program = join(import.meta.dirname, 'programs', 'stdio-server.mjs')
const meta = JSON.stringify({
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
})

/** One way to bring a message to the server; `wrap` makes the body of it. */
interface Door {
  readonly gw: GatewayUnderTest
  readonly headers: Readonly<Record<string, string>>
  readonly isStateless: boolean
  wrap(message: string): string
}

async function openDoors(gw: GatewayUnderTest, token: string): Promise<Door[]> {
  const params = { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 'd', version: '1' } }
  const opened = await send(gw, { token, body: legacy('initialize', params) })
  const id = opened.headers['mcp-session-id']
  const session = id === undefined ? {} : { 'mcp-session-id': id }
  const alone = (message: string): string => message
  return [
    { gw, headers: { 'mcp-protocol-version': '2026-07-28' }, isStateless: true, wrap: alone },
    { gw, headers: { 'mcp-protocol-version': '2025-11-25', ...session }, isStateless: false, wrap: alone },
    { gw, headers: { 'mcp-protocol-version': '2025-06-18', ...session }, isStateless: false, wrap: alone },
    { gw, headers: session, isStateless: false, wrap: alone },
    { gw, headers: session, isStateless: false, wrap: (message) => `[${message}]` },
  ]
}

/** What is sent, with `META` where a stateless message has its `_meta`, and the code of the answer. */
const attacks: readonly (readonly [string, string, string, number])[] = [
  ['a hidden tool', 'tools/call', '"params":{"name":"delete_everything"META}', -32602],
  ['M09 a tool by another spelling', 'tools/call', '"params":{"name":"Search_notes"META}', -32602],
  ['M05 a tool named like a member', 'tools/call', '"params":{"name":"constructor"META}', -32602],
  ['M02 a name twice', 'tools/call', '"params":{"name":"search_notes","name":"create_note"META}', -32700],
  ['M03 a foreign member', 'tools/call', '"Method":"x","params":{"name":"search_notes"META}', -32600],
  ['M10 a method of nobody', 'vendor/run', '"params":{"name":"search_notes"META}', -32601],
  ['M14 arguments in an array', 'tools/call', '"params":{"arguments":[],"name":"search_notes"META}', -32602],
  [
    'M25 a completion',
    'completion/complete',
    '"params":{"ref":{"type":"ref/prompt","name":"x"}META}',
    -32602,
  ],
]

const knock = (door: Door, token: string, method: string, rest: string): Promise<Got> => {
  const message = `{"jsonrpc":"2.0","id":1,"method":"${method}",${rest}}`
  const body = door.wrap(message.replace('META', door.isStateless ? `,"_meta":${meta}` : ''))
  const name = /"name":"([^"]*)"META/.exec(rest)?.[1]
  const mirrored = {
    'mcp-method': method,
    ...(name === undefined || method !== 'tools/call' ? {} : { 'mcp-name': name }),
  }
  return send(door.gw, { token, body, headers: { ...door.headers, ...(door.isStateless ? mirrored : {}) } })
}

const codeOf = (answer: Got): number | undefined =>
  (Array.isArray(answer.json) ? answer.json[0] : answer.json)?.error?.code

test('L33 every door says the same to the same message', slow, async () => {
  const stdio = stdioUpstream(createStdioHost({ command: [process.execPath, program], env: {} }))
  for (const gw of [await startGateway(), await startGateway({ stdio })]) {
    const token = await gw.token()
    const doors = await openDoors(gw, token)
    gw.upstream.hits.length = 0
    for (const [what, method, rest, code] of attacks) {
      for (const [place, door] of doors.entries()) {
        const answer = await knock(door, token, method, rest)
        expect(codeOf(answer), `${what} at door ${place}: ${answer.text}`).toBe(code)
      }
    }
    expect(gw.upstream.hits).toHaveLength(0)
    for (const door of doors) {
      const answer = await knock(door, token, 'tools/call', '"params":{"name":"search_notes"META}')
      expect(answer.status).toBeLessThan(300)
      expect(codeOf(answer)).toBeUndefined()
    }
  }
})
