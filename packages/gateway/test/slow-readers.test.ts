import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import {
  eventually,
  type GatewayUnderTest,
  modern,
  open,
  rawRequest,
  searchCall,
  send,
  slow,
  startGateway,
  startUpstream,
} from './harness.ts'

const huge = 'x'.repeat(9 * 1024 * 1024)
const stalled = 200

/** A server that answers `tools/list` whole, a call of `huge` as it goes, and any other call with a silent stream. */
async function startLarge(): Promise<GatewayUnderTest> {
  const upstream = await startUpstream((hit, res) => {
    const { id, method, params } = JSON.parse(hit.body.toString())
    if (method === 'tools/call' && params.arguments.text !== 'huge') {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write(': hello\n\n')
      setTimeout(() => {
        res.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: { content: [] } })}\n\n`)
      }, 4 * stalled)
      return
    }
    const tool = { name: 'search_notes', description: huge.slice(0, 7 * 1024 * 1024) }
    const result = method === 'tools/list' ? { tools: [tool] } : { content: [{ type: 'text', text: huge }] }
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
  })
  return startGateway({ upstream, limits: { stalled } })
}

test.each([
  ['a whole answer', modern('tools/list'), []],
  [
    'a body as it comes',
    modern('tools/call', { name: 'search_notes', arguments: { text: 'huge' } }),
    ['mcp-name: search_notes'],
  ],
])(
  'L26 a client that takes nothing of %s loses its connection, and what waited for it',
  slow,
  async (_, body, extra) => {
    const gw = await startLarge()
    const text = JSON.stringify(body)
    const socket = connect(gw.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    await once(socket, 'connect')
    socket.pause()
    socket.on('error', () => undefined)
    socket.write(
      rawRequest(
        [
          'POST /notes/mcp HTTP/1.1',
          `Host: ${gw.host}`,
          `Authorization: Bearer ${await gw.token()}`,
          'Content-Type: application/json',
          'Accept: application/json, text/event-stream',
          'Mcp-Protocol-Version: 2026-07-28',
          `Mcp-Method: ${body['method']}`,
          ...extra,
          `Content-Length: ${Buffer.byteLength(text)}`,
        ],
        text,
      ),
    )
    await eventually(async () => (await gw.records()).filter(({ kind }) => kind === 'outcome').length).toBe(1)
    await delay(5 * stalled)
    let taken = 0
    socket.on('data', (chunk) => {
      taken += chunk.length
    })
    socket.resume()
    if (!socket.closed) await once(socket, 'close')
    expect(taken).toBeLessThan(7 * 1024 * 1024)
    // The positive twin: whoever reads gets all of it.
    const answer = await send(gw, { token: await gw.token(), body })
    expect(answer.status).toBe(200)
    expect(answer.text.length).toBeGreaterThan(7 * 1024 * 1024)
  },
)

test('L26 a stream that has nothing to say may be silent for longer', slow, async () => {
  const gw = await startLarge()
  const stream = await open(gw, { token: await gw.token(), body: searchCall })
  let text = ''
  for await (const chunk of stream) text += chunk
  expect(text).toContain('"content":[]')
})
