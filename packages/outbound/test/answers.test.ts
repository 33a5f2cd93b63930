import type { ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { Refusal } from '@warder/protocol'
import { describe, expect, test, vi } from 'vitest'
import { createOutbound, type OutboundRequest } from '../src/index.ts'
import { listen, serve } from './local-server.ts'

const document = { accept: 'application/json', maxBytes: 5000 }
const fetch = createOutbound({ dangerouslyAllowFetch: () => true })

/** The refusal; fails the test when there was none. */
async function refusalOf(url: string, request: OutboundRequest = document): Promise<Refusal> {
  const error: unknown = await fetch(url, request).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Refusal)
  return error as Refusal
}

const reply =
  (status: number, headers: Record<string, string> = {}, body = '{}') =>
  (_: unknown, response: ServerResponse): void => {
    response.writeHead(status, headers)
    response.end(status === 204 || status === 304 ? undefined : body)
  }

describe('status', () => {
  test('E06 twin: 200 comes back with headers and bytes', async () => {
    await using server = await serve(
      reply(200, { 'content-type': 'application/json', etag: '"a"' }, '{"a":"é"}'),
    )
    const answer = await fetch(`${server.origin}/doc`, document)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('etag')).toBe('"a"')
    expect(new TextDecoder().decode(answer.body)).toBe('{"a":"é"}')
  })

  test('each line of a repeated header comes back', async () => {
    await using server = await listen('HTTP/1.1 200 OK\r\nx-a: b\r\nx-a: c\r\ncontent-length: 2\r\n\r\n{}')
    const { headers } = await fetch(`http://127.0.0.1:${server.port}/`, document)
    expect(headers.get('x-a')).toBe('b, c')
  })

  test.each([201, 202, 203, 204, 206, 400, 401, 404, 410, 429, 500, 503])(
    'E06 status %i is refused',
    async (status) => {
      await using server = await serve(reply(status))
      expect((await refusalOf(`${server.origin}/doc`)).reason).toBe('outbound.status')
    },
  )

  test('E06 the body of another status is not read, and its connection is closed', async () => {
    let isClosed = false
    await using server = await serve((_, response) => {
      response.on('close', () => {
        isClosed = true
      })
      response.writeHead(404)
      response.write('x'.repeat(6000))
    })
    expect((await refusalOf(`${server.origin}/doc`)).reason).toBe('outbound.status')
    await expect.poll(() => isClosed).toBe(true)
  })

  test('E06 304 is refused when nobody asked for it, and answered when somebody did', async () => {
    await using server = await serve(reply(304, { etag: '"a"' }))
    expect((await refusalOf(`${server.origin}/doc`)).reason).toBe('outbound.status')
    const answer = await fetch(`${server.origin}/doc`, { ...document, headers: { 'If-None-Match': '"a"' } })
    expect([answer.status, answer.body.byteLength]).toEqual([304, 0])
    expect(server.requests[1]?.headers['if-none-match']).toBe('"a"')
  })

  test('E05 E06 who asked for news only gets no other status either', async () => {
    const asked = { ...document, headers: { 'if-modified-since': 'Thu, 01 Jan 2026 00:00:00 GMT' } }
    for (const [status, reason] of [
      [404, 'outbound.status'],
      [302, 'outbound.redirect'],
    ] as const) {
      await using server = await serve(reply(status, { location: '/other' }))
      expect((await refusalOf(`${server.origin}/doc`, asked)).reason).toBe(reason)
    }
    await using same = await serve(reply(304))
    expect((await fetch(`${same.origin}/doc`, asked)).status).toBe(304)
  })

  test.each([300, 301, 302, 303, 305, 307, 308])(
    'E05 redirect %i is refused, not followed',
    async (status) => {
      await using target = await serve(reply(200))
      await using server = await serve(reply(status, { location: `${target.origin}/doc` }))
      expect((await refusalOf(`${server.origin}/doc`)).reason).toBe('outbound.redirect')
      expect(target.connections).toBe(0)
      expect(server.requests.length).toBe(1)
    },
  )

  test('E05 a Refresh header is refused, and a meta refresh is text like any other', async () => {
    await using target = await serve(reply(200))
    await using refresh = await serve(reply(200, { refresh: `0; url=${target.origin}` }))
    expect((await refusalOf(`${refresh.origin}/doc`)).reason).toBe('outbound.redirect')
    const html = `<meta http-equiv="refresh" content="0; url=${target.origin}">`
    await using meta = await serve(reply(200, { 'content-type': 'text/html' }, html))
    expect(new TextDecoder().decode((await fetch(`${meta.origin}/`, document)).body)).toBe(html)
    expect(target.connections).toBe(0)
  })
})

