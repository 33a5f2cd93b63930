import { Socket } from 'node:net'
import { Refusal } from '@warder/protocol'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createOutbound, type Reach, reachOf } from '../src/index.ts'
import { listen, serve } from './local-server.ts'

const resolveTo =
  (...addresses: string[]) =>
  async (): Promise<{ address: string }[]> =>
    addresses.map((address) => ({ address }))

const connect = vi.spyOn(Socket.prototype, 'connect')
beforeEach(() => {
  connect.mockClear()
})

/** The reason of the refusal, or where a connection began: then the rules of the reach let it through. */
async function outcomeOf(reach: Reach, url: string, ...addresses: string[]): Promise<string> {
  const hosts: unknown[] = []
  connect.mockImplementation(function (this: Socket, ...given: unknown[]) {
    const [options] = given.flat() as { host?: unknown }[]
    hosts.push(options?.host)
    process.nextTick(() => this.destroy(new Error('no network in this test')))
    return this
  })
  try {
    await createOutbound({ reach, resolve: resolveTo(...addresses) })(url, { accept: '*/*', maxBytes: 10 })
    return 'answered'
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal)
    return hosts.length > 0 ? `to ${hosts.join(' ')}` : (error as Refusal).reason
  } finally {
    connect.mockReset()
  }
}

