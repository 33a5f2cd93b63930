import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createOutbound } from '@warder/outbound'
import { decodeJwt, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type BrowserWay,
  type CredentialStore,
  createClient,
  enterpriseWay,
  openEncryptedFile,
  openMemory,
  type ProviderSignIn,
  providerTokenName,
  type Revocation,
  signInAtProvider,
  signOutAtProvider,
} from '../../src/index.ts'
import { type Answer, type Seen, startTokenServer, type TokenServer } from '../tokens/token-server.ts'
import { clientSecret, type ProtectedServer, startProtectedServer } from './protected-server.ts'

const outbound = createOutbound({ reach: 'loopback' })
const redirectUri = 'http://127.0.0.1:7777/callback'

/** What each sign-in of a person asked for. */
let asked: URL[]
let store: CredentialStore
let ahead: number
const now = (): number => Date.now() + ahead

beforeEach(() => {
  ;[asked, store, ahead] = [[], openMemory(), 0]
})

const wayOf = (answer: (url: URL) => string | Promise<string>): BrowserWay => ({
  kind: 'browser',
  redirectUris: async () => [redirectUri],
  async authorize({ url }) {
    asked.push(new URL(url))
    return answer(new URL(url))
  },
  close: async () => {},
})

describe('at an oidc-provider', () => {
  let idp: ProtectedServer
  beforeAll(async () => {
    idp = await startProtectedServer()
  })
  afterAll(() => idp?.stop())

  const make = (more: Partial<ProviderSignIn> = {}): ReturnType<typeof signInAtProvider> =>
    signInAtProvider({
      issuer: idp.issuer,
      client: { clientId: 'host', clientSecret },
      way: wayOf(async (url) => (await idp.follow(url.href)).href),
      ...{ store, outbound, now, ...more },
    })

  test('EM-24 state, nonce and PKCE go along, and what comes is an ID token for this client', async () => {
    const { iss, aud, nonce } = decodeJwt(await make().read())
    const query = asked[0]?.searchParams
    expect({ iss, aud, nonce }).toEqual({ iss: idp.issuer, aud: 'host', nonce: query?.get('nonce') })
    expect([query?.get('code_challenge_method'), query?.get('state')?.length]).toEqual(['S256', 43])
    expect(query?.get('scope')).toBe('openid offline_access')
    expect(query?.has('resource')).toBe(false)
  })

  test('one sign-in serves all who ask, also at once and from another process', async () => {
    const tokens = await Promise.all([make().read(), make().read(), make().read()])
    tokens.push(await make().read())
    expect([new Set(tokens).size, asked.length]).toEqual([1, 1])
  })

  test('an ID token that has ended is refreshed without the person', async () => {
    const first = await make().read()
    ahead = 595_000
    const second = await make().read()
    expect([second === first, asked.length]).toEqual([false, 1])
    expect(decodeJwt(second).aud).toBe('host')
  })
})

