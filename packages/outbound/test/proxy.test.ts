import { createServer, Socket } from 'node:net'
import { Refusal } from '@warder/protocol'
import { describe, expect, test, vi } from 'vitest'
import { createOutbound, createUserFetch, findProxy, type Network, type Reach } from '../src/index.ts'
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

  test.each([
    ['', undefined],
    ['user@', 'user:'],
    [':secret@', ':secret'],
    ['user:secret@', 'user:secret'],
  ])('a proxy whose URL has the user information %j is told %j', async (credentials, pair) => {
    await using server = await serveSecurely(identity)
    await using proxy = await startProxy(server.port)
    const network = through({ url: proxy.url.replace('http://', `http://${credentials}`) })
    await createOutbound({ network })('https://as.example/token', post)
    await createUserFetch(network)('https://as.example/mcp', {})
    await createUserFetch(network)('http://mcp.example/mcp', {})
    const told = [...proxy.tunnels, ...proxy.requests].map(({ headers }) => headers['proxy-authorization'])
    const expected = pair && `Basic ${Buffer.from(pair).toString('base64')}`
    expect(told).toEqual([expected, expected, expected])
  })

  test('Q29 the fetch for the user’s own server: the proxy is asked for its port', async () => {
    await using server = await serveSecurely(identity)
    await using proxy = await startProxy(server.port)
    const fetch = createUserFetch(through(proxy))
    for (const port of ['', ':443', ':8443']) await fetch(`https://as.example${port}/mcp`, {})
    expect(proxy.tunnels.map(({ authority }) => authority)).toEqual([
      'as.example:443',
      'as.example:443',
      'as.example:8443',
    ])
  })

  test.each([
    ['localhost', 'localhost'],
    // RFC 6066 section 3: an address is no name.
    ['127.0.0.1', false],
  ])('a proxy that speaks TLS itself at %s is asked for by that name (%s)', async (host, servername) => {
    await using server = await serveSecurely(identity)
    const own = selfSigned(host)
    await using proxy = await startProxy(server.port, { identity: own })
    const network = {
      proxies: { https: proxy.url.replace('127.0.0.1', host) },
      ca: [identity.cert, own.cert],
    }
    expect((await createOutbound({ network })('https://as.example/token', post)).status).toBe(200)
    expect(proxy.tunnels).toMatchObject([{ authority: 'as.example:443', servername }])
  })

  test.each([
    ['http://192.0.2.1', '192.0.2.1', 80],
    ['https://192.0.2.1', '192.0.2.1', 443],
    ['https://192.0.2.1:8443', '192.0.2.1', 8443],
    ['http://[2001:db8::1]', '2001:db8::1', 80],
  ])('the proxy %s is at %s, port %i', async (https, host, port) => {
    const tried: unknown[] = []
    const connect = vi.spyOn(Socket.prototype, 'connect')
    connect.mockImplementation(function (this: Socket, ...given: unknown[]) {
      const [to] = given.flat() as { host?: unknown; port?: unknown }[]
      tried.push([to?.host, Number(to?.port)])
      process.nextTick(() => this.destroy(new Error('no network in this test')))
      return this
    })
    const network = { proxies: { https } }
    const answered = createOutbound({ network })('https://as.example/token', post).then(
      () => 'sent',
      reasonOf,
    )
    expect(await answered.finally(() => connect.mockRestore())).toBe('outbound.unreachable')
    expect(tried).toEqual([[host, port]])
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
  test.each([100, 199, 300, 403, 407, 502])('status %i is said, its words are not', async (status) => {
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
      expect(message).toContain(`: status ${status}`)
      expect(message).not.toMatch(/words|secret/)
    }
    await Promise.all(proxy.tunnels.map(({ closed }) => closed))
    expect(proxy.tunnels).toHaveLength(2)
  })

  test.each([200, 201, 299])('twin: status %i is a tunnel', async (status) => {
    await using server = await serveSecurely(identity)
    await using proxy = await startProxy(server.port, { status })
    const network = through(proxy)
    expect((await createOutbound({ network })('https://as.example/token', post)).status).toBe(200)
    expect((await createUserFetch(network)('https://as.example/mcp', {})).status).toBe(200)
  })

  test('a proxy that is not there is named, with what went wrong', async () => {
    const proxy = await startProxy(1)
    await proxy[Symbol.asyncDispose]()
    const answered = createOutbound({ network: through(proxy) })('https://as.example/token', post)
    await expect(answered).rejects.toMatchObject({
      reason: 'outbound.unreachable',
      notes: { detail: `as.example by the proxy ${new URL(proxy.url).host}: ECONNREFUSED` },
    })
  })

  test('a proxy that cannot be spoken to is an error, and not left out', async () => {
    await using server = await serveSecurely(identity)
    for (const url of ['socks5://127.0.0.1:1080', 'http://', 'http://%zz@127.0.0.1']) {
      const [network, resolve] = [through({ url }), async () => [{ address: '127.0.0.1' }]]
      const there = `https://as.example:${server.port}/token`
      expect(() => findProxy(new URL(there), network.proxies)).toThrow('not an http or https URL')
      const outbound = createOutbound({ network, resolve, reach: 'loopback' })(there, post)
      await expect(outbound).rejects.toThrow('not an http or https URL')
      await expect(createUserFetch(network)(there, {})).rejects.toThrow('not an http or https URL')
    }
    expect(server.requests).toEqual([])
  })

  test('E07 a proxy that says nothing ends at the deadline', async () => {
    await using proxy = await startProxy(1, { status: 0 })
    const answered = createOutbound({ network: through(proxy) })('https://as.example/token', {
      ...post,
      timeoutMs: 80,
    })
    await expect(answered).rejects.toMatchObject({ reason: 'outbound.timeout' })
  })

  test.each(['x', ''])('what a proxy says first in a tunnel (%j) is never thrown away', async (early) => {
    await using server = await serveSecurely(identity)
    await using proxy = await startProxy(server.port, { early })
    const network = through(proxy)
    const outcomes = await Promise.all(
      [
        createOutbound({ network })('https://as.example/token', post),
        createUserFetch(network)('https://as.example/mcp', {}),
      ].map((answered) => answered.then(({ status }) => status, reasonOf)),
    )
    const expected = early === '' ? 200 : 'outbound.unreachable'
    expect(outcomes).toEqual([expected, expected])
    expect(server.requests).toHaveLength(early === '' ? 2 : 0)
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

  test.each<readonly [Reach, string]>([
    ['loopback', 'https://10.0.0.1/'],
    ['loopback', 'https://169.254.169.254/latest/meta-data'],
    ['loopback', 'https://printer.local/'],
    ['loopback', 'https://metadata.google.internal/'],
    ['loopback', 'https://intranet/'],
    ['loopback', 'https://as.example:6379/'],
    ['private', 'https://127.0.0.1/'],
    ['private', 'https://localhost/'],
    ['private', 'https://169.254.169.254/latest/meta-data'],
    ['private', 'https://metadata.google.internal/'],
    ['private', 'http://as.internal/'],
  ])('CL-66 from a %s server %s is refused, and the proxy hears nothing', async (reach, url) => {
    await using proxy = await startProxy(1)
    const fetch = createOutbound({ network: through(proxy), reach, resolve: mustNotResolve })
    expect(await fetch(url, post).then(() => 'sent', reasonOf)).toMatch(/^outbound\.(address|url)$/)
    expect([proxy.tunnels, proxy.requests]).toEqual([[], []])
  })

  test.each(['public', 'private', 'loopback'] as const)(
    'CL-66 twin: from a %s server a name of the Internet is asked of the proxy',
    async (reach) => {
      await using server = await serveSecurely(identity)
      await using proxy = await startProxy(server.port)
      const fetch = createOutbound({ network: through(proxy), reach, resolve: mustNotResolve })
      expect((await fetch('https://as.example/token', post)).status).toBe(200)
      expect(proxy.tunnels).toHaveLength(1)
    },
  )

  test('Q29 nor for plain http, which goes to this machine alone, by whatever name', async () => {
    await using server = await serve((_, response) => response.end('{}'))
    await using proxy = await startProxy(1)
    const resolve = async () => [{ address: '127.0.0.1' }]
    const fetch = createOutbound({ network: through(proxy), reach: 'loopback', resolve })
    expect((await fetch(`http://mine.example:${server.port}/token`, post)).status).toBe(200)
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
    ['[fd00::1]', 'fd00::1', false],
    ['[fd00:12::1]', 'fd00:12::1', false],
    ['[fd00::1]', 'fd00::2', true],
    ['[fd00::1]', '[fd00::1]:8443', true],
    ['[fd00::1]', '[fd00::1]', false],
    ['[fd00::1]', '[fd00::1]:443', false],
    ['[fd00::1]', '10.0.0.0/8, nonsense/99', true],
  ])('an address %s with NO_PROXY=%s: by the proxy: %s', (host, no, isProxied) => {
    const found = findProxy(new URL(`https://${host}/`), { https: 'http://proxy:3128', no })
    expect(found?.href).toBe(isProxied ? 'http://proxy:3128/' : undefined)
  })

  test.each([
    ['http://mcp.example/', '', 'http://for-http/'],
    ['https://mcp.example/', '', 'http://for-https/'],
    ['http://mcp.example/', 'mcp.example:80', undefined],
    ['http://mcp.example/', 'mcp.example:443', 'http://for-http/'],
    ['https://mcp.example/', 'mcp.example:80', 'http://for-https/'],
    ['https://mcp.example/', 'mcp.example:443', undefined],
    ['https://mcp.example:8443/', 'mcp.example:443', 'http://for-https/'],
    // A gap in the list says nothing: all names end in it, that of the root too.
    ['https://mcp.example./', ' , a.example,, b.example ,', 'http://for-https/'],
    ['https://mcp.example./', ' , a.example,, mcp.example. ,', undefined],
  ])('the proxy for %s with NO_PROXY=%j: %s', (url, no, proxy) => {
    const found = findProxy(new URL(url), { http: 'http://for-http', https: 'http://for-https', no })
    expect(found?.href).toBe(proxy)
  })

  test('without proxies, and without one for the scheme, there is none', () => {
    for (const proxies of [undefined, {}, { http: 'http://proxy' }, { no: '*' }]) {
      expect(findProxy(new URL('https://mcp.example/'), proxies)).toBeUndefined()
    }
  })
})
