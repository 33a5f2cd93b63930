import dns from 'node:dns'
import dnsPromises from 'node:dns/promises'
import { getEventListeners } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import {
  connect,
  createServer,
  getDefaultAutoSelectFamily,
  type Socket,
  setDefaultAutoSelectFamily,
} from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createOutbound, createUserFetch } from '../src/index.ts'
import { listen, serve } from './local-server.ts'
import { serveSecurely } from './secure-server.ts'
import { selfSigned } from './self-signed.ts'

const authorization = 'Bearer canary-77-token'

describe('the fetch for the user’s own server', () => {
  test('streams: an event is read while the answer goes on', async () => {
    let say = (_text: string): void => {}
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      say = (text) => response.write(text)
    })
    const answer = await createUserFetch()(server.origin, { headers: { accept: 'text/event-stream' } })
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    const reader = answer.body!.getReader()
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      say(event)
      const { value } = await reader.read()
      expect(Buffer.from(value!).toString()).toBe(event)
    }
    await reader.cancel()
  })

  test.each(['nothing', 'one event', 'while an event is awaited'])(
    'whoever stops reading after %s closes the connection',
    async (when) => {
      const closed = Promise.withResolvers<void>()
      await using server = await serve((request, response) => {
        request.socket.on('close', () => closed.resolve())
        response.write('data: 1\n\n')
      })
      const answer = await createUserFetch()(server.origin, {})
      const reader = answer.body!.getReader()
      if (when !== 'nothing') await reader.read()
      const next = when === 'while an event is awaited' ? reader.read() : undefined
      await reader.cancel()
      expect((await next)?.done ?? true).toBe(true)
      await closed.promise
    },
  )

  test('an abort ends it while it connects, while it waits and while it reads', async () => {
    await using silent = await listen(undefined)
    await using waiting = await serve(() => {})
    await using reading = await serve((_, response) => response.write('data'))
    for (const url of [`https://127.0.0.1:${silent.port}/`, waiting.origin]) {
      const stop = new AbortController()
      const answer = createUserFetch()(url, { signal: stop.signal })
      setTimeout(() => stop.abort(new Error('enough')), 30)
      await expect(answer).rejects.toThrow('enough')
    }
    const stop = new AbortController()
    const answer = await createUserFetch()(reading.origin, { signal: stop.signal })
    const reader = answer.body!.getReader()
    await reader.read()
    stop.abort(new Error('enough'))
    await expect(reader.read()).rejects.toThrow()
    const before = AbortSignal.abort(new Error('before'))
    for (const url of [`https://127.0.0.1:${silent.port}/`, reading.origin]) {
      await expect(createUserFetch()(url, { signal: before })).rejects.toThrow('before')
    }
    expect(reading.requests).toHaveLength(1)
  })

  test('a fetch that ended leaves nothing behind on its signal, which may live on for many others', async () => {
    await using server = await serve((_, response) => response.end('{}'))
    const { signal } = new AbortController()
    const answer = await createUserFetch()(server.origin, { signal })
    expect(await answer.text()).toBe('{}')
    await setImmediate()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test.each(['all of it was there', 'it was aborted'])(
    'a body that nobody read when %s ends nothing but itself',
    async (when) => {
      const uncaught: unknown[] = []
      const note = (error: unknown): number => uncaught.push(error)
      process.on('uncaughtException', note)
      onTestFinished(() => void process.off('uncaughtException', note))
      await using server = await serve((_, response) => {
        if (when === 'all of it was there') response.end('{}')
        else response.write('{')
      })
      const stop = new AbortController()
      const { body } = await createUserFetch()(server.origin, { signal: stop.signal })
      if (when === 'it was aborted') stop.abort(new Error('enough'))
      else await body!.cancel()
      for (let turn = 0; turn < 3; turn++) await setImmediate()
      expect(uncaught).toEqual([])
    },
  )

  test('one connection that is silent keeps no other request waiting', async () => {
    const identity = selfSigned('localhost')
    await using server = await serveSecurely(identity)
    const reached = Promise.withResolvers<void>()
    const sockets: Socket[] = []
    const front = createServer((socket) => {
      const connections = sockets.push(socket.on('error', () => {}))
      reached.resolve()
      if (connections > 1) socket.pipe(connect(server.port, '127.0.0.1')).pipe(socket)
    })
    await new Promise<void>((done) => front.listen(0, '127.0.0.1', done))
    const url = `https://localhost:${(front.address() as { port: number }).port}/mcp`
    const fetch = createUserFetch({ ca: [identity.cert] })
    const stop = new AbortController()
    const silent = fetch(url, { signal: stop.signal }).catch(() => ({ status: 'the silent one ended first' }))
    await reached.promise
    expect((await Promise.race([fetch(url, {}), silent])).status).toBe(200)
    stop.abort()
    await silent
    for (const socket of sockets) socket.destroy()
    front.close()
  })

  test('we say who asks, unless the caller does', async () => {
    await using server = await serve((_, response) => response.end())
    await createUserFetch()(server.origin, {})
    await createUserFetch()(server.origin, { headers: { 'User-Agent': 'other' } })
    expect(server.requests.map(({ headers }) => headers['user-agent'])).toEqual(['warder', 'other'])
  })

  test.each([301, 302, 303, 307, 308])(
    'CL-67 a redirect (%i) comes back as it is, and the token goes to no other origin',
    async (status) => {
      await using thief = await serve((_, response) => response.end())
      await using server = await serve((_, response) =>
        response.writeHead(status, { location: `${thief.origin}/mcp` }).end(),
      )
      const answer = await createUserFetch()(server.origin, { headers: { authorization } })
      expect([answer.status, answer.headers.get('location')]).toEqual([status, `${thief.origin}/mcp`])
      expect([server.requests.length, thief.requests.length]).toEqual([1, 0])
    },
  )

  test('CL-65 a token is not sent over http to another machine; twin: to this one it is', async () => {
    const fetch = createUserFetch()
    for (const host of ['192.0.2.7', 'mcp.example', 'localhost.example']) {
      const answer = fetch(`http://${host}/mcp`, { headers: { AUTHORIZATION: authorization } })
      await expect(answer).rejects.toMatchObject({ reason: 'outbound.url' })
    }
    await using server = await serve((_, response) => response.end())
    await fetch(`http://localhost:${server.port}/mcp`, { headers: { authorization } })
    expect(server.requests[0]?.headers.authorization).toBe(authorization)
  })

  test('CL-65 no name server is asked for a name of this computer; twin: for another one it is', async () => {
    await using server = await serve((_, response) => response.end('{}'))
    const asked: string[] = []
    const unknown = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
    vi.spyOn(dns, 'lookup').mockImplementation(((name: string, ...rest: unknown[]) => {
      asked.push(name)
      const callback = rest.at(-1) as (error: Error) => void
      process.nextTick(callback, unknown)
    }) as never)
    vi.spyOn(dnsPromises, 'lookup').mockImplementation(async (name) => {
      asked.push(name)
      throw unknown
    })
    syncBuiltinESMExports()
    onTestFinished(() => {
      vi.restoreAllMocks()
      syncBuiltinESMExports()
    })
    for (const host of ['app.localhost', 'localhost']) {
      const url = `http://${host}:${server.port}/mcp`
      await createUserFetch()(url, { headers: { authorization } })
      const found = await createOutbound({ reach: 'loopback' })(url, { accept: '*/*', maxBytes: 10 })
      expect([found.status, server.requests.at(-2)?.headers.authorization]).toEqual([200, authorization])
    }
    expect(asked).toEqual([])
    const elsewhere = 'https://localhost.example/'
    await expect(createUserFetch()(elsewhere, {})).rejects.toMatchObject({ reason: 'outbound.unreachable' })
    await expect(createOutbound()(elsewhere, { accept: '*/*', maxBytes: 10 })).rejects.toMatchObject({
      reason: 'outbound.unreachable',
    })
    expect(asked).toEqual(['localhost.example', 'localhost.example'])
  })

  test.each([true, false])(
    'CL-65 a name of this computer is found whether Node asks for all its addresses or for one (all: %s)',
    async (isAll) => {
      const before = getDefaultAutoSelectFamily()
      setDefaultAutoSelectFamily(isAll)
      onTestFinished(() => setDefaultAutoSelectFamily(before))
      await using server = await serve((_, response) => response.end('{}'))
      const answer = await createUserFetch()(`http://app.localhost:${server.port}/mcp`, {})
      expect(await answer.text()).toBe('{}')
    },
  )

  test('statuses without a body, and errors, come back as they are', async () => {
    await using server = await serve((request, response) => {
      response.writeHead(Number(request.url?.slice(1)), { 'www-authenticate': 'Bearer' }).end()
    })
    for (const status of [202, 204, 304, 400, 401, 403, 404, 500, 503]) {
      const answer = await createUserFetch()(`${server.origin}/${status}`, {})
      expect([answer.status, answer.headers.get('www-authenticate'), await answer.text()]).toEqual([
        status,
        'Bearer',
        '',
      ])
    }
  })

  test.each([600, 799, 999])(
    'status %i, which HTTP does not have, is refused and not read',
    async (status) => {
      const closed = Promise.withResolvers<void>()
      await using server = await serve((request, response) => {
        request.socket.on('close', () => closed.resolve())
        response.writeHead(status).write('endless')
      })
      await expect(createUserFetch()(`${server.origin}/mcp?x`, {})).rejects.toMatchObject({
        reason: 'outbound.content',
        notes: { detail: `127.0.0.1:${server.port} answered with status ${status}` },
      })
      await closed.promise
    },
  )

  test.each([102, 103, 199])('status %i is no answer yet: the one after it comes back', async (status) => {
    const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'
    await using server = await listen(`HTTP/1.1 ${status} wait\r\nx-early: 1\r\n\r\n${answer}`)
    const { status: last, headers } = await createUserFetch()(`http://127.0.0.1:${server.port}/`, {})
    expect([last, headers.has('x-early')]).toEqual([200, false])
  })

  test('twin: 599 comes back', async () => {
    await using server = await serve((_, response) => response.writeHead(599).end())
    expect((await createUserFetch()(server.origin, {})).status).toBe(599)
  })

  test('an encoded body that nobody asked for is refused; what belongs to the connection is not the caller’s', async () => {
    await using server = await serve((request, response) => {
      response.writeHead(200, { 'content-encoding': request.url === '/gzip' ? 'gzip' : 'identity' }).end('x')
    })
    const headers = { host: 'evil.example', 'content-length': '7', 'proxy-authorization': 'Basic x' }
    const answer = await createUserFetch()(server.origin, { method: 'POST', body: 'body', headers })
    expect(answer.status).toBe(200)
    expect(server.requests[0]?.headers).toMatchObject({
      host: `127.0.0.1:${server.port}`,
      'content-length': '4',
      'accept-encoding': 'identity',
    })
    expect(server.requests[0]?.headers).not.toHaveProperty('proxy-authorization')
    await expect(createUserFetch()(`${server.origin}/gzip`, {})).rejects.toMatchObject({
      reason: 'outbound.content',
    })
  })

  test.each([
    [200, 'gzip'],
    [205, 'identity'],
  ])(
    'a body that is not wanted is not read: the connection is closed (status %i, %s)',
    async (status, encoding) => {
      const closed = Promise.withResolvers<void>()
      await using server = await serve((request, response) => {
        request.socket.on('close', () => closed.resolve())
        response.writeHead(status, { 'content-encoding': encoding }).write('endless')
      })
      await createUserFetch()(server.origin, {}).catch(() => {})
      await closed.promise
      expect(server.requests).toHaveLength(1)
    },
  )

  test('nobody there: a refusal that names the host and no more', async () => {
    const server = await serve(() => {})
    await server[Symbol.asyncDispose]()
    const answer = createUserFetch()(`${server.origin}/mcp?x`, { headers: { authorization } })
    await expect(answer).rejects.toMatchObject({
      reason: 'outbound.unreachable',
      notes: { detail: `127.0.0.1:${server.port}: ECONNREFUSED` },
    })
  })
})