describe('size and encoding', () => {
  const bomb = gzipSync(Buffer.alloc(10_000_000))

  test('E07 a body of exactly the cap is answered, one byte more is refused', async () => {
    await using exact = await serve(reply(200, {}, 'x'.repeat(5000)))
    expect((await fetch(`${exact.origin}/`, document)).body.byteLength).toBe(5000)
    await using more = await serve(reply(200, {}, 'x'.repeat(5001)))
    expect((await refusalOf(`${more.origin}/`)).reason).toBe('outbound.too-large')
  })

  test('E07 a length of exactly the cap is read, one byte more is not', async () => {
    for (const [length, outcome] of [
      [5000, 200],
      [5001, 'outbound.too-large'],
    ] as const) {
      await using server = await serve(reply(200, { 'content-length': `${length}` }, 'x'.repeat(length)))
      const answer = fetch(`${server.origin}/`, document)
      expect(
        await answer.then(
          ({ status }) => status,
          ({ reason }: Refusal) => reason,
        ),
      ).toBe(outcome)
    }
  })

  test('E07 a chunked body is counted while it streams: an endless one ends at the cap', async () => {
    let sent = 0
    let isClosed = false
    await using server = await serve((_, response) => {
      response.on('close', () => {
        isClosed = true
      })
      const pump = (): void => {
        while (!isClosed) {
          sent += 1000
          if (!response.write('x'.repeat(1000))) return void response.once('drain', pump)
        }
      }
      pump()
    })
    expect((await refusalOf(`${server.origin}/`)).reason).toBe('outbound.too-large')
    await expect.poll(() => isClosed).toBe(true)
    expect(sent).toBeGreaterThan(5000)
  })

  test('E07 a length that promises too much is refused before the body is read', async () => {
    await using server = await listen(`HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n{}`)
    expect((await refusalOf(`http://127.0.0.1:${server.port}/`)).reason).toBe('outbound.too-large')
  })

  test.each(['gzip', 'br', 'deflate', 'zstd', 'x-unknown', 'identity, gzip'])(
    'E07 a body in %s is refused undecoded',
    async (encoding) => {
      await using server = await serve((_, response) => {
        response.writeHead(200, { 'content-encoding': encoding })
        response.end(bomb)
      })
      const answer = await refusalOf(`${server.origin}/`, { ...document, maxBytes: 1_000_000 })
      expect(answer.reason).toBe('outbound.content')
      expect(server.requests[0]?.headers['accept-encoding']).toBe('identity')
    },
  )

  test('E07 a transfer coding other than chunked is refused', async () => {
    await using server = await listen('HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n')
    expect((await refusalOf(`http://127.0.0.1:${server.port}/`)).reason).toMatch(
      /^outbound\.(content|unreachable)$/,
    )
  })

  test('E07 twin: content-encoding identity is no encoding', async () => {
    await using server = await serve(reply(200, { 'content-encoding': 'identity' }))
    expect((await fetch(`${server.origin}/`, document)).status).toBe(200)
  })

  test('a body that ends before its length is refused', async () => {
    await using server = await listen('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"half":')
    expect((await refusalOf(`http://127.0.0.1:${server.port}/`)).reason).toBe('outbound.unreachable')
  })
})

