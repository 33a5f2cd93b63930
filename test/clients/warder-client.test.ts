import {
  type AuthProvider as AuthProvider2,
  Client as Client2,
  type FetchLike as FetchLike2,
  type OAuthClientProvider as OAuthClientProvider2,
  StreamableHTTPClientTransport as Transport2,
} from '@modelcontextprotocol/client'
import type { OAuthClientProvider as OAuthClientProvider1 } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { FetchLike as FetchLike1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  type BrowserWay,
  type Client,
  type CredentialStore,
  createClient,
  createWebClient,
  openMemory,
  sdkAuthProvider,
  sdkFetch,
  sdkProvider,
} from '@warder/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startWarderForClients, type WarderForClients } from './warder-for-clients.ts'

/** An MCP client of either SDK, as far as the tests go. */
interface Host {
  listTools(): Promise<{ tools: readonly { name: string }[] }>
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
  close(): Promise<void>
}

let warder: WarderForClients
let store: CredentialStore
let client: Client
let switchOn: readonly string[]
/** Scopes of each sign-in that a person made. */
let visited: (string | null)[]
const hosts: Host[] = []

const person: BrowserWay = {
  kind: 'browser',
  redirectUris: async () => ['http://127.0.0.1:7777/callback'],
  async authorize({ url }) {
    visited.push(new URL(url).searchParams.get('scope'))
    return (await warder.answerTo(new URL(url), switchOn)).href
  },
  close: async () => {},
}

beforeAll(async () => {
  warder = await startWarderForClients()
})
afterAll(() => warder?.end())
beforeEach(() => {
  store = openMemory()
  switchOn = []
  visited = []
  client = createClient({ server: warder.endpoint, store, way: person })
})
afterEach(async () => {
  client.close()
  await Promise.all(hosts.splice(0).map((host) => host.close()))
})

const connect1 = async (options: {
  authProvider?: OAuthClientProvider1
  fetch?: FetchLike1
}): Promise<Host> => {
  const host = new Client1({ name: 'host', version: '1' })
  hosts.push(host as Host)
  // The transport's own type lets sessionId be undefined, the interface does not.
  await host.connect(new Transport1(new URL(warder.endpoint), options) as Parameters<Client1['connect']>[0])
  return host as Host
}

const connect2 = async (options: {
  authProvider?: OAuthClientProvider2 | AuthProvider2
  fetch?: FetchLike2
}): Promise<Host> => {
  const host = new Client2(
    { name: 'host', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  )
  hosts.push(host)
  await host.connect(new Transport2(new URL(warder.endpoint), options))
  return host
}

/** A new client on the same store, in which the tokens are such as the server does not take any more. */
async function startOver(change: (record: Record<string, unknown>) => object): Promise<void> {
  const name = (await store.list()).find((one) => one.startsWith('tokens-')) ?? ''
  const record = JSON.parse((await store.read(name)) ?? '') as Record<string, unknown>
  await store.write(name, JSON.stringify(change({ ...record, accessToken: 'spoilt' })))
  client.close()
  client = createClient({ server: warder.endpoint, store, way: person })
}

/** The reason at the bottom: version 2 of the SDK wraps what its transport throws. */
function bottomOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? bottomOf(error.cause) : error
}

const failureOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => 'worked', bottomOf)

const echo = async (host: Host): Promise<string> =>
  JSON.stringify(await host.callTool({ name: 'echo', arguments: { message: 'hello' } }))
const getEnv = async (host: Host): Promise<string> =>
  JSON.stringify(await host.callTool({ name: 'get-env', arguments: {} }))

const ways: readonly (readonly [string, () => Promise<Host>])[] = [
  ['@modelcontextprotocol/sdk 1, sdkFetch', () => connect1({ fetch: sdkFetch(client) })],
  ['@modelcontextprotocol/client 2, sdkFetch', () => connect2({ fetch: sdkFetch(client) })],
  [
    '@modelcontextprotocol/client 2, sdkAuthProvider',
    () => connect2({ authProvider: sdkAuthProvider(client) }),
  ],
  ['@modelcontextprotocol/sdk 1, sdkProvider', () => connect1({ authProvider: sdkProvider(client) })],
  ['@modelcontextprotocol/client 2, sdkProvider', () => connect2({ authProvider: sdkProvider(client) })],
]

