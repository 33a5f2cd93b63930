import { createServer } from 'node:net'
import { Refusal } from '@warder/protocol'
import { describe, expect, test } from 'vitest'
import { createOutbound, createUserFetch, findProxy, type Network } from '../src/index.ts'
import { startProxy } from './local-proxy.ts'
import { serve } from './local-server.ts'
import { serveSecurely } from './secure-server.ts'
import { selfSigned } from './self-signed.ts'

const token = 'canary-4f9a-token'
const identity = selfSigned('as.example')
const post = {
  method: 'POST',
  body: `grant_type=refresh_token&refresh_token=${token}`,
  statuses: 'any',
  accept: 'application/json',
  maxBytes: 1000,
} as const

const through = (proxy: { readonly url: string }, no?: string): Network => ({
  proxies: { http: proxy.url, https: proxy.url, no },
  ca: [identity.cert],
})

const reasonOf = (error: unknown): string =>
  error instanceof Refusal ? error.reason : `threw ${String(error)}`

/** Nobody may resolve a name behind a proxy. */
const mustNotResolve = (): never => {
  throw new Error('resolved')
}

describe('what a token is in goes through a proxy as TLS', () => {
  test('Q29 CL-68 outbound: CONNECT alone, and the token is in nothing that the proxy saw', async () => {
    await using server = await serveSecurely(identity)
    await using proxy = await startProxy(server.port)
    const fetch = createOutbound({ network: through(proxy), resolve: mustNotResolve })
    const answer = await fetch('https://as.example/token?x=1', {
      ...post,
      headers: { authorization: `Basic ${token}` },
    })
    expect(answer.status).toBe(200)
    expect(proxy.tunnels.map(({ authority }) => authority)).toEqual(['as.example:443'])
    expect(proxy.requests).toEqual([])
    expect(Buffer.concat(proxy.seen).length).toBeGreaterThan(500)
    expect(JSON.stringify(proxy.tunnels) + Buffer.concat(proxy.seen).toString('latin1')).not.toContain(token)
    expect(server.requests).toMatchObject([
      {
        line: 'POST /token?x=1',
        body: post.body,
        headers: { authorization: `Basic ${token}`, host: 'as.example' },
      },
    ])
  })

  test('Q29 the fetch for the user’s own server: CONNECT alone, also for the second request', async () => {
    await using server = await serveSecurely(identity)
    await using proxy = await startProxy(server.port)
    const fetch = createUserFetch(through(proxy))
    for (const id of [1, 2]) {
      const answer = await fetch('https://as.example/mcp', {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ id }),
      })
      expect(await answer.text()).toBe('{}')
    }
    expect(proxy.requests).toEqual([])
    expect(new Set(proxy.tunnels.map(({ authority }) => authority))).toEqual(new Set(['as.example:443']))
    expect(Buffer.concat(proxy.seen).toString('latin1')).not.toContain(token)
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${token}`,
      `Bearer ${token}`,
    ])
  })

  test('Q29 a token is not sent over plain http through a proxy; twin: what has none is', async () => {
    await using proxy = await startProxy(1)
    const fetch = createUserFetch(through(proxy))
    const refused = fetch('http://mcp.example/mcp', { headers: { Authorization: `Bearer ${token}` } })
    await expect(refused).rejects.toMatchObject({ reason: 'outbound.url' })
    expect([proxy.requests, proxy.tunnels]).toEqual([[], []])
    const answer = await fetch('http://mcp.example/mcp?a=b', {})
    expect(await answer.text()).toBe('from the proxy')
    expect(proxy.requests).toMatchObject([
      { line: 'GET http://mcp.example/mcp?a=b', headers: { host: 'mcp.example' } },
    ])
  })

  test('the password of a proxy goes to the proxy, not to the server', async () => {
    await using server = await serveSecurely(identity)
    await using proxy = await startProxy(server.port)
    const url = proxy.url.replace('http://', 'http://us%40er:se%3Acret@')
    await createOutbound({ network: through({ url }) })('https://as.example/token', post)
    const expected = `Basic ${Buffer.from('us@er:se:cret').toString('base64')}`
    expect(proxy.tunnels[0]?.headers['proxy-authorization']).toBe(expected)
    expect(Object.keys(server.requests[0]?.headers ?? {})).not.toContain('proxy-authorization')
  })

  test('a proxy that speaks TLS itself', async () => {
    await using server = await serveSecurely(identity)
    const own = selfSigned('proxy.example')
    await using proxy = await startProxy(server.port, { identity: own })
    const network = { ...through(proxy), ca: [identity.cert, own.cert] }
    // Its certificate is for a name, and it is reached by an address.
    const refused = createOutbound({ network })('https://as.example/token', post)
    await expect(refused).rejects.toMatchObject({ reason: 'outbound.unreachable' })
    expect(proxy.tunnels).toEqual([])
    const fitting = { ...network, proxies: { https: proxy.url.replace('127.0.0.1', 'localhost') } }
    const local = selfSigned('localhost')
    await using second = await startProxy(server.port, { identity: local })
    const good = {
      ...fitting,
      proxies: { https: second.url.replace('127.0.0.1', 'localhost') },
      ca: [identity.cert, local.cert],
    }
    expect((await createOutbound({ network: good })('https://as.example/token', post)).status).toBe(200)
  })
})

describe('a proxy that does not help', () => {
  test.each([403, 407, 502])('status %i is said, its words are not', async (status) => {
    await using proxy = await startProxy(1, { status })
    const url = proxy.url.replace('http://', 'http://user:secret@')
    const network = through({ url })
    for (const answered of [
      createOutbound({ network })('https://as.example/token', post),
      createUserFetch(network)('https://as.example/mcp', {}),
    ]) {
      const error = await answered.catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ reason: 'outbound.unreachable' })
      const { message } = error as Refusal
      expect(message).toContain(String(status))
      expect(message).not.toMatch(/words|secret/)
    }
  })

  test('E07 a proxy that says nothing ends at the deadline', async () => {
    await using proxy = await startProxy(1, { status: 0 })
    const answered = createOutbound({ network: through(proxy) })('https://as.example/token', {
      ...post,
      timeoutMs: 80,
    })
    await expect(answered).rejects.toMatchObject({ reason: 'outbound.timeout' })
  })

  test('a proxy that speaks before us is not the server', async () => {
    const early = createServer((socket) => {
      socket.on('error', () => {}).resume()
      socket.end('HTTP/1.1 200 ok\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')
    })
    await new Promise<void>((done) => early.listen(0, '127.0.0.1', done))
    const { port } = early.address() as { port: number }
    const answered = createOutbound({ network: through({ url: `http://127.0.0.1:${port}` }) })(
      'https://as.example/token',
      post,
    )
    await expect(answered).rejects.toMatchObject({ reason: 'outbound.unreachable' })
    await new Promise((done) => early.close(done))
  })
})

