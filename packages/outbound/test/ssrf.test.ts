import dnsPromises from 'node:dns/promises'
import { syncBuiltinESMExports } from 'node:module'
import { Socket } from 'node:net'
import { inspect } from 'node:util'
import { Refusal } from '@warder/protocol'
import fc from 'fast-check'
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createOutbound, isPublicAddress, type OutboundOptions } from '../src/index.ts'
import { listen, serve } from './local-server.ts'

const document = { accept: 'application/json', maxBytes: 5000, timeoutMs: 2000 }

/** The reason of the refusal; fails the test when there was none. */
async function reasonOf(url: string, options: OutboundOptions = {}): Promise<string> {
  const answer = createOutbound(options)(url, document)
  const error: unknown = await answer.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Refusal)
  return (error as Refusal).reason
}

const resolveTo =
  (...addresses: string[]) =>
  async (): Promise<{ address: string }[]> =>
    addresses.map((address) => ({ address }))

// Every TCP connection of this process, TLS or not, begins here; watching it shows that no socket was opened.
const connect = vi.spyOn(Socket.prototype, 'connect')
beforeEach(() => {
  connect.mockClear()
})
afterEach(() => vi.unstubAllEnvs())

const innerAddresses = [
  ['0/8', '0.0.0.0'],
  ['0/8', '0.1.2.3'],
  ['10/8', '10.0.0.1'],
  ['100.64/10', '100.64.0.1'],
  ['100.64/10', '100.100.100.200'],
  ['100.64/10', '100.127.255.255'],
  ['127/8', '127.0.0.1'],
  ['127/8', '127.255.255.254'],
  ['169.254/16', '169.254.169.254'],
  ['172.16/12', '172.16.0.1'],
  ['172.16/12', '172.31.255.255'],
  ['192.0.0/24', '192.0.0.192'],
  ['192.0.2/24', '192.0.2.1'],
  ['192.88.99/24', '192.88.99.1'],
  ['192.168/16', '192.168.1.1'],
  ['198.18/15', '198.18.0.1'],
  ['198.18/15', '198.19.255.255'],
  ['198.51.100/24', '198.51.100.7'],
  ['203.0.113/24', '203.0.113.7'],
  ['224/4', '224.0.0.1'],
  ['224/4', '239.255.255.255'],
  ['240/4', '240.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['Azure wire server', '168.63.129.16'],
  ['::', '::'],
  ['::1', '::1'],
  ['compatible', '::127.0.0.1'],
  ['compatible', '::808:808'],
  ['fc00::/7', 'fc00::1'],
  ['fc00::/7', 'fd00:ec2::254'],
  ['fe80::/10', 'fe80::1'],
  ['fe80::/10 with zone', 'fe80::1%eth0'],
  ['2000::/3 with zone', '2606:4700::1111%eth0'],
  ['fec0::/10', 'fec0::1'],
  ['ff00::/8', 'ff02::1'],
  ['mapped', '::ffff:127.0.0.1'],
  ['mapped', '::ffff:7f00:1'],
  ['mapped public', '::ffff:8.8.8.8'],
  ['translated', '::ffff:0:127.0.0.1'],
  ['64:ff9b::/96', '64:ff9b::7f00:1'],
  ['64:ff9b::/96', '64:ff9b::169.254.169.254'],
  ['64:ff9b:1::/48', '64:ff9b:1::7f00:1'],
  ['100::/64', '100::1'],
  ['2002::/16', '2002:7f00:1::1'],
  ['2002::/16 public', '2002:808:808::1'],
  ['Teredo', '2001::1'],
  ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  ['ORCHID', '2001:10::1'],
  ['benchmarking', '2001:2::1'],
  ['documentation', '2001:db8::1'],
  ['documentation', '3fff::1'],
  ['6bone', '3ffe::1'],
  ['segment routing', '5f00::1'],
  ['ISATAP', '2606:4700::5efe:7f00:1'],
  ['ISATAP', '2606:4700::5efe:10.0.0.1'],
  ['ISATAP, universal bit', '2606:4700::200:5efe:7f00:1'],
  ['no address', 'localhost'],
  ['no address', ''],
] as const

const publicAddresses = [
  '8.8.8.8',
  '1.1.1.1',
  '172.15.255.255',
  '172.32.0.1',
  '100.63.255.255',
  '11.0.0.1',
  '192.0.1.1',
  '223.255.255.255',
  '2606:4700::1111',
  '2a00:1450:4001::1',
  '2606:4700::5eff:1:1',
  '2606:4700::1:5efe:808:808',
]

describe('addresses', () => {
  test.each(innerAddresses)(
    'AS-25 E10 a name at %s (%s) is refused and no socket is opened',
    async (_, address) => {
      expect(await reasonOf('https://client.example/doc', { resolve: resolveTo(address) })).toBe(
        'outbound.address',
      )
      expect(connect).not.toHaveBeenCalled()
    },
  )

  test.each(['127.0.0.1', '::ffff:127.0.0.1', '0.0.0.0'])(
    'E10 a listener on loopback hears nothing when a name is at %s',
    async (address) => {
      await using tripwire = await listen(undefined)
      const url = `https://client.example:${tripwire.port}/doc`
      expect(await reasonOf(url, { resolve: resolveTo(address) })).toBe('outbound.address')
      expect(tripwire.connections).toBe(0)
      expect(connect).not.toHaveBeenCalled()
    },
  )

  test('E10 twin: the same listener is reached when the test says so', async () => {
    await using server = await serve((_, response) => response.end('{}'))
    const fetch = createOutbound({ dangerouslyAllowFetch: () => true, resolve: resolveTo('127.0.0.1') })
    const answer = await fetch(`http://client.example:${server.port}/doc?x=1`, document)
    expect(answer.status).toBe(200)
    expect(server.requests[0]?.headers.host).toBe(`client.example:${server.port}`)
    expect(server.requests[0]?.url).toBe('/doc?x=1')
    expect(connect).toHaveBeenCalledTimes(1)
  })

  test.each(innerAddresses)('E10 isPublicAddress says no to %s (%s)', (_, address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  test.each(publicAddresses)('E10 twin: isPublicAddress says yes to %s', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  test('E10 an IPv4 address inside any known IPv6 wrapping is never public', () => {
    const wrap = (a: number, b: number): string[] => {
      const [high, low] = [a.toString(16), b.toString(16)]
      const prefixes = [
        '::',
        '::ffff:',
        '::ffff:0:',
        '64:ff9b::',
        '64:ff9b:1::',
        '2606:4700::5efe:',
        '2606:4700::200:5efe:',
      ]
      return [
        ...prefixes.map((prefix) => `${prefix}${high}:${low}`),
        `2002:${high}:${low}::1`,
        `2001:0:${high}:${low}::`,
      ]
    }
    const half = fc.integer({ min: 0, max: 0xffff })
    fc.assert(fc.property(half, half, (a, b) => wrap(a, b).every((address) => !isPublicAddress(address))))
  })

  test('E13 one private address among public ones refuses the whole fetch', async () => {
    const resolve = resolveTo('8.8.8.8', '10.0.0.1', '1.1.1.1')
    expect(await reasonOf('https://client.example/doc', { resolve })).toBe('outbound.address')
    expect(connect).not.toHaveBeenCalled()
  })

  test('E13 the resolver of the system is asked for all addresses; twin: where all fit, it is fetched', async () => {
    await using server = await serve((_, response) => response.end('{}'))
    // The name server, which no test has.
    let known: { address: string; family: number }[] = []
    const lookup = vi.spyOn(dnsPromises, 'lookup')
    lookup.mockImplementation((async (_: string, options: { all?: boolean }) =>
      options.all ? known : known[0]) as never)
    syncBuiltinESMExports()
    onTestFinished(() => {
      lookup.mockRestore()
      syncBuiltinESMExports()
    })
    known = [
      { address: '8.8.8.8', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ]
    expect(await reasonOf('https://client.example/doc')).toBe('outbound.address')
    expect(connect).not.toHaveBeenCalled()
    known = [
      { address: '127.0.0.9', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ]
    const fetch = createOutbound({ reach: 'loopback' })
    expect((await fetch(`http://client.example:${server.port}/doc`, document)).status).toBe(200)
  })

  test('E35 a public IPv4 address does not excuse a private IPv6 one', async () => {
    const resolve = resolveTo('8.8.8.8', 'fd00::1')
    expect(await reasonOf('https://client.example/doc', { resolve })).toBe('outbound.address')
    expect(connect).not.toHaveBeenCalled()
  })

  test('E35 only checked addresses are tried, in their order, and the next one after a failure', async () => {
    await using server = await serve((_, response) => response.end('{}'))
    const resolve = resolveTo('127.0.0.9', '127.0.0.1')
    const fetch = createOutbound({ dangerouslyAllowFetch: () => true, resolve })
    expect((await fetch(`http://client.example:${server.port}/`, document)).status).toBe(200)
    expect(connect.mock.calls.map(([to]) => hostOf(to))).toEqual(['127.0.0.9', '127.0.0.1'])
    connect.mockClear()
    const turned = createOutbound({
      dangerouslyAllowFetch: () => true,
      resolve: resolveTo('127.0.0.1', '127.0.0.9'),
    })
    expect((await turned(`http://client.example:${server.port}/`, document)).status).toBe(200)
    expect(connect.mock.calls.map(([to]) => hostOf(to))).toEqual(['127.0.0.1'])
  })

  /** As where no packet comes back. */
  const silenceNext = (sockets: Socket[]): void =>
    void connect.mockImplementationOnce(function (this: Socket) {
      sockets.push(this)
      return this
    })

  test('E35 a silent address is given up in time for the next one', async () => {
    const sockets: Socket[] = []
    silenceNext(sockets)
    await using server = await serve((_, response) => response.end('{}'))
    const resolve = resolveTo('127.0.0.9', '127.0.0.1')
    const fetch = createOutbound({ dangerouslyAllowFetch: () => true, resolve })
    expect((await fetch(`http://client.example:${server.port}/`, document)).status).toBe(200)
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true])
    expect(connect.mock.calls.map(([to]) => hostOf(to))).toEqual(['127.0.0.9', '127.0.0.1'])
  })

  test('E35 the address that was connected to is not given up later, however slow the answer', async () => {
    await using server = await serve((_, response) => setTimeout(() => response.end('{}'), 150))
    // Each one's share of the time is a 200th: 50 ms.
    const resolve = resolveTo(...Array<string>(200).fill('127.0.0.1'))
    const fetch = createOutbound({ dangerouslyAllowFetch: () => true, resolve })
    const answer = await fetch(`http://client.example:${server.port}/`, { ...document, timeoutMs: 10_000 })
    expect(answer.status).toBe(200)
  })

  test('E07 E35 where all are silent, each was tried once, and the deadline ends the last', async () => {
    const sockets: Socket[] = []
    for (let i = 0; i < 2; i++) silenceNext(sockets)
    await using server = await serve((_, response) => response.end('{}'))
    const resolve = resolveTo('127.0.0.9', '127.0.0.1')
    const fetch = createOutbound({ dangerouslyAllowFetch: () => true, resolve })
    const answer = fetch(`http://client.example:${server.port}/`, { ...document, timeoutMs: 300 })
    await expect(answer).rejects.toMatchObject({ reason: 'outbound.timeout' })
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true])
    expect(connect.mock.calls.map(([to]) => hostOf(to))).toEqual(['127.0.0.9', '127.0.0.1'])
  })

  test.each([true, false])(
    'a name without an address is refused (any address allowed: %s)',
    async (isAllowed) => {
      const fetch = createOutbound({ resolve: resolveTo(), dangerouslyAllowFetch: () => isAllowed })
      await expect(fetch('https://client.example/doc', document)).rejects.toMatchObject({
        reason: 'outbound.unreachable',
        notes: { detail: 'client.example has no address' },
      })
      expect(connect).not.toHaveBeenCalled()
    },
  )
})

/** The host of a call of `socket.connect`, whose arguments net has normalized into a list before. */
function hostOf(to: unknown): unknown {
  const options: unknown = Array.isArray(to) ? to[0] : to
  return (options as { host?: unknown }).host
}

describe('names and rebinding', () => {
  test('E12 a name that is public first and loopback then is resolved once, and the checked address is connected to', async () => {
    const answers = ['8.8.8.8', '127.0.0.1', '127.0.0.1']
    const resolve = vi.fn(async () => [{ address: answers.shift() ?? '127.0.0.1' }])
    // The one place where the real network would be reached: the socket gives up before its first packet.
    connect.mockImplementationOnce(function (this: Socket) {
      setImmediate(() => this.destroy(new Error('not in a test')))
      return this
    })
    await using tripwire = await listen(undefined)
    const url = `https://client.example:${tripwire.port}/doc`
    expect(await reasonOf(url, { resolve })).toBe('outbound.unreachable')
    expect(resolve).toHaveBeenCalledTimes(1)
    expect(connect.mock.calls.map(([to]) => hostOf(to))).toEqual(['8.8.8.8'])
    expect(tripwire.connections).toBe(0)
  })

  test('E12 twin: with a real server the first answer is used and the second is never asked for', async () => {
    await using server = await serve((_, response) => response.end('{}'))
    await using other = await serve((_, response) => response.end('{}'), '127.0.0.2', server.port)
    const answers = ['127.0.0.1', '127.0.0.2']
    const resolve = vi.fn(async () => [{ address: answers.shift() ?? '127.0.0.2' }])
    const fetch = createOutbound({ dangerouslyAllowFetch: () => true, resolve })
    await fetch(`http://client.example:${server.port}/`, document)
    expect([server.connections, other.connections, resolve.mock.calls.length]).toEqual([1, 0, 1])
  })

  test.each([
    'localhost',
    'localhost.',
    'client.example.',
    'a.localhost',
    'metadata.google.internal',
    'x.internal',
    'printer.local',
    'router.lan',
    'nas.home.arpa',
    'intranet',
    'metadata',
    'LOCALHOST',
  ])('E14 https://%s/ is refused before it is resolved, even when it would be public', async (name) => {
    const resolve = vi.fn(resolveTo('8.8.8.8'))
    expect(await reasonOf(`https://${name}/doc`, { resolve })).toBe('outbound.address')
    expect(resolve).not.toHaveBeenCalled()
  })

  test('E14 a public name at an inner address, as 127.0.0.1.nip.io is, is refused', async () => {
    const resolve = resolveTo('127.0.0.1')
    expect(await reasonOf('https://127.0.0.1.nip.io/doc', { resolve })).toBe('outbound.address')
  })

  test('E14 the resolver of the system answers for names too, and its loopback answers are refused', async () => {
    await using server = await serve((_, response) => response.end('{}'))
    const fetch = createOutbound({ dangerouslyAllowFetch: (url) => url.hostname === 'localhost' })
    expect((await fetch(`http://localhost:${server.port}/`, document)).status).toBe(200)
    expect(await reasonOf(`https://localhost:${server.port}/`)).toBe('outbound.address')
  })
})

describe('spelling', () => {
  test.each([
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://127.0.0.1./',
    'https://127.0.0.01/',
    'https://134744072/',
    'https://8.8.2056/',
    'https://[0:0:0:0:0:0:0:1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[fe80::1%25eth0]/',
    'https://[::1/',
    'https://[v1.x]/',
    'https://%31%32%37.0.0.1/',
    'https://a\\@b.example/',
    'https://a.example\\b/',
    'https://user@a.example/',
    'https://user:word@a.example/',
    'https://@a.example/',
    'https://a.example/#part',
    'https://a.example/#',
    'https://a.ex\tample/',
    'https://a.example/\r\nx: y',
    ' https://a.example/',
    'https://a.example/ ',
    'https:a.example/',
    'https:///a.example/',
    'https:/a.example/',
    'HTTPS://a.example/',
    'https://ⓔxample.com/',
    'https://a。example/',
    'https://',
    'https://:443/',
    'https://a.example:99999/',
    'ftp://a.example/',
    'ftp://a.example/https://a.example/',
    'file:///etc/passwd',
    'data:text/plain,x',
    '//a.example/',
    '',
    `https://a.example/${'x'.repeat(2048)}`,
  ])('E11 %j is refused for its spelling, also where every URL is allowed', async (url) => {
    const resolve = vi.fn(resolveTo('8.8.8.8'))
    expect(await reasonOf(url, { resolve, dangerouslyAllowFetch: () => true })).toBe('outbound.url')
    expect(resolve).not.toHaveBeenCalled()
    expect(connect).not.toHaveBeenCalled()
  })

  test.each([
    'https://127.0.0.1/',
    'https://10.1.2.3/',
    'https://169.254.169.254/latest',
    'https://[::1]/',
    'https://[::ffff:7f00:1]/',
    'https://[::FFFF:7F00:1]/',
    'https://[fd00::1]/',
    'https://[64:ff9b::7f00:1]/',
  ])('E11 the plain literal %s is judged by its address', async (url) => {
    expect(await reasonOf(url)).toBe('outbound.address')
    expect(connect).not.toHaveBeenCalled()
  })

  test('E11 twin: a URL of exactly 2,048 characters is judged by its address', async () => {
    const url = `https://a.example/${'x'.repeat(2048 - 18)}`
    expect(url.length).toBe(2048)
    expect(await reasonOf(url, { resolve: resolveTo('127.0.0.1') })).toBe('outbound.address')
  })

  test('E31 a refused URL does not bring its password into the log', async () => {
    const answer = createOutbound()('https://user:word@a.example/', document)
    const error = await answer.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Refusal)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('word')
  })

  test.each([
    ['https://[2606:4700::1111]/', '2606:4700::1111'],
    ['https://8.8.8.8/', '8.8.8.8'],
  ])('E11 twin: the public literal %s is connected to without asking a resolver', async (url, address) => {
    connect.mockImplementationOnce(function (this: Socket) {
      setImmediate(() => this.destroy(new Error('not in a test')))
      return this
    })
    const resolve = vi.fn(resolveTo('8.8.4.4'))
    expect(await reasonOf(url, { resolve })).toBe('outbound.unreachable')
    expect(connect.mock.calls.map(([to]) => hostOf(to))).toEqual([address])
    expect(resolve).not.toHaveBeenCalled()
  })

  test('E11 twin: a plain loopback literal works where the test allows it', async () => {
    await using server = await serve((_, response) => response.end('{}'))
    const fetch = createOutbound({ dangerouslyAllowFetch: () => true })
    expect((await fetch(`${server.origin}/`, document)).status).toBe(200)
  })

  test('E01 http is refused, and only the exact URL that a test allows is not', async () => {
    await using server = await serve((_, response) => response.end('{}'))
    expect(await reasonOf('http://client.example/doc', { resolve: resolveTo('8.8.8.8') })).toBe(
      'outbound.url',
    )
    const dangerouslyAllowFetch = (url: URL): boolean => url.pathname === '/doc'
    const fetch = createOutbound({ dangerouslyAllowFetch })
    expect((await fetch(`${server.origin}/doc`, document)).status).toBe(200)
    expect(await reasonOf(`${server.origin}/other`, { dangerouslyAllowFetch })).toBe('outbound.url')
    expect(server.requests.length).toBe(1)
  })

  test('E11 no text at all makes it throw anything but a refusal, or open a socket', async () => {
    const part = fc.constantFrom(
      'https://',
      'http://',
      '127.0.0.1',
      '[::1]',
      'localhost',
      '@',
      ':',
      '/',
      '\\',
      '#',
      '%',
      '.',
      '8',
      'x',
    )
    const url = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 8 }).map((parts) => parts.join('')),
    )
    await fc.assert(
      fc.asyncProperty(url, async (raw) => {
        expect(await reasonOf(raw, { resolve: resolveTo('127.0.0.1') })).toMatch(/^outbound\./)
      }),
    )
    expect(connect).not.toHaveBeenCalled()
  })
})

