import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import {
  eventually,
  legacy,
  open,
  type RecordingUpstream,
  searchCall,
  send,
  slow,
  startGateway,
  startUpstream,
} from './harness.ts'

const event = (value: object): string => `event: message\ndata: ${JSON.stringify(value)}\n\n`
const progress = {
  jsonrpc: '2.0',
  method: 'notifications/progress',
  params: { progressToken: 1, progress: 1 },
}

/** An upstream whose streams stay open until the test ends them. */
async function startStreaming(): Promise<RecordingUpstream & { streams: ServerResponse[] }> {
  const streams: ServerResponse[] = []
  const upstream = await startUpstream((_, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write(event(progress))
    streams.push(res)
  })
  return Object.assign(upstream, { streams })
}

async function nextText(res: IncomingMessage): Promise<string> {
  const [chunk] = (await once(res, 'data')) as [Buffer]
  return chunk.toString()
}

test.each([
  ['a tool call', { body: searchCall }],
  ['a stream of an older client', { method: 'GET' }],
])('GW-07 events of %s arrive while the upstream is still sending', async (_, sent) => {
  const upstream = await startStreaming()
  const gw = await startGateway({ upstream })
  const res = await open(gw, { token: await gw.token(), ...sent })
  expect(res.statusCode).toBe(200)
  expect(res.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
  expect(await nextText(res)).toContain('notifications/progress')
  expect(upstream.streams[0]!.writableEnded).toBe(false)
  upstream.streams[0]!.write(event({ ...progress, params: { progressToken: 1, progress: 2 } }))
  expect(await nextText(res)).toContain('"progress":2')
  upstream.streams[0]!.end(event({ jsonrpc: '2.0', id: 1, result: { content: [] } }))
  res.resume()
  await once(res, 'end')
  expect(res.complete).toBe(true)
})

test('GW-07 JSON passes as it comes too', async () => {
  const parts: ServerResponse[] = []
  const upstream = await startUpstream((_, res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    res.write('{"jsonrpc":"2.0","id":1,')
    parts.push(res)
  })
  const gw = await startGateway({ upstream })
  const res = await open(gw, { token: await gw.token(), body: searchCall })
  expect(await nextText(res)).toBe('{"jsonrpc":"2.0","id":1,')
  parts[0]!.end('"result":{}}')
  expect(await nextText(res)).toBe('"result":{}}')
})

test('GW-10 closing a stream closes it at the upstream', async () => {
  const upstream = await startStreaming()
  const gw = await startGateway({ upstream })
  const res = await open(gw, { token: await gw.token(), body: searchCall })
  await nextText(res)
  const closed = once(upstream.streams[0]!, 'close')
  res.destroy()
  await closed
  expect(upstream.streams[0]!.writableFinished).toBe(false)
})

test('a slow client holds the upstream back: nothing is read ahead', slow, async () => {
  let written = 0
  const upstream = await startUpstream((_, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    const chunk = `: ${'x'.repeat(65_534)}`
    const pump = (): void => {
      while (written < 64 * 1024 * 1024) {
        written += chunk.length
        if (!res.write(chunk)) return void res.once('drain', pump)
      }
      res.end()
    }
    res.on('error', () => undefined)
    pump()
  })
  const gw = await startGateway({ upstream })
  const res = await open(gw, { token: await gw.token(), body: searchCall })
  // Held back means that it stays where it is, however often one looks.
  let before = 0
  let looks = 0
  await eventually(() => {
    looks = written > 0 && written === before ? looks + 1 : 0
    before = written
    return looks
  }).toBeGreaterThan(30)
  expect(written).toBeLessThan(32 * 1024 * 1024)
  let size = 0
  for await (const chunk of res) size += chunk.length
  expect(size).toBe(written)
})

test('an upstream that breaks off breaks off for the client, and is not tried again', async () => {
  const upstream = await startStreaming()
  const gw = await startGateway({ upstream })
  const res = await open(gw, { token: await gw.token(), body: searchCall })
  await nextText(res)
  upstream.streams[0]!.destroy()
  res.resume()
  await expect(once(res, 'end')).rejects.toThrow()
  expect(res.complete).toBe(false)
  expect(upstream.hits).toHaveLength(1)
  await eventually(async () => (await gw.records()).at(-1)?.kind).toBe('outcome')
  expect((await gw.records()).at(-1)).toMatchObject({ error: 'upstream.unreachable' })
})

test('N06 a revocation ends the streams of that grant and leaves the others', async () => {
  const upstream = await startStreaming()
  const gw = await startGateway({ upstream })
  const one = await open(gw, { token: await gw.token({ grant_id: 'one' }), body: searchCall })
  const other = await open(gw, { token: await gw.token({ grant_id: 'other', sub: 'bob' }), body: searchCall })
  await Promise.all([nextText(one), nextText(other)])
  const closed = once(upstream.streams[0]!, 'close')
  gw.gateway.closeStreams((principal) => principal.grantId === 'one')
  one.resume()
  await Promise.all([once(one, 'end'), closed])
  upstream.streams[1]!.write(event(progress))
  expect(await nextText(other)).toContain('progress')
  await eventually(async () => (await gw.records()).at(-1)).toMatchObject({
    kind: 'outcome',
    error: 'token.revoked',
  })
  other.destroy()
})

test('N07 O14 a revocation during a call cancels it at the upstream, and asks nobody to make it again', async () => {
  const calls: ServerResponse[] = []
  const upstream = await startUpstream((_, res) => calls.push(res))
  const gw = await startGateway({ upstream })
  const answer = send(gw, { token: await gw.token(), body: searchCall })
  await eventually(() => calls.length).toBe(1)
  gw.gateway.closeStreams(() => true)
  expect(await answer).toMatchObject({
    status: 200,
    json: { id: 1, error: { code: -32603, message: expect.stringContaining('may have taken effect') } },
  })
  expect((await answer).headers['www-authenticate']).toBeUndefined()
  await eventually(() => calls[0]!.closed).toBe(true)
  await eventually(async () => (await gw.records()).at(-1)).toMatchObject({
    kind: 'outcome',
    status: 200,
    error: 'token.revoked',
  })
})

test('an answer on its way may come after the end of the token that asked for it', slow, async () => {
  const upstream = await startStreaming()
  const gw = await startGateway({ upstream })
  const exp = Math.floor(Date.now() / 1000) + 2
  const res = await open(gw, { token: await gw.token({ exp }), body: searchCall })
  await nextText(res)
  while (Date.now() <= exp * 1000 + 100) await delay(50)
  const result = { content: [{ type: 'text', text: 'late' }] }
  upstream.streams[0]!.end(event({ jsonrpc: '2.0', id: 1, result }))
  expect(await nextText(res)).toContain('"late"')
})

test('N06 a stream for news ends when its token does', slow, async () => {
  const upstream = await startStreaming()
  const gw = await startGateway({ upstream })
  const exp = Math.floor(Date.now() / 1000) + 2
  const res = await open(gw, { token: await gw.token({ exp }), method: 'GET' })
  await nextText(res)
  res.resume()
  await once(res, 'end')
  await eventually(async () => (await gw.records()).at(-1)).toMatchObject({ error: 'token.expired' })
  expect(Date.now() / 1000).toBeGreaterThanOrEqual(exp)
})

test('N11 what a resumed stream replays is filtered like the answer it replays', async () => {
  const tools = ['search_notes', 'delete_everything'].map((name) => ({
    name,
    inputSchema: { type: 'object' },
  }))
  const upstream = await startUpstream((hit, res) => {
    if (hit.method === 'POST') {
      res.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's1' })
      res.end('{"jsonrpc":"2.0","id":1,"result":{"capabilities":{}}}')
      return
    }
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.end(event({ jsonrpc: '2.0', id: 2, result: { tools } }))
  })
  const gw = await startGateway({ upstream })
  const token = await gw.token()
  const first = await send(gw, { token, body: legacy('initialize', { protocolVersion: '2025-11-25' }) })
  const headers = { 'mcp-session-id': first.headers['mcp-session-id'], 'last-event-id': '1' }
  const replayed = await send(gw, { token, method: 'GET', headers })
  expect(upstream.hits[1]!.headers['last-event-id']).toBe('1')
  expect(replayed.text).toContain('search_notes')
  expect(replayed.text).not.toContain('delete_everything')
})