describe('POST of the outbound fetch', () => {
  const request = { method: 'POST', body: 'a=b&c=d', accept: 'application/json', maxBytes: 50 } as const
  const type = { 'content-type': 'application/x-www-form-urlencoded' }

  test('sends its body and its type, once', async () => {
    const bodies: string[] = []
    await using server = await serve(async (incoming, response) => {
      for await (const part of incoming) bodies.push(String(part))
      response.end('{"ok":1}')
    })
    const fetch = createOutbound({ reach: 'loopback' })
    const answer = await fetch(`${server.origin}/token`, { ...request, headers: type })
    expect(Buffer.from(answer.body).toString()).toBe('{"ok":1}')
    expect([bodies, server.requests[0]?.method, server.requests[0]?.headers['content-type']]).toEqual([
      ['a=b&c=d'],
      'POST',
      type['content-type'],
    ])
  })

  test.each([200, 201, 400, 401, 403, 404, 429, 500, 503])(
    'status %i with its body is an answer where any is; where not, only 200 is',
    async (status) => {
      await using server = await serve((_, response) =>
        response.writeHead(status, { 'retry-after': '1' }).end('{"error":"x"}'),
      )
      const fetch = createOutbound({ reach: 'loopback' })
      const answer = await fetch(server.origin, { ...request, statuses: 'any' })
      expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([status, '{"error":"x"}'])
      expect(answer.headers.get('retry-after')).toBe('1')
      const strict = fetch(server.origin, request).then(
        () => 'answered',
        (error: { reason: string }) => error.reason,
      )
      expect(await strict).toBe(status === 200 ? 'answered' : 'outbound.status')
    },
  )

  test.each([301, 302, 303, 304, 307, 308])(
    'CL-67 a redirect (%i) is refused all the same',
    async (status) => {
      await using server = await serve((_, response) => response.writeHead(status, { location: '/' }).end())
      const answer = createOutbound({ reach: 'loopback' })(server.origin, { ...request, statuses: 'any' })
      await expect(answer).rejects.toMatchObject({
        reason: status === 304 ? 'outbound.status' : 'outbound.redirect',
      })
      expect(server.requests).toHaveLength(1)
    },
  )

  test('Q06 a large error is refused like a large document', async () => {
    await using server = await serve((_, response) => response.writeHead(400).end('x'.repeat(51)))
    const answer = createOutbound({ reach: 'loopback' })(server.origin, { ...request, statuses: 'any' })
    await expect(answer).rejects.toMatchObject({ reason: 'outbound.too-large' })
  })

  test('a POST that was sent and got no answer is not sent again', async () => {
    await using server = await serve((incoming) => incoming.socket.destroy())
    const answer = createOutbound({ reach: 'loopback' })(server.origin, { ...request, statuses: 'any' })
    await expect(answer).rejects.toMatchObject({ reason: 'outbound.unreachable' })
    expect(server.requests).toHaveLength(1)
  })
})
