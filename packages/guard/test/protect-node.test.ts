import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { createGuard, type GuardedMessage, protectNode } from '@warder/guard'
import express from 'express'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { call, issuer, policy, post, request, signer, start } from './fixture.ts'

type Handler = (request: GuardedMessage, response: ServerResponse) => unknown

const server = createServer().listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const { port } = server.address() as AddressInfo
const url = `http://127.0.0.1:${port}/notes/mcp`
const guard = createGuard({
  issuer,
  resource: url,
  server: 'notes',
  policy: () => policy,
  now: () => start,
  keys: { jwks: async () => ({ keys: [signer.jwk] }) },
  findUser: () => ({ names: ['owner'], groups: [] }),
})
const token = await signer.sign({ aud: url })
let handle: Handler
let reached = 0
const app = express()
const guarded = protectNode(guard, (incoming, outgoing) => {
  reached += 1
  return handle(incoming, outgoing)
})
app.use('/notes', guarded)
app.use((incoming: IncomingMessage, outgoing: ServerResponse) => guarded(incoming, outgoing))
server.on('request', (incoming, outgoing) => {
  // A body parser in front of the guard, as somebody might mount one.
  if (incoming.url === '/parsed') incoming.resume().on('end', () => app(incoming, outgoing))
  else app(incoming, outgoing)
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
beforeEach(() => {
  reached = 0
})

const send = (message: unknown, sent: Parameters<typeof post>[1] = { token }): Promise<Response> =>
  fetch(post(message, { url, ...sent }))
/** Answers the status line of a request that is written by hand, its body in as many pieces as there are. */
const raw = (lines: readonly string[], pieces: readonly string[] = [JSON.stringify(call('search_notes'))]) =>
  new Promise<string>((resolve, reject) => {
    const length = Buffer.byteLength(pieces.join(''))
    const head = ['POST /notes/mcp HTTP/1.1', 'Connection: close', ...lines]
    const more = ['Content-Type: application/json', `Content-Length: ${length}`, '', '']
    const socket = connect(port, '127.0.0.1', async () => {
      socket.setNoDelay()
      socket.write([...head, ...more].join('\r\n'))
      for (const piece of pieces) {
        await new Promise((written) => socket.write(piece, written))
        await new Promise((later) => setTimeout(later, 20))
      }
    })
    let text = ''
    socket.on('data', (data) => {
      text += data
    })
    socket.on('close', () => resolve(text.split('\r\n')[0] ?? ''))
    socket.on('error', reject)
  })
const line = `Authorization: Bearer ${token}`
const host = `Host: 127.0.0.1:${port}`
const result = (value: object): string => JSON.stringify({ jsonrpc: '2.0', id: 1, result: value })
const json = { 'content-type': 'application/json' }
const sse = { 'content-type': 'text/event-stream' }
const tools = result({
  tools: [
    { name: 'search_notes', inputSchema: {} },
    { name: 'wipe_disk', inputSchema: {} },
  ],
})
const event = (data: string): string => `event: message\ndata: ${data}\n\n`

describe('a handler of node:http or express behind the guard', () => {
  it('RS-14 RS-17 an open call reaches it with the message that was read, and the token is in no header of it', async () => {
    let seen: unknown
    handle = (incoming, outgoing) => {
      const { headers, headersDistinct, rawHeaders, body } = incoming
      seen = { body, accept: headers.accept, more: incoming.headersDistinct['accept']?.length }
      outgoing.writeHead(200, json).end(JSON.stringify([headers, headersDistinct, rawHeaders]))
    }
    const response = await send(call('search_notes', { text: 'é' }))
    const text = await response.text()
    expect(response.status).toBe(200)
    expect(seen).toEqual({
      body: call('search_notes', { text: 'é' }),
      accept: 'application/json, text/event-stream',
      more: 1,
    })
    expect(text).toContain('text/event-stream')
    expect(text.toLowerCase()).not.toMatch(/authorization|bearer/)
    for (const part of token.split('.')) expect(text).not.toContain(part)
  })
  it.each([
    ['GW-57 without a token', 401, call('search_notes'), {}],
    ['RS-27 with a changed token', 401, call('search_notes'), { token: `${token}A` }],
    ['RS-21 a locked call', 403, call('create_note'), { token }],
    ['M09 a hidden call', 200, call('wipe_disk'), { token }],
    ['M01 a batch', 400, [call('search_notes')], { token }],
    [
      'OT-12 another origin',
      403,
      call('search_notes'),
      { token, headers: { origin: 'https://evil.example' } },
    ],
  ])('%s reaches nothing', async (_, status, message, sent) => {
    handle = (_incoming, outgoing) => outgoing.end()
    const response = await send(message, sent)
    expect([response.status, reached]).toEqual([status, 0])
    await response.text()
    expect((await send(call('search_notes'))).status).toBe(200)
    expect(reached).toBe(1)
  })
  it('G30 two Authorization lines are refused, although Node keeps only the first', async () => {
    handle = (_incoming, outgoing) => outgoing.end()
    expect(await raw([host, line])).toContain(' 200 ')
    expect(await raw([host, line, line])).toContain(' 401 ')
    expect(await raw([host, line, `Host: evil.example`])).toContain(' 400 ')
  })
  it('GW-02 each Host is looked at, also between two that are right', async () => {
    handle = (_incoming, outgoing) => outgoing.end()
    for (const [sent, status] of [
      [host, ' 200 '],
      ['Host: evil.example', ' 421 '],
      [host, ' 200 '],
      [`Host: 127.1:${port}`, ' 400 '],
      [host, ' 200 '],
    ] as const)
      expect(await raw([sent, line])).toContain(status)
    expect(reached).toBe(3)
  })
  it('a body that comes in pieces is read and decided about as a whole', async () => {
    const bodies: unknown[] = []
    handle = (incoming, outgoing) => {
      bodies.push(incoming.body)
      outgoing.end()
    }
    const cut = (message: unknown): readonly string[] => {
      const text = JSON.stringify(message)
      return [text.slice(0, 40), text.slice(40, 55), text.slice(55)]
    }
    const open = call('search_notes', { text: 'é' })
    expect(await raw([host, line], cut(open))).toContain(' 200 ')
    expect(await raw([host, line], cut(call('create_note', { text: 'é' })))).toContain(' 403 ')
    expect(bodies).toEqual([open])
  })
  it('G41 behind a body parser the guard refuses', async () => {
    handle = (_incoming, outgoing) => outgoing.end()
    const status = async (path: string): Promise<number> =>
      (await fetch(post(call('search_notes'), { url: `http://127.0.0.1:${port}${path}`, token }))).status
    expect([await status('/parsed'), reached]).toEqual([500, 0])
    expect([await status('/other'), reached]).toEqual([200, 1])
  })
  it('an error of the handler leaves the headers that were there before it', async () => {
    handle = (_incoming, outgoing) => {
      outgoing.setHeader('x-powered-by', 'the handler')
      throw new Error('no')
    }
    for (const message of [call('search_notes'), request('tools/list')])
      expect((await send(message)).headers.get('x-powered-by')).toBe('Express')
  })
  it('an error of the handler is a 500 without details and without its headers', async () => {
    handle = (_incoming, outgoing) => {
      outgoing.setHeader('content-length', '3')
      throw new Error('password=hunter2')
    }
    for (const message of [call('search_notes'), request('tools/list')]) {
      const response = await send(message)
      expect(response.status).toBe(500)
      expect(await response.text()).not.toContain('hunter2')
    }
  })
})

describe('what a handler writes about lists goes through the filter', () => {
  const ways: Readonly<Record<string, Handler>> = {
    'end alone': (_, outgoing) => outgoing.writeHead(200, json).end(tools),
    'headers in turn': (_, outgoing) =>
      outgoing.writeHead(200, ['content-type', json['content-type']]).end(tools),
    'setHeader and pieces': (_, outgoing) => {
      outgoing.setHeader('content-type', json['content-type'])
      outgoing.setHeader('content-length', String(tools.length))
      outgoing.write(tools.slice(0, 30))
      outgoing.write(Buffer.from(tools.slice(30)), () => outgoing.end())
    },
    'an event': (_, outgoing) => {
      outgoing.writeHead(200, sse).flushHeaders()
      outgoing.write(event(tools))
      outgoing.end()
    },
    'res.json of express': (_, outgoing) => (outgoing as express.Response).json(JSON.parse(tools)),
  }
  it.each(Object.keys(ways))('N03 RS-34 written as %s, a hidden tool is not in it', async (way) => {
    handle = ways[way] as Handler
    const response = await send(request('tools/list'))
    const text = await response.text()
    expect(response.status).toBe(200)
    expect(text).toContain('search_notes')
    expect(text).not.toContain('wipe_disk')
    expect(response.headers.get('cache-control')).toBe('no-store')
  })
  it.each([
    ['cut off', json, '{"tools":["wipe_disk"]'],
    ['of another type', { 'content-type': 'text/html' }, '<p>wipe_disk</p>'],
    ['without a type', {}, tools],
    ['an event that is no message', sse, 'data: wipe_disk\n\n'],
  ])('N02 an answer %s is 502', async (_, headers, body) => {
    handle = (_incoming, outgoing) => outgoing.writeHead(200, { ...headers, 'x-own': 'wipe_disk' }).end(body)
    const response = await send(request('tools/list'))
    expect(response.status).toBe(502)
    expect(response.headers.get('x-own')).toBeNull()
    expect(await response.json()).toMatchObject({ id: 1, error: { code: -32603 } })
  })
  it.each<[status: number, headers: Record<string, string>, name: string, wanted: string | null]>([
    [405, {}, 'allow', 'POST'],
    [405, { allow: 'POST, DELETE' }, 'allow', 'POST, DELETE'],
    [503, { 'retry-after': '7' }, 'retry-after', '7'],
    [404, {}, 'allow', null],
    [400, {}, 'allow', null],
  ])('N02 a refusal %i with %j keeps its status, in words of ours', async (status, headers, name, wanted) => {
    handle = (_incoming, outgoing) =>
      outgoing.writeHead(status, { ...headers, 'x-own': 'wipe_disk' }).end('wipe_disk')
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
    expect([response.status, response.headers.get(name), response.headers.get('x-own')]).toEqual([
      status,
      wanted,
      null,
    ])
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { message: expect.any(String) } })
  })
  it('N02 twin: a JSON-RPC error passes as the handler wrote it', async () => {
    const error = { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }
    handle = (_incoming, outgoing) => outgoing.writeHead(404, json).end(JSON.stringify(error))
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
    expect([response.status, await response.json()]).toEqual([404, error])
  })
  it('N02 a stream that turns bad ends with an error, and what is written later stays here', async () => {
    const good = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
    handle = async (_incoming, outgoing) => {
      outgoing.writeHead(200, sse)
      outgoing.write(event(good))
      await new Promise((resolve) => setTimeout(resolve, 20))
      outgoing.write('data: {wipe_disk\n\n')
      outgoing.write(event('"wipe_disk"'))
      outgoing.end()
    }
    const text = await (await send(request('tools/list', {}, 'q'))).text()
    expect(text).toContain('list_changed')
    expect(text).toContain('"id":"q","error":{"code":-32603')
    expect(text).not.toContain('wipe_disk')
  })
  it('GW-10 the head of an open stream comes at once, its events one by one, and a client that leaves is heard of', async () => {
    let left = false
    let outgoing: ServerResponse | undefined
    handle = (_incoming, response) => {
      outgoing = response
      response.writeHead(200, sse).flushHeaders()
      response.on('close', () => {
        left = true
      })
    }
    const leaving = new AbortController()
    const get = new Request(url, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
      signal: leaving.signal,
    })
    const response = await fetch(get)
    expect(response.status).toBe(200)
    expect(outgoing?.headersSent).toBe(true)
    const reader = response.body!.getReader()
    outgoing?.write(event(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })))
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('list_changed')
    leaving.abort()
    await expect.poll(() => left).toBe(true)
  })
  it('an answer without a body passes as it is', async () => {
    handle = (_incoming, outgoing) => outgoing.writeHead(202).end()
    const response = await send(request('tools/list'))
    expect([response.status, await response.text()]).toEqual([202, ''])
  })
})