describe('at a provider that answers as the test wants', () => {
  let idp: TokenServer
  /** What stands in the ID token besides what should. */
  let claims: object
  let more: object
  beforeAll(async () => {
    idp = await startTokenServer()
  })
  afterAll(() => idp?.stop())
  beforeEach(() => {
    ;[claims, more] = [{}, {}]
    const { issuer } = idp
    const metadata = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      revocation_endpoint: `${issuer}/revoke`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
    }
    idp.answer(({ path, form }: Seen): Answer => {
      if (path === '/.well-known/openid-configuration') return { body: metadata }
      if (path === '/revoke') return { status: 200 }
      if (path !== '/token') return { status: 404 }
      if (form.get('requested_token_type') !== null) {
        const type = 'urn:ietf:params:oauth:token-type:id-jag'
        return { body: { access_token: 'id-jag', issued_token_type: type, token_type: 'N_A' } }
      }
      const nonce = asked.at(-1)?.searchParams.get('nonce')
      const exp = Math.floor(now() / 1000) + 600
      const payload = { iss: issuer, aud: 'host', nonce, exp, ...claims }
      const idToken = `${new UnsecuredJWT(payload).encode()}signature`
      return {
        body: { access_token: 'a', token_type: 'Bearer', refresh_token: 'r', id_token: idToken, ...more },
      }
    })
  })

  const answerTo = (url: URL, differs: Record<string, string> = {}): string =>
    `${redirectUri}?${new URLSearchParams({ code: 'c', state: url.searchParams.get('state') ?? '', ...differs })}`

  const make = (answer: (url: URL) => string = answerTo): ReturnType<typeof signInAtProvider> =>
    signInAtProvider({
      issuer: idp.issuer,
      client: { clientId: 'host' },
      way: wayOf(answer),
      store,
      outbound,
      now,
    })

  test.each<[string, object]>([
    ['as it should be', {}],
    ['for several, us among them', { aud: ['other', 'host'] }],
  ])('an ID token %s is taken', async (_, differs) => {
    claims = differs
    expect(decodeJwt(await make().read()).iss).toBe(idp.issuer)
  })

  test.each<[string, object, object]>([
    ['of another issuer', { iss: 'https://other.example.com' }, {}],
    ['for another client', { aud: 'other' }, {}],
    ['of another sign-in', { nonce: 'other' }, {}],
    ['without a nonce', { nonce: undefined }, {}],
    ['that has ended', { exp: 1 }, {}],
    ['without an end', { exp: undefined }, {}],
    ['that is none', {}, { id_token: 'canary' }],
    ['that is not there', {}, { id_token: undefined }],
  ])('EM-24 an ID token %s is refused, and nothing is kept', async (_, differs, answer) => {
    ;[claims, more] = [differs, answer]
    const refused = make().read()
    await expect(refused).rejects.toMatchObject({ reason: 'id-token.unusable' })
    await expect(refused).rejects.not.toThrow(/canary/)
    expect(await store.list()).toEqual([])
  })

  test('EM-24 an answer with another state, or of another issuer, is not redeemed', async () => {
    const from = idp.seen.length
    await expect(make((url) => answerTo(url, { state: 'other' })).read()).rejects.toMatchObject({
      reason: 'callback.state',
    })
    await expect(
      make((url) => answerTo(url, { iss: 'https://other.example.com' })).read(),
    ).rejects.toMatchObject({
      reason: 'callback.issuer',
    })
    expect(idp.seen.slice(from).filter(({ path }) => path === '/token')).toEqual([])
  })

  test('where a refresh brings no ID token the person signs in again', async () => {
    await make().read()
    ahead = 700_000
    const answers = [{ id_token: undefined }, {}]
    more = answers[0] ?? {}
    const source = make((url) => {
      more = answers[1] ?? {}
      return answerTo(url)
    })
    expect(decodeJwt(await source.read())).toMatchObject({ iss: idp.issuer })
    expect(asked).toHaveLength(2)
  })

  const signOut = (): Promise<Revocation | undefined> =>
    signOutAtProvider({ issuer: idp.issuer, client: { clientId: 'host' }, store, outbound })
  const revoked = (from: number): (string | null)[] =>
    idp.seen
      .slice(from)
      .filter(({ path }) => path === '/revoke')
      .map(({ form }) => form.get('token'))

  test('signing out revokes what was kept, and forgets it', async () => {
    await make().read()
    const from = idp.seen.length
    expect(await signOut()).toEqual({ refreshToken: 'revoked', accessToken: 'revoked' })
    expect([revoked(from), await store.list()]).toEqual([['r', 'a'], []])
    expect(await signOut()).toBeUndefined()
  })

  test.each<[string, (file: string) => Promise<void>]>([
    ['is damaged', async (file) => writeFileSync(file, `${readFileSync(file, 'utf8').slice(0, -8)}AAAAAAAA`)],
    [
      'a newer version has written',
      async () =>
        store.write(
          providerTokenName({ issuer: idp.issuer, client: { clientId: 'host' } }),
          JSON.stringify({ version: 99 }),
        ),
    ],
  ])('what %s cannot be revoked, is forgotten, and both are said', async (_, spoil) => {
    const directory = mkdtempSync(join(tmpdir(), 'warder-provider-'))
    const key = { kind: 'key', secret: randomBytes(32).toString('base64'), origin: 'the test' } as const
    store = await openEncryptedFile({ directory, key })
    try {
      await make().read()
      const [name = ''] = await store.list()
      const kept = join(directory, 'encrypted')
      await spoil(join(kept, readdirSync(kept).find((file) => file.startsWith(name)) ?? ''))
      const from = idp.seen.length
      expect(await signOut()).toEqual({ refreshToken: 'failed', accessToken: 'failed' })
      expect([revoked(from), await store.list()]).toEqual([[], []])
      expect(await signOut()).toBeUndefined()
      expect(decodeJwt(await make().read())).toMatchObject({ iss: idp.issuer })
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test('EM-30 the sign-in at the provider is all that the person sees of two MCP servers', async () => {
    const servers = [await startTokenServer(), await startTokenServer()]
    for (const { issuer, answer } of servers) answer((seen) => answerOfServer(issuer, seen))
    const token = make()
    for (const { issuer } of servers) {
      const client = createClient({
        server: `${issuer}/mcp`,
        store,
        registration: { clientId: 'at-as' },
        way: enterpriseWay({
          provider: {
            issuer: idp.issuer,
            tokenEndpoint: `${idp.issuer}/token`,
            client: { clientId: 'host' },
          },
          subject: { type: 'id_token', token },
        }),
      })
      expect((await client.fetch(`${issuer}/mcp`, {})).status).toBe(200)
      client.close()
    }
    expect(asked).toHaveLength(1)
    await Promise.all(servers.map((server) => server.stop()))
  })
})

/** An MCP server and its authorization server in one, which has no authorization endpoint. */
function answerOfServer(issuer: string, { path, headers }: Seen): Answer {
  if (path === '/mcp') return { status: headers.authorization === 'Bearer good' ? 200 : 401, body: {} }
  const documents: Readonly<Record<string, object>> = {
    '/token': { access_token: 'good', token_type: 'Bearer' },
    '/.well-known/oauth-protected-resource/mcp': {
      resource: `${issuer}/mcp`,
      authorization_servers: [issuer],
    },
    '/.well-known/oauth-authorization-server': {
      issuer,
      token_endpoint: `${issuer}/token`,
      response_types_supported: [],
    },
  }
  const body = documents[path]
  return body === undefined ? { status: 404 } : { body }
}