describe.each(ways)('Warder signs in for %s', (name, connect) => {
  /** The SDK throws its UnauthorizedError after a redirect; this much a host has to know. */
  const isSecondCallNeeded = name.endsWith('sdkProvider')

  test('CL-03 CL-26 the first request signs in, and everything after it is signed in', async () => {
    const host = await connect()
    expect((await host.listTools()).tools.map((tool) => tool.name).sort()).toEqual([
      'echo',
      'get-env',
      'get-sum',
    ])
    expect(await echo(host)).toContain('hello')
    expect(visited).toEqual(['everything:read'])
  })

  test('a second host of the same store needs nobody, and two at once need one sign-in', async () => {
    await Promise.all([connect(), connect()])
    expect(await echo(await connect())).toContain('hello')
    expect(visited).toHaveLength(1)
  })

  test('a token that the server does not take any more is refreshed without the person', async () => {
    await connect()
    const before = await client.token()
    await startOver((record) => record)
    if (isSecondCallNeeded) expect(String(await failureOf(connect()))).toMatch(/Unauthorized/)
    expect(await echo(await connect())).toContain('hello')
    expect((await client.token())?.refreshToken).not.toBe(before?.refreshToken)
    expect(visited).toHaveLength(1)
  })

  test('where there is no refresh token the person signs in again', async () => {
    await connect()
    await startOver(({ refreshToken: _, ...rest }) => rest)
    if (isSecondCallNeeded) expect(String(await failureOf(connect()))).toMatch(/Unauthorized/)
    expect(await echo(await connect())).toContain('hello')
    expect(visited).toHaveLength(2)
  })

  test('where nobody can sign in the host reads why', async () => {
    client.close()
    client = createClient({ server: warder.endpoint, store, way: { kind: 'none', reason: 'nobody is here' } })
    expect(await failureOf(connect())).toMatchObject({
      name: 'SignInRequired',
      message: expect.stringMatching(/nobody is here/),
    })
  })
})

describe('a call that was not granted', () => {
  test.each(ways.slice(0, 2))(
    'CL-33 CL-34 %s: the person is asked for more, and the same call works',
    async (_, connect) => {
      const host = await connect()
      switchOn = ['everything:env']
      expect(await getEnv(host)).toContain('PATH')
      expect(visited.map((scope) => scope?.split(' ').sort())).toEqual([
        ['everything:read'],
        ['everything:env', 'everything:read'],
      ])
    },
  )

  test.each(ways.slice(2))('CL-09 %s: nobody is asked for more', async (_, connect) => {
    const host = await connect()
    await expect(getEnv(host)).rejects.toThrow()
    expect(visited).toHaveLength(1)
    expect(await echo(host)).toContain('hello')
  })

  test.each<[string, () => Promise<Host>]>([
    ['sdk 1', () => connect1({ authProvider: sdkProvider(client, { mayWiden: true }) })],
    ['client 2', () => connect2({ authProvider: sdkProvider(client, { mayWiden: true }) })],
  ])('CL-34 sdkProvider of %s asks for more where it may', async (_, connect) => {
    const host = await connect()
    switchOn = ['everything:env']
    await expect(getEnv(host)).rejects.toThrow()
    expect(await getEnv(host)).toContain('PATH')
    expect(visited.at(-1)?.split(' ').sort()).toEqual(['everything:env', 'everything:read'])
  })
})

test('a web application: each user with a host of their own', async () => {
  const redirectUri = 'http://localhost:7777/callback'
  const web = createWebClient({ server: warder.endpoint, store, redirectUri })
  for (const user of ['anna', 'ben']) {
    const callback = await warder.answerTo(new URL(await web.start(user)))
    await web.finish(user, callback.href)
    const fetch = sdkFetch(web.clientOf(user))
    expect(await echo(await connect2({ fetch }))).toContain('hello')
    expect(await echo(await connect1({ fetch }))).toContain('hello')
  }
  await web.signOut('anna')
  const without = connect2({ fetch: sdkFetch(web.clientOf('anna')) })
  expect(await failureOf(without)).toMatchObject({ name: 'SignInRequired' })
  expect(await echo(await connect2({ fetch: sdkFetch(web.clientOf('ben')) }))).toContain('hello')
})