test('N11 without a session of the caller an event id resumes nothing', async () => {
  const upstream = await startStreaming()
  const gw = await startGateway({ upstream })
  const headers = { 'last-event-id': 'event-of-somebody-else' }
  const res = await open(gw, { token: await gw.token(), method: 'GET', headers })
  await nextText(res)
  expect(upstream.hits[0]!.headers['last-event-id']).toBeUndefined()
  res.destroy()
})

test('N21 line breaks inside a message do not make two messages of it', async () => {
  const inner = 'x\n\ndata: {"jsonrpc":"2.0","method":"evil"}\n\nevent: evil\r\n\r\n'
  const notice = {
    jsonrpc: '2.0',
    method: 'notifications/message',
    params: { level: 'info', data: inner },
  }
  const lines = JSON.stringify(notice, undefined, 1).split('\n')
  const upstream = await startUpstream((_, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.end(
      lines
        .map((line) => `data: ${line}\r`)
        .join('')
        .concat('\r'),
    )
  })
  const gw = await startGateway({ upstream })
  const answer = await send(gw, { token: await gw.token(), method: 'GET' })
  expect(answer.text).toBe(event(notice))
})

test('closing the gateway ends its streams', async () => {
  const upstream = await startStreaming()
  const gw = await startGateway({ upstream })
  const res = await open(gw, { token: await gw.token(), body: searchCall })
  await nextText(res)
  res.resume()
  const ended = once(res, 'end')
  await gw.gateway.close()
  await ended
})
