import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  type Client,
  type ClientOptions,
  clientCredentialsWay,
  createClient,
  type DeviceCode,
  deviceWay,
  openMemory,
  type TraceEvent,
} from '../../src/index.ts'
import { clientKey, clientSecret, type ProtectedServer, startProtectedServer } from './protected-server.ts'

const opened: Client[] = []

function makeClient(server: ProtectedServer, more: Partial<ClientOptions>): Client {
  const client = createClient({
    server: server.url,
    store: openMemory(),
    way: clientCredentialsWay(),
    ...more,
  })
  opened.push(client)
  return client
}

const claims = async (client: Client, server: ProtectedServer): Promise<Record<string, unknown>> => {
  const response = await client.fetch(`${server.url}?page=2`, { method: 'GET' })
  expect(response.status).toBe(200)
  return (await response.json()) as Record<string, unknown>
}

afterEach(() => {
  for (const client of opened.splice(0)) client.close()
})

describe('at an oidc-provider', () => {
  let server: ProtectedServer
  beforeAll(async () => {
    server = await startProtectedServer()
  })
  afterAll(() => server?.stop())

  test.each([
    ['client_secret_basic', { clientId: 'basic', clientSecret }],
    ['client_secret_post', { clientId: 'post', clientSecret, authMethod: 'client_secret_post' }],
    ['private_key_jwt', { clientId: 'keyed', assertionKey: { key: clientKey.privateKey } }],
  ])(
    'CC-02 CC-06 client credentials by %s: a token for this resource and the challenged scope',
    async (_, registration) => {
      const client = makeClient(server, { registration })
      expect(await claims(client, server)).toMatchObject({
        sub: registration.clientId,
        aud: server.url,
        scope: 'notes:read',
      })
      expect(await client.status()).toMatchObject({
        isSignedIn: true,
        canRefresh: false,
        scopes: ['notes:read'],
      })
    },
  )

  test('a secret that is wrong is said, once, and nothing else is tried', async () => {
    const client = makeClient(server, { registration: { clientId: 'basic', clientSecret: 'canary-wrong' } })
    const before = server.asked.length
    const refused = client.signIn()
    await expect(refused).rejects.toMatchObject({ name: 'TokenEndpointError', error: 'invalid_client' })
    await expect(refused).rejects.not.toThrow(/canary/)
    expect(server.asked.slice(before).filter((path) => path === '/token')).toHaveLength(1)
  })

  test('CC-03 without pre-registered credentials there is nothing to ask with', async () => {
    const before = server.asked.length
    await expect(makeClient(server, {}).signIn()).rejects.toMatchObject({ reason: 'client.authentication' })
    const registration = { clientId: 'basic' }
    await expect(makeClient(server, { registration }).signIn()).rejects.toMatchObject({
      reason: 'client.authentication',
    })
    expect(server.asked.slice(before)).not.toContain('/token')
    expect(server.asked.slice(before)).not.toContain('/reg')
  })

  test('CL-57 credentials of another issuer are not sent', async () => {
    const before = server.asked.length
    const registration = { clientId: 'basic', clientSecret, issuer: 'https://other.example.com' }
    await expect(makeClient(server, { registration }).signIn()).rejects.toMatchObject({
      reason: 'registration.other-issuer',
    })
    expect(server.asked.slice(before)).not.toContain('/token')
  })

  test('a token that has ended is asked for again, without a refresh token', async () => {
    let ahead = 0
    const now = (): number => Date.now() + ahead
    const client = makeClient(server, { registration: { clientId: 'basic', clientSecret }, now })
    const { jti } = await claims(client, server)
    expect((await claims(client, server))['jti']).toBe(jti)
    ahead = 601_000
    expect((await claims(client, server))['jti']).not.toBe(jti)
  })

  const waits: number[] = []
  const device = (act: (code: DeviceCode) => unknown, more: Partial<ClientOptions> = {}): Client => {
    waits.length = 0
    const wait = async (milliseconds: number): Promise<void> => void waits.push(milliseconds)
    return makeClient(server, {
      way: deviceWay({ show: async (code) => void (await act(code)), wait }),
      registration: { clientId: 'tv' },
      ...more,
    })
  }

  test('device flow: the code is shown, the person says yes elsewhere, and the tokens can be refreshed and revoked', async () => {
    const shown: DeviceCode[] = []
    const client = device(async (code) => {
      shown.push(code)
      await server.follow(code.verificationUriComplete ?? '', { confirm: 'yes' })
    })
    expect(await claims(client, server)).toMatchObject({ sub: 'alice', aud: server.url, scope: 'notes:read' })
    expect(shown).toMatchObject([
      { userCode: expect.stringMatching(/^[A-Z]{4}-[A-Z]{4}$/), verificationUri: `${server.issuer}/device` },
    ])
    expect(waits).toEqual([5000])
    expect(await client.status()).toMatchObject({ canRefresh: true })
    const first = await client.token()
    const second = await client.renew({ rejected: first?.accessToken })
    expect(second).toMatchObject({ scopes: ['notes:read'], generation: 2 })
    expect(second?.refreshToken).not.toBe(first?.refreshToken)
    const signedOut = await client.signOut()
    // oidc-provider keeps no JWT access tokens that it could revoke, and says so.
    expect(signedOut).toMatchObject({ revocation: { refreshToken: 'revoked', accessToken: 'unsupported' } })
    expect((await client.status()).isSignedIn).toBe(false)
  })

  test('CL-44 device flow: a client without an id registers itself for it, once, and again when the id has died', async () => {
    const store = openMemory()
    const say = (code: DeviceCode): unknown =>
      server.follow(code.verificationUriComplete ?? '', { confirm: 'yes' })
    const signIn = async (): Promise<string | undefined> => {
      const client = device(say, { registration: undefined, store })
      return (await client.signIn()).clientId
    }
    const before = server.asked.filter((path) => path === '/reg').length
    const first = await signIn()
    expect(await signIn()).toBe(first)
    const names = (await store.list()).filter((name) => name.startsWith('registration-'))
    for (const name of names) {
      const record = JSON.parse((await store.read(name)) ?? '')
      await store.write(name, JSON.stringify({ ...record, clientId: 'dead' }))
    }
    const second = await signIn()
    expect([second === first, second === 'dead']).toEqual([false, false])
    expect(server.asked.filter((path) => path === '/reg')).toHaveLength(before + 2)
  })

  test('device flow: private_key_jwt at both endpoints, each with an assertion of its own', async () => {
    const client = device((code) => server.follow(code.verificationUriComplete ?? '', { confirm: 'yes' }), {
      registration: { clientId: 'keyed', assertionKey: { key: clientKey.privateKey } },
    })
    expect(await claims(client, server)).toMatchObject({ client_id: 'keyed' })
  })

  test('device flow: until the person has answered it keeps asking, and a no ends it', async () => {
    let link = ''
    const answers = ['not yet', 'not yet', 'no']
    const client = device(() => {}, {
      way: deviceWay({
        show: (code) => {
          link = code.verificationUriComplete ?? ''
        },
        async wait(milliseconds) {
          waits.push(milliseconds)
          if (answers.shift() === 'no') await server.follow(link, { abort: 'yes' })
        },
      }),
    })
    await expect(client.signIn()).rejects.toMatchObject({
      name: 'TokenEndpointError',
      error: 'access_denied',
    })
    expect(waits).toHaveLength(3)
  })

  test('device flow: the end of the code ends the asking, also without the server', async () => {
    let ahead = 0
    const wait = async (): Promise<void> => {
      ahead += 200_000
    }
    const client = device(() => {}, {
      now: () => Date.now() + ahead,
      way: deviceWay({ show: () => {}, wait }),
    })
    await expect(client.signIn()).rejects.toMatchObject({ error: 'expired_token' })
  })

  test('device flow: who gives up, or closes the client, waits no longer', async () => {
    const stop = new AbortController()
    const leaving = device(() => {}, {
      way: deviceWay({ show: () => stop.abort(new Error('the person left')) }),
    })
    await expect(leaving.signIn({ signal: stop.signal })).rejects.toThrow()
    const closing: Client = device(() => {}, { way: deviceWay({ show: () => closing.close() }) })
    await expect(closing.signIn()).rejects.toThrow()
  })

  test('in auto a resource that takes bearer tokens gets one, although the authorization server lists DPoP', async () => {
    const client = makeClient(server, { registration: { clientId: 'basic', clientSecret } })
    await claims(client, server)
    expect([(await client.status()).isBound, server.schemes.at(-1)]).toEqual([false, 'Bearer'])
  })
})

