import { join } from 'node:path'
import { createStdioHost } from '@warder/bridge'
import { expect, test } from 'vitest'
import { stdioUpstream } from '../src/index.ts'
import { type GatewayUnderTest, legacy, searchCall, send, startGateway, startUpstream } from './harness.ts'

const program = join(import.meta.dirname, 'programs', 'stdio-server.mjs')
const startStdio = (): Promise<GatewayUnderTest> =>
  startGateway({ stdio: stdioUpstream(createStdioHost({ command: [process.execPath, program], env: {} })) })
const startHttp = async (status: number): Promise<GatewayUnderTest> => {
  const upstream = await startUpstream((hit, res) => {
    if (hit.method === 'POST') res.writeHead(200, { 'content-type': 'application/json' })
    else res.writeHead(status, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ jsonrpc: '2.0', id: 1, ...(hit.method === 'POST' ? { result: {} } : error) }))
  })
  return startGateway({ upstream })
}
const error = { error: { code: -32000, message: 'Session required' } }

test.each([
  ['a stdio server', startStdio] as const,
  ['a server that answers 405', () => startHttp(405)] as const,
  ['a server that answers 400', () => startHttp(400)] as const,
])(
  'OT-14 a client of HTTP+SSE (2024-11-05) before %s signs in, and then reads what is spoken here',
  async (_, start) => {
    const gw = await start()
    const accept = { accept: 'text/event-stream' }
    for (const path of ['/notes/mcp', '/notes/sse']) {
      const stranger = await send(gw, { method: 'GET', path, headers: accept })
      expect(stranger.status).toBe(401)
      expect(stranger.headers['www-authenticate']).toContain('resource_metadata=')
      const answer = await send(gw, { method: 'GET', path, headers: accept, token: await gw.token() })
      expect(answer.status).toBe(405)
      expect(answer.headers['allow']).toContain('POST')
      expect(answer.json.error.message).toMatch(/HTTP\+SSE of revision 2024-11-05 is not supported/)
      expect(answer.json.error.data.supported).toEqual([
        expect.objectContaining({ transport: 'streamable-http', endpoint: gw.resource }),
      ])
    }
    const posted = await send(gw, { path: '/notes/sse', token: await gw.token(), body: searchCall })
    expect(posted.status).toBe(405)
    expect(gw.upstream.hits.filter(({ method }) => method === 'POST')).toHaveLength(0)
    expect((await send(gw, { token: await gw.token(), body: searchCall })).status).toBe(200)
  },
)

test('a newer client is told about its session, not about old transports', async () => {
  const gw = await startHttp(400)
  const token = await gw.token()
  const headers = { 'mcp-protocol-version': '2025-11-25' }
  const answer = await send(gw, { method: 'GET', token, headers })
  expect(answer).toMatchObject({ status: 400, json: error })
  expect((await send(gw, { token, body: legacy('ping'), headers })).status).toBe(200)
})