describe('deadline', () => {
  const soon = { ...document, timeoutMs: 60 }

  test('E07 a body that drips ends at the deadline', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write('x'), 10)
      response.on('close', () => clearInterval(drip))
    })
    expect((await refusalOf(`${server.origin}/`, soon)).reason).toBe('outbound.timeout')
  })

  test('a fetch that ended in time leaves its deadline behind nowhere', async () => {
    await using server = await serve(reply(200))
    const [set, clear] = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'clearTimeout')]
    await fetch(`${server.origin}/`, { ...document, timeoutMs: 61_234 })
    const at = set.mock.calls.findIndex(([, delay]) => delay === 61_234)
    expect(at).toBeGreaterThanOrEqual(0)
    expect(clear).toHaveBeenCalledWith(set.mock.results[at]?.value)
    vi.restoreAllMocks()
  })

  test('a server that accepts and says nothing ends at the deadline', async () => {
    await using server = await listen(undefined)
    expect((await refusalOf(`http://127.0.0.1:${server.port}/`, soon)).reason).toBe('outbound.timeout')
  })

  test('a resolver that never answers ends at the deadline', async () => {
    const slow = createOutbound({ resolve: () => new Promise(() => {}) })
    const error: unknown = await slow('https://client.example/', soon).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ reason: 'outbound.timeout' })
  })

  test('a resolver that fails, or a port where nobody listens, is unreachable', async () => {
    const failing = createOutbound({ resolve: () => Promise.reject(new Error('SERVFAIL')) })
    const error: unknown = await failing('https://client.example/', document).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ reason: 'outbound.unreachable' })
    const server = await listen(undefined)
    await server[Symbol.asyncDispose]()
    expect((await refusalOf(`http://127.0.0.1:${server.port}/`)).reason).toBe('outbound.unreachable')
  })
})

describe('what is said', () => {
  test('E31 the log learns where it went wrong and by which code, and of a foreign error no more', async () => {
    const failing = async (cause: unknown): Promise<string | undefined> => {
      const resolve = (): Promise<never> => Promise.reject(cause)
      const answer = createOutbound({ resolve })('https://client.example:8443/', document)
      const refusal: unknown = await answer.catch((thrown: unknown) => thrown)
      expect(refusal).toMatchObject({ reason: 'outbound.unreachable' })
      return (refusal as Refusal).notes.detail
    }
    expect(await failing(Object.assign(new Error('words'), { code: 'ENOTFOUND' }))).toBe(
      'client.example:8443: ENOTFOUND',
    )
    expect(await failing(new TypeError('words'))).toBe('client.example:8443: TypeError')
    expect(await failing('words')).toBe('client.example:8443: unknown')
  })

  test('E31 every trouble says the same to the peer, and nothing of the remote body is kept', async () => {
    const secret = 'INNER-SECRET-42'
    await using failing = await serve(reply(500, { 'x-inner': secret }, secret))
    await using broken = await listen(`${secret} is no HTTP at all\r\n\r\n`)
    await using moved = await serve(reply(302, { location: `http://127.0.0.1/${secret}` }))
    await using closed = await listen(undefined)
    const urls = [
      failing.origin,
      `http://127.0.0.1:${broken.port}`,
      moved.origin,
      `http://127.0.0.1:${closed.port}`,
    ]
    const refusals = await Promise.all(
      urls.map((url) => refusalOf(`${url}/`, { ...document, timeoutMs: 300 })),
    )
    for (const refusal of refusals)
      expect(inspect(refusal, { depth: 9, showHidden: true })).not.toContain(secret)
    const said = refusals.filter(({ reason }) => reason !== 'outbound.redirect').map(({ rule }) => rule.says)
    expect(new Set(said).size).toBe(1)
  })

  test('headers of the connection cannot be set by the caller', async () => {
    await using server = await serve(reply(200))
    const headers = {
      Host: 'inner',
      Cookie: 'a=b',
      'Accept-Encoding': 'gzip',
      Accept: 'text/html',
      'x-a': '1',
    }
    await fetch(`${server.origin}/`, { ...document, headers })
    expect(server.requests[0]?.headers).toMatchObject({
      host: new URL(server.origin).host,
      'accept-encoding': 'identity',
      accept: 'application/json',
      'x-a': '1',
    })
    expect(server.requests[0]?.headers).not.toHaveProperty('cookie')
  })

  test('we say who asks, unless the caller does', async () => {
    await using server = await serve(reply(200))
    await fetch(`${server.origin}/`, document)
    await fetch(`${server.origin}/`, { ...document, headers: { 'User-Agent': 'other' } })
    expect(server.requests.map(({ headers }) => headers['user-agent'])).toEqual(['warder', 'other'])
  })
})