describe('ports, proxies and ourselves', () => {
  test.each([1, 22, 25, 80, 444, 1023, 2375, 3306, 5432, 6379, 6443, 9200, 10250, 11211, 27017])(
    'E17 port %i is refused',
    async (port) => {
      const resolve = vi.fn(resolveTo('8.8.8.8'))
      expect(await reasonOf(`https://client.example:${port}/doc`, { resolve })).toBe('outbound.url')
      expect(resolve).not.toHaveBeenCalled()
    },
  )

  test.each([443, 1024, 8443, 8444, 65535])('E17 twin: port %i is judged by its address', async (port) => {
    const resolve = resolveTo('127.0.0.1')
    expect(await reasonOf(`https://client.example:${port}/doc`, { resolve })).toBe('outbound.address')
  })

  test('E15 proxies of the environment and a global dispatcher are not used', async () => {
    await using proxy = await serve((_, response) => response.end('proxied'))
    await using server = await serve((_, response) => response.end('{}'))
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']) {
      vi.stubEnv(name, proxy.origin)
    }
    vi.stubEnv('NODE_USE_ENV_PROXY', '1')
    const before = getGlobalDispatcher()
    const elsewhere = new Agent({ connect: () => expect.unreachable('the global dispatcher was used') })
    setGlobalDispatcher(elsewhere)
    try {
      const fetch = createOutbound({ dangerouslyAllowFetch: () => true })
      const answer = await fetch(`${server.origin}/`, document)
      expect(new TextDecoder().decode(answer.body)).toBe('{}')
      expect(await reasonOf('https://client.example/', { resolve: resolveTo('127.0.0.1') })).toBe(
        'outbound.address',
      )
    } finally {
      setGlobalDispatcher(before)
      await elsewhere.destroy()
    }
    expect(proxy.connections).toBe(0)
  })

  test('E30 our own host is refused on every port, by its public name', async () => {
    const ownOrigins = ['https://auth.example']
    const resolve = resolveTo('8.8.8.8')
    for (const url of [
      'https://auth.example/x',
      'https://AUTH.example/x',
      'https://auth.example:8765/admin',
    ]) {
      expect(await reasonOf(url, { ownOrigins, resolve })).toBe('outbound.address')
    }
    expect(connect).not.toHaveBeenCalled()
  })

  test('E30 twin: another host is fetched as if we had none', async () => {
    connect.mockImplementationOnce(function (this: Socket) {
      setImmediate(() => this.destroy(new Error('not in a test')))
      return this
    })
    const options = { ownOrigins: ['https://auth.example'], resolve: resolveTo('8.8.8.8') }
    expect(await reasonOf('https://client.example/', options)).toBe('outbound.unreachable')
    expect(connect).toHaveBeenCalledTimes(1)
  })

  test('E30 our own origin stays refused where loopback is allowed; another port there is not ours', async () => {
    await using own = await serve((_, response) => response.end('{}'))
    await using other = await serve((_, response) => response.end('{}'))
    const options = { ownOrigins: [own.origin], dangerouslyAllowFetch: () => true }
    expect(await reasonOf(`${own.origin}/doc`, options)).toBe('outbound.address')
    expect((await createOutbound(options)(`${other.origin}/doc`, document)).status).toBe(200)
    expect(own.connections).toBe(0)
  })
})