describe('within reach', () => {
  test.each<readonly [Reach, string, readonly string[], string]>([
    ['public', 'https://as.example/', ['8.8.8.8'], 'to 8.8.8.8'],
    ['public', 'https://as.example/', ['10.0.0.1'], 'outbound.address'],
    ['public', 'https://as.example/', ['127.0.0.1'], 'outbound.address'],
    ['public', 'http://as.example/', ['8.8.8.8'], 'outbound.url'],
    ['public', 'https://as.internal/', ['8.8.8.8'], 'outbound.address'],
    ['private', 'https://as.example/', ['8.8.8.8'], 'to 8.8.8.8'],
    ['private', 'https://as.example/', ['10.0.0.1'], 'to 10.0.0.1'],
    ['private', 'https://as.example/', ['2606:4700::1111', '192.168.1.5'], 'to 2606:4700::1111 192.168.1.5'],
    ['private', 'https://sso.corp.internal/', ['172.16.0.1'], 'to 172.16.0.1'],
    ['private', 'https://sso/', ['100.64.0.1'], 'to 100.64.0.1'],
    ['private', 'https://[fd12:3456::1]/', [], 'to fd12:3456::1'],
    ['private', 'https://10.1.2.3:8443/', [], 'to 10.1.2.3'],
    ['private', 'http://10.1.2.3/', [], 'outbound.url'],
    ['private', 'https://10.1.2.3:6379/', [], 'outbound.url'],
    ['private', 'https://as.example/', ['127.0.0.1'], 'outbound.address'],
    ['private', 'https://as.example/', ['10.0.0.1', '127.0.0.1'], 'outbound.address'],
    ['private', 'https://as.example/', ['10.0.0.1', '169.254.169.254'], 'outbound.address'],
    ['private', 'https://localhost/', ['10.0.0.1'], 'outbound.address'],
    ['private', 'https://a.localhost/', ['10.0.0.1'], 'outbound.address'],
    ['private', 'https://metadata.google.internal/', ['10.0.0.1'], 'outbound.address'],
    ['private', 'https://169.254.169.254/', [], 'outbound.address'],
    ['private', 'https://100.100.100.200/', [], 'outbound.address'],
    ['private', 'https://[fd00:ec2::254]/', [], 'outbound.address'],
    ['private', 'https://[fd20:ce::254]/', [], 'outbound.address'],
    ['private', 'https://[::ffff:a00:1]/', [], 'outbound.address'],
    ['private', 'https://[::1]/', [], 'outbound.address'],
    ['private', 'https://[fe80::1]/', [], 'outbound.address'],
    ['private', 'https://as.example/', ['fd12:3456::1'], 'to fd12:3456::1'],
    ['private', 'https://as.example/', ['fd12:3456::1%eth0'], 'outbound.address'],
    ['private', 'https://as.example/', ['10.0.0.1', 'as.internal'], 'outbound.address'],
    ['private', 'https://224.0.0.1/', [], 'outbound.address'],
    ['private', 'https://0.0.0.0/', [], 'outbound.address'],
    ['loopback', 'https://as.example/', ['8.8.8.8'], 'to 8.8.8.8'],
    ['loopback', 'http://as.example/', ['8.8.8.8'], 'outbound.url'],
    ['loopback', 'https://as.example:6379/', ['8.8.8.8'], 'outbound.url'],
    ['loopback', 'https://as.example/', ['10.0.0.1'], 'outbound.address'],
    ['loopback', 'https://10.0.0.1/', [], 'outbound.address'],
    ['loopback', 'https://169.254.169.254/', [], 'outbound.address'],
    ['loopback', 'http://169.254.169.254/', [], 'outbound.url'],
    ['loopback', 'http://0.0.0.0:3000/', [], 'outbound.url'],
    ['loopback', 'https://as.example/', ['127.0.0.1', '8.8.8.8'], 'outbound.address'],
    // A resolver answers addresses: what is none would be resolved once more, to whatever it then is.
    ['loopback', 'https://as.example/', ['localhost'], 'outbound.address'],
    ['loopback', 'http://localhost:3000/', ['8.8.8.8'], 'outbound.address'],
    ['loopback', 'http://localhost:3000/', ['127.0.0.1', '10.0.0.1'], 'outbound.address'],
    ['loopback', 'http://localhost:6379/', ['127.0.0.1'], 'to 127.0.0.1'],
    ['loopback', 'http://mine.example:3000/', ['127.0.0.1', '::1'], 'to 127.0.0.1 ::1'],
    ['loopback', 'http://[::1]:3000/', [], 'to ::1'],
    ['loopback', 'http://[::ffff:7f00:1]:3000/', [], 'outbound.url'],
    ['loopback', 'http://127.1:3000/', [], 'outbound.url'],
    ['loopback', 'http://2130706433/', [], 'outbound.url'],
    ['loopback', 'http://user@localhost/', ['127.0.0.1'], 'outbound.url'],
  ])('CL-64 CL-65 CL-66 Q06 from a %s server to %s at %j: %s', async (reach, url, addresses, outcome) => {
    expect(await outcomeOf(reach, url, ...addresses)).toBe(outcome)
  })

  test('CL-68 a name that is loopback first and something else then is resolved once', async () => {
    await using server = await serve((_, response) => response.end('{}'))
    const answers = [['127.0.0.1'], ['10.0.0.1']]
    const resolve = async () => (answers.shift() ?? []).map((address) => ({ address }))
    const fetch = createOutbound({ reach: 'loopback', resolve })
    const answer = await fetch(`http://mine.example:${server.port}/`, { accept: '*/*', maxBytes: 10 })
    expect([answer.status, answers]).toEqual([200, [['10.0.0.1']]])
  })

  test('CL-67 Q06 a redirect from loopback to the metadata service is not followed', async () => {
    await using server = await serve((_, response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
    )
    const answer = createOutbound({ reach: 'loopback' })(server.origin, {
      accept: '*/*',
      maxBytes: 10,
      statuses: 'any',
    })
    await expect(answer).rejects.toMatchObject({ reason: 'outbound.redirect' })
    expect(connect.mock.calls.length).toBeLessThanOrEqual(1)
  })

  test.each(['public', 'private'] as const)(
    'CL-66 a listener on loopback hears nothing from %s',
    async (reach) => {
      await using tripwire = await listen(undefined)
      for (const host of ['127.0.0.1', 'localhost', 'as.example']) {
        const fetch = createOutbound({ reach, resolve: resolveTo('127.0.0.1') })
        const answer = fetch(`https://${host}:${tripwire.port}/`, { accept: '*/*', maxBytes: 10 })
        await expect(answer).rejects.toMatchObject({ reason: 'outbound.address' })
      }
      expect(tripwire.connections).toBe(0)
    },
  )
})

describe('the reach of a server', () => {
  test.each<readonly [string, readonly string[], Reach]>([
    ['http://127.0.0.1:3000/mcp', [], 'loopback'],
    ['http://[::1]:3000/mcp', [], 'loopback'],
    ['http://localhost:3000/mcp', ['127.0.0.1', '::1'], 'loopback'],
    ['http://mine.test/mcp', ['127.0.0.1'], 'loopback'],
    ['http://mine.test/mcp', ['127.0.0.1', '8.8.8.8'], 'public'],
    ['http://mine.test/mcp', ['127.0.0.1', '10.0.0.1'], 'public'],
    ['http://mine.internal/mcp', ['::1'], 'loopback'],
    ['http://a.localhost/mcp', ['127.0.0.1'], 'loopback'],
    // Its owner could have it lead here only for now.
    ['https://evil.example/mcp', ['127.0.0.1'], 'public'],
    ['https://10.0.0.1/mcp', [], 'private'],
    ['https://mcp.corp/mcp', ['10.0.0.1'], 'private'],
    ['https://mcp.example/mcp', ['2606:4700::1111', '10.0.0.1'], 'private'],
    ['https://mcp.example/mcp', ['8.8.8.8'], 'public'],
    ['https://mcp.example/mcp', ['127.0.0.1', '8.8.8.8'], 'public'],
    ['https://mcp.example/mcp', ['127.0.0.1', '10.0.0.1'], 'public'],
    ['https://mcp.example/mcp', ['10.0.0.1', '169.254.169.254'], 'public'],
    ['https://169.254.169.254/mcp', [], 'public'],
    ['https://mcp.example/mcp', [], 'public'],
    ['https://mcp.corp/mcp', [], 'private'],
    ['http://localhost/mcp', [], 'loopback'],
  ])('CL-64 %s at %j: %s', async (url, addresses, reach) => {
    expect(await reachOf(url, resolveTo(...addresses))).toBe(reach)
  })

  test('CL-64 a name that cannot be resolved, as behind a proxy, goes by the name; what is no URL is refused', async () => {
    const failing = async (): Promise<never> => {
      throw new Error('ENOTFOUND')
    }
    expect(await reachOf('https://mcp.example/', failing)).toBe('public')
    expect(await reachOf('https://mcp.internal/', failing)).toBe('private')
    await expect(reachOf('file:///etc/passwd')).rejects.toMatchObject({ reason: 'outbound.url' })
  })
})