describe('what no proxy is asked for', () => {
  test.each([
    'https://127.0.0.1/',
    'https://10.0.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/',
    'https://[fd00:ec2::254]/',
    'https://localhost/',
    'https://printer.local/',
    'https://metadata.google.internal/',
    'https://intranet/',
    'http://as.example/',
  ])('CL-66 %s is refused, and the proxy hears nothing', async (url) => {
    await using proxy = await startProxy(1)
    const reason = await createOutbound({ network: through(proxy) })(url, post).then(() => 'sent', reasonOf)
    expect(reason).toMatch(/^outbound\.(address|url)$/)
    expect([proxy.tunnels, proxy.requests]).toEqual([[], []])
  })

  test('this machine is never behind a proxy', async () => {
    await using server = await serve((_, response) => response.end('{}'))
    await using proxy = await startProxy(1)
    const network = through(proxy)
    const answer = await createOutbound({ network, reach: 'loopback' })(`${server.origin}/token`, post)
    expect(answer.status).toBe(200)
    const fetched = await createUserFetch(network)(`http://localhost:${server.port}/mcp`, {
      headers: { authorization: `Bearer ${token}` },
    })
    expect(fetched.status).toBe(200)
    expect([proxy.tunnels, proxy.requests]).toEqual([[], []])
  })

  const direct = [
    '*',
    'as.example',
    '.example',
    'example',
    'other.test, as.example',
    'as.example:PORT',
    '*.example',
    'AS.Example',
  ]
  const proxied = [
    '',
    's.example',
    'notas.example',
    'as.example:1',
    'as.example.test',
    '10.0.0.0/8',
    'a s.example.test',
  ]
  test.each([...direct.map((no) => [no, 0] as const), ...proxied.map((no) => [no, 1] as const)])(
    'NO_PROXY=%s: tunnels %i',
    async (no, count) => {
      await using server = await serveSecurely(identity)
      await using proxy = await startProxy(server.port)
      const network = through(proxy, no.replace('PORT', String(server.port)))
      const resolve = async () => [{ address: '127.0.0.1' }]
      const fetch = createOutbound({ network, resolve, reach: 'loopback' })
      expect((await fetch(`https://as.example:${server.port}/token`, post)).status).toBe(200)
      expect(proxy.tunnels).toHaveLength(count)
    },
  )

  test.each([
    ['10.1.2.3', '10.0.0.0/8', false],
    ['11.1.2.3', '10.0.0.0/8', true],
    ['10.1.2.3', '10.1.2.3', false],
    ['10.1.2.3', '2.3', true],
    ['[fd00::1]', 'fd00::/8', false],
    ['[fd00::1]', '[fd00::1]', false],
    ['[fd00::1]', '[fd00::1]:443', false],
    ['[fd00::1]', '10.0.0.0/8, nonsense/99', true],
  ])('an address %s with NO_PROXY=%s: by the proxy: %s', (host, no, isProxied) => {
    const found = findProxy(new URL(`https://${host}/`), { https: 'http://proxy:3128', no })
    expect(found?.href).toBe(isProxied ? 'http://proxy:3128/' : undefined)
  })
})
