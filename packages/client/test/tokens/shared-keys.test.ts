import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type Client,
  type ClientOptions,
  type CredentialStore,
  clientCredentialsWay,
  createClient,
  createDpopKeys,
  createWebClient,
  type DeviceCode,
  deviceWay,
  openMemory,
} from '../../src/index.ts'
import { clientSecret, type ProtectedServer, startProtectedServer } from '../ways/protected-server.ts'

let server: ProtectedServer
let store: CredentialStore

beforeAll(async () => {
  server = await startProtectedServer({ dpop: true })
})
afterAll(() => server?.stop())
beforeEach(() => {
  store = openMemory()
})

const make = (more: Partial<ClientOptions> = {}): Client =>
  createClient({
    server: server.url,
    store,
    way: clientCredentialsWay(),
    registration: { clientId: 'bound', clientSecret },
    ...more,
  })

const tokenRequests = (): number => server.asked.filter((path) => path === '/token').length
const statusOf = async (client: Pick<Client, 'fetch'>): Promise<number> =>
  (await client.fetch(server.url, { method: 'GET' })).status

/** The same values under other keys: what a key in memory was in is gone. */
const withoutKeys = (): CredentialStore => ({ ...store })
const nobody = { kind: 'none', reason: 'nobody is here' } as const

describe('DP-01 tokens that are bound to a key in memory', () => {
  test('serve every client of their store', async () => {
    const before = tokenRequests()
    for (const client of [make(), make(), make({ way: nobody })]) expect(await statusOf(client)).toBe(200)
    expect(tokenRequests() - before).toBe(1)
  })

  test('serve a user of a web application, whichever of its clients asks', async () => {
    const redirectUri = 'http://localhost:3999/callback'
    const [one, two] = [1, 2].map(() => createWebClient({ server: server.url, store, redirectUri }))
    await one!.finish('anna', (await server.follow(await one!.start('anna'))).href)
    expect(await one!.status('anna')).toMatchObject({ isBound: true })
    for (const web of [one!, two!]) expect(await statusOf({ fetch: web.fetch('anna') })).toBe(200)
    await expect(statusOf({ fetch: two!.fetch('ben') })).rejects.toMatchObject({ name: 'SignInRequired' })
  })

  test.each([
    ['without a refresh token', {}],
    [
      'with one',
      {
        registration: { clientId: 'tv' },
        way: deviceWay({
          show: async (code: DeviceCode) =>
            void (await server.follow(code.verificationUriComplete ?? '', { confirm: 'yes' })),
          wait: async () => {},
        }),
      },
    ],
  ])('%s: where the key is gone only a sign-in helps, and nothing is asked for before', async (_, about) => {
    const first = make(about)
    expect(await statusOf(first)).toBe(200)
    const before = tokenRequests()
    const names = await store.list()
    const records = await Promise.all(names.map((name) => store.read(name)))
    const other = make({ ...about, store: withoutKeys(), way: nobody })
    expect(await other.token()).toBeUndefined()
    for (let i = 0; i < 2; i++)
      await expect(statusOf(other)).rejects.toMatchObject({ name: 'SignInRequired', reason: nobody.reason })
    expect(tokenRequests()).toBe(before)
    expect(await Promise.all(names.map((name) => store.read(name)))).toEqual(records)
    expect(await statusOf(first)).toBe(200)
    const signsIn = make({ ...about, store: withoutKeys() })
    for (let i = 0; i < 2; i++) expect(await statusOf(signsIn)).toBe(200)
    expect(await signsIn.status()).toMatchObject({ isBound: true })
  })
})

test('of very many keys those stay that were used last', async () => {
  const keys = createDpopKeys({ inMemory: true })
  const [used, unused] = [(await keys.make()).stored, (await keys.make()).stored]
  for (let i = 0; i < 100; i++) {
    await Promise.all(Array.from({ length: 100 }, () => keys.make()))
    expect(await keys.open(used)).toBeDefined()
  }
  expect(await keys.open(unused)).toBeUndefined()
})