describe.each([
  ['without nonces', false],
  ['with nonces of both servers', true],
])('DP-01 DPoP %s', (_, nonce) => {
  let server: ProtectedServer
  beforeAll(async () => {
    server = await startProtectedServer({ dpop: true, nonce })
  })
  afterAll(() => server?.stop())

  test('a bound token, and a fresh proof with each request; the private key stays in memory', async () => {
    const store = openMemory()
    const events: TraceEvent[] = []
    const client = makeClient(server, {
      registration: { clientId: 'bound', clientSecret },
      store,
      trace: (event) => events.push(event),
    })
    const before = server.proofs.size
    for (let i = 0; i < 3; i++) expect(await claims(client, server)).toHaveProperty('cnf.jkt')
    // With nonces one more: the first proof could not have one.
    expect(server.proofs.size - before).toBe(nonce ? 4 : 3)
    expect(new Set(server.schemes.slice(-3))).toEqual(new Set(['DPoP']))
    expect(await client.status()).toMatchObject({ isBound: true })
    const { dpopKey } = (await client.token()) ?? {}
    expect(Object.keys(dpopKey ?? {}).sort()).toEqual(['crv', 'kty', 'x', 'y'])
    expect(JSON.stringify(events)).not.toContain(clientSecret)
  })

  test('tokens that other processes share carry their key, and are refreshed with the same', async () => {
    const store = { ...openMemory(), kind: 'encrypted-file' as const }
    const wait = async (): Promise<void> => {}
    const show = async (code: DeviceCode): Promise<void> =>
      void (await server.follow(code.verificationUriComplete ?? '', { confirm: 'yes' }))
    const about = { registration: { clientId: 'tv' }, store, way: deviceWay({ show, wait }) }
    const { cnf } = await claims(makeClient(server, about), server)
    const other = makeClient(server, { ...about, way: { kind: 'none', reason: 'another process' } })
    const held = await other.token()
    expect(held?.dpopKey?.d).toMatch(/^[\w-]{43}$/)
    const refreshed = await other.renew({ rejected: held?.accessToken })
    expect(refreshed).toMatchObject({ tokenType: 'DPoP', dpopKey: held?.dpopKey })
    expect(refreshed?.accessToken).not.toBe(held?.accessToken)
    expect((await claims(other, server))['cnf']).toEqual(cnf)
  })

  test('a server that binds tokens of this client gives none where DPoP is off', async () => {
    const client = makeClient(server, { registration: { clientId: 'bound', clientSecret }, dpop: 'never' })
    await expect(client.signIn()).rejects.toMatchObject({ name: 'TokenEndpointError' })
  })
})
