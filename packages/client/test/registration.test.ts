import {
  type ClientOptions,
  createWebClient,
  makeClientDocument,
  openMemory,
  RegistrationNeeded,
  type WebClient,
} from '@warder/client'
import { Refusal, readClientDocument } from '@warder/protocol'
import { describe, expect, test } from 'vitest'
import { startAuthorizationServer } from './rig/authorization-server.ts'
import { type Rig, startRig } from './rig/start-rig.ts'

const post = { method: 'POST', body: '{}' }

const registered = (rig: Rig): Readonly<Record<string, unknown>> =>
  JSON.parse(rig.as.at('/register').at(-1)?.body ?? 'null')
const clientIdAt = (rig: Rig): string | null | undefined =>
  rig.browser.visited.at(-1)?.searchParams.get('client_id')

const documentUrl = 'https://warder.example/client.json'
const readsDocuments = (): Readonly<Record<string, unknown>> => ({
  client_id_metadata_document_supported: true,
})

const refusalOf = async (work: Promise<unknown>): Promise<Refusal | undefined> => {
  try {
    await work
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

describe('the order of client ids', () => {
  test('CL-44 CL-52 pre-registered comes before everything', async () => {
    const rig = await startRig({ as: { metadata: readsDocuments } })
    await rig
      .client({ documentUrl, registration: { clientId: 'known', issuer: rig.as.issuer } })
      .fetch(rig.mcp.url, post)
    expect([clientIdAt(rig), rig.as.at('/register').length]).toEqual(['known', 0])
  })

  test('CL-01 CL-44 CL-46 CL-51 then our document, where the server reads documents', async () => {
    const rig = await startRig({ as: { metadata: readsDocuments } })
    await rig.client({ documentUrl }).fetch(rig.mcp.url, post)
    expect([clientIdAt(rig), rig.as.at('/register').length]).toEqual([documentUrl, 0])
  })

  test.each(['http://warder.example/client.json', 'https://warder.example', 'https://warder.example/a/../b'])(
    'CL-46 CL-47 but not with %s as its URL',
    async (url) => {
      const rig = await startRig({ as: { metadata: readsDocuments } })
      const refusal = await refusalOf(rig.client({ documentUrl: url }).fetch(rig.mcp.url, post))
      expect(refusal?.reason).toBe('client.document-url')
      expect(rig.browser.visited).toEqual([])
    },
  )

  test('CL-02 CL-44 CL-51 then registration, also where a document is there but not read', async () => {
    const rig = await startRig()
    await rig.client({ documentUrl }).fetch(rig.mcp.url, post)
    expect([...rig.as.clients]).toEqual([clientIdAt(rig)])
  })

  test('CL-05 CL-44 then the user is told where to get one, before any browser opens', async () => {
    const rig = await startRig({
      as: {
        metadata: () => ({
          registration_endpoint: undefined,
          service_documentation: 'https://as.example/help',
        }),
      },
    })
    const error = await rig
      .client()
      .fetch(rig.mcp.url, post)
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RegistrationNeeded)
    expect(error).toMatchObject({ issuer: rig.as.issuer, documentation: 'https://as.example/help' })
    expect(String(error)).toContain('http://127.0.0.1:7777/callback')
    expect(rig.browser.visited).toEqual([])
  })

  test('what was registered is used again by the next sign-in', async () => {
    const rig = await startRig()
    await rig.client().signIn()
    await rig.client().signIn()
    expect([rig.as.at('/register').length, rig.browser.visited.length]).toEqual([1, 2])
  })

  test('but not when answers cannot arrive there any more', async () => {
    const rig = await startRig()
    await rig.client().signIn()
    const way = { ...rig.browser, redirectUris: async () => ['http://127.0.0.1:9999/callback'] }
    await rig.client({ way }).signIn()
    expect(rig.as.at('/register').length).toBe(2)
  })

  test('a way is told what is registered, so that it can take the same port', async () => {
    const rig = await startRig()
    await rig.client().signIn()
    const told: unknown[] = []
    const way = {
      ...rig.browser,
      redirectUris: async (known?: readonly string[]) => {
        told.push(known)
        return rig.browser.redirectUris(known)
      },
    }
    await rig.client({ way }).signIn()
    expect(told[0]).toEqual(await rig.browser.redirectUris())
  })
})

describe('what is asked for', () => {
  test('CL-30 CL-53 CL-54 CL-62 a native client with refresh tokens and exactly these redirect URIs', async () => {
    const rig = await startRig()
    await rig.client({ clientName: 'Some host' }).fetch(rig.mcp.url, post)
    expect(registered(rig)).toEqual({
      client_name: 'Some host',
      redirect_uris: ['http://127.0.0.1:7777/callback', 'http://localhost:7777/callback'],
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    })
  })

  test('CL-55 a web client where all answers go to a web site', async () => {
    const rig = await startRig({ redirectUris: ['https://host.example/callback'] })
    await rig.client().fetch(rig.mcp.url, post)
    expect(registered(rig)).toMatchObject({ application_type: 'web' })
  })

  test.each([
    [['client_secret_post', 'private_key_jwt'], 'client_secret_post'],
    [['client_secret_post', 'client_secret_basic'], 'client_secret_basic'],
    [['client_secret_basic', 'none'], 'none'],
    [undefined, 'none'],
  ])('of the methods %j that the server lists it is %s', async (listed, method) => {
    const rig = await startRig({
      as: {
        metadata: () => ({ token_endpoint_auth_methods_supported: listed }),
        register: () => ({ body: { client_secret: 's3cret' } }),
      },
    })
    await rig.client().fetch(rig.mcp.url, post)
    expect(registered(rig)['token_endpoint_auth_method']).toBe(method)
  })

  test('CL-56 redirect URIs that are refused: once more with one of them', async () => {
    const rig = await startRig({
      as: {
        register: ({ redirect_uris: uris }) =>
          Array.isArray(uris) && uris.some((uri) => String(uri).includes('127.0.0.1'))
            ? { status: 400, body: { error: 'invalid_redirect_uri' } }
            : undefined,
      },
    })
    const response = await rig.client().fetch(rig.mcp.url, post)
    expect([response.status, rig.as.at('/register').length]).toEqual([200, 2])
    expect(rig.browser.visited[0]?.searchParams.get('redirect_uri')).toBe('http://localhost:7777/callback')
  })

  test('CL-56 and refused again: the words of the server, without what a terminal would obey', async () => {
    const description = 'redirect \u001b[31mnot\u0007 liked'
    const rig = await startRig({
      as: {
        register: () => ({
          status: 400,
          body: { error: 'invalid_redirect_uri', error_description: description },
        }),
      },
    })
    const refusal = await refusalOf(rig.client().fetch(rig.mcp.url, post))
    expect(refusal?.message).toBe(
      'registration.refused: status 400, invalid_redirect_uri, redirect [31mnot liked',
    )
    expect(rig.as.at('/register').length).toBe(2)
  })
})

describe('the answer of a registration', () => {
  const withAnswer = (body: Readonly<Record<string, unknown>>) =>
    startRig({ as: { register: () => ({ body }) } })

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['no client id', { client_id: undefined }],
    ['an empty client id', { client_id: '' }],
    ['a client id with a line end', { client_id: 'a\r\nb' }],
    ['another redirect URI', { redirect_uris: ['https://evil.example/callback'] }],
    ['one redirect URI less', { redirect_uris: ['http://127.0.0.1:7777/callback'] }],
    [
      'one redirect URI more',
      { redirect_uris: ['http://127.0.0.1:7777/callback', 'http://localhost:7777/callback', 'x:/'] },
    ],
    [
      'a method that is not listed',
      { token_endpoint_auth_method: 'client_secret_basic', client_secret: 'x' },
    ],
    ['a method that we cannot do', { token_endpoint_auth_method: 'private_key_jwt' }],
  ])('Q21 with %s is refused, and no browser opens', async (_, body) => {
    const rig = await withAnswer(body)
    const refusal = await refusalOf(rig.client().fetch(rig.mcp.url, post))
    expect(refusal?.reason).toBe('registration.answer')
    expect(rig.browser.visited).toEqual([])
  })

  test.each<[string, Readonly<Record<string, unknown>>]>([
    [
      'the redirect URIs in another order',
      { redirect_uris: ['http://localhost:7777/callback', 'http://127.0.0.1:7777/callback'] },
    ],
    ['no redirect URIs', { redirect_uris: undefined }],
    ['a secret that a public client has no use for', { client_secret: 'x', client_secret_expires_at: 0 }],
    ['fewer grants', { grant_types: ['authorization_code'] }],
  ])('Q21 and with %s it is not', async (_, body) => {
    const rig = await withAnswer(body)
    expect((await rig.client().fetch(rig.mcp.url, post)).status).toBe(200)
  })
})

describe('a registration belongs to one authorization server', () => {
  test('Q11 CL-36 CL-37 CL-57 CL-58 another one in the metadata: nothing of the first is shown to it', async () => {
    let issuers: readonly string[] = []
    const rig = await startRig({ mcp: { issuers: () => issuers } })
    issuers = [rig.as.issuer]
    const client = rig.client()
    await client.fetch(rig.mcp.url, post)
    const first = {
      clientId: clientIdAt(rig) ?? '',
      tokens: [...rig.as.tokens.keys(), ...rig.as.refreshTokens],
    }

    const second = await startAuthorizationServer()
    issuers = [second.issuer]
    rig.as.tokens.clear()
    const refused = await client.fetch(rig.mcp.url, post)
    await second.stop()

    // The second one's tokens are not known to this server: what counts is what was sent where.
    expect(refused.status).toBe(401)
    expect(second.at('/register').length).toBe(1)
    const shown = JSON.stringify(second.seen)
    for (const secret of [first.clientId, ...first.tokens]) expect(shown).not.toContain(secret)
    expect(rig.as.at('/token').map(({ form }) => form.get('grant_type'))).toEqual(['authorization_code'])
    const told = rig.trace.find(({ why = '' }) => why.includes('another authorization server than'))
    expect(told?.url).toBe(second.issuer)
  })

  test('CL-59 pre-registered credentials stay with the one with which they were used first', async () => {
    let issuers: readonly string[] = []
    const rig = await startRig({ mcp: { issuers: () => issuers } })
    issuers = [rig.as.issuer]
    const registration = { clientId: 'known', clientSecret: 's3cret' }
    await rig.client({ registration }).signIn()
    await rig.client({ registration }).signOut()

    const second = await startAuthorizationServer()
    issuers = [second.issuer]
    const refusal = await refusalOf(rig.client({ registration }).signIn())
    await second.stop()
    expect(refusal?.reason).toBe('registration.other-issuer')
    expect(second.seen).toEqual([])
  })

  test('CL-76 the URL of a document is the same everywhere', async () => {
    const rigs = [
      await startRig({ as: { metadata: readsDocuments } }),
      await startRig({ as: { metadata: readsDocuments } }),
    ]
    for (const rig of rigs) await rig.client({ documentUrl }).fetch(rig.mcp.url, post)
    expect(rigs.map(clientIdAt)).toEqual([documentUrl, documentUrl])
  })
})

describe('a registration that has died', () => {
  test('at the token endpoint it is replaced, once', async () => {
    let isDead = true
    const rig = await startRig({
      as: {
        token: () => {
          if (!isDead) return undefined
          isDead = false
          return { status: 401, body: { error: 'invalid_client' } }
        },
      },
    })
    expect((await rig.client().fetch(rig.mcp.url, post)).status).toBe(200)
    expect([rig.as.at('/register').length, rig.browser.visited.length]).toEqual([2, 2])
  })

  test.each(['invalid_client', 'unauthorized_client'])(
    'with %s at the authorization endpoint too',
    async (error) => {
      let isDead = true
      const rig = await startRig({
        as: {
          callback: () => {
            if (!isDead) return {}
            isDead = false
            return { code: undefined, error }
          },
        },
      })
      expect((await rig.client().fetch(rig.mcp.url, post)).status).toBe(200)
      expect(rig.as.at('/register').length).toBe(2)
    },
  )

  test('one that dies again ends the sign-in, and so does one that the user brought', async () => {
    const rig = await startRig({ as: { token: () => ({ status: 401, body: { error: 'invalid_client' } }) } })
    await expect(rig.client().signIn()).rejects.toThrow('invalid_client')
    expect(rig.as.at('/register').length).toBe(2)
    await expect(rig.client({ registration: { clientId: 'known' } }).signIn()).rejects.toThrow(
      'invalid_client',
    )
    expect(rig.browser.visited.length).toBe(3)
  })

  test('when a refresh finds it out, the user signs in with a new one and is never shown a page about the old', async () => {
    let now = Date.now()
    const rig = await startRig()
    await rig.client({ now: () => now }).signIn()
    const dead = clientIdAt(rig)
    now += 3590_000
    rig.as.tokens.clear()
    rig.as.defects.token = (form) =>
      form.get('client_id') === dead ? { status: 401, body: { error: 'invalid_client' } } : undefined
    expect((await rig.client({ now: () => now }).fetch(rig.mcp.url, post)).status).toBe(200)
    const shown = rig.browser.visited.map((url) => url.searchParams.get('client_id'))
    expect(shown).toEqual([...rig.as.clients])
    expect(shown.length).toBe(2)
  })
})

describe('a registration that has died, of an application with many users', () => {
  const redirectUri = 'http://localhost:3999/callback'
  const withUsers = (rig: Rig, now = Date.now): WebClient =>
    createWebClient({ server: rig.mcp.url, store: openMemory(), redirectUri, now })
  const follow = async (url: string): Promise<string> =>
    (await fetch(url, { redirect: 'manual' })).headers.get('location') ?? ''
  const signIn = async (web: WebClient, user: string): Promise<unknown> =>
    web.finish(user, await follow(await web.start(user)))
  const refusing = (dead: string | null) => (form: URLSearchParams) =>
    form.get('client_id') === dead ? { status: 401, body: { error: 'invalid_client' } } : undefined

  test('the next sign-in begins with a new one', async () => {
    const rig = await startRig()
    const web = withUsers(rig)
    await signIn(web, 'anna')
    rig.as.defects.token = refusing([...rig.as.clients][0] ?? null)
    const late = await follow(await web.start('carl'))
    await expect(signIn(web, 'ben')).rejects.toThrow('invalid_client')
    expect(await signIn(web, 'ben')).toMatchObject({ isSignedIn: true })
    await expect(web.finish('carl', late)).rejects.toThrow('invalid_client')
    expect(await signIn(web, 'carl')).toMatchObject({ isSignedIn: true })
    expect(rig.as.at('/register').length).toBe(2)
  })

  test('what it got before can still be refreshed, should it be alive after all', async () => {
    let now = Date.now()
    const rig = await startRig()
    const web = withUsers(rig, () => now)
    await signIn(web, 'anna')
    rig.as.defects.token = refusing([...rig.as.clients][0] ?? null)
    await expect(signIn(web, 'ben')).rejects.toThrow('invalid_client')
    rig.as.defects.token = () => undefined
    now += 3590_000
    expect((await web.fetch('anna')(rig.mcp.url, post)).status).toBe(200)
    expect(rig.as.at('/token').at(-1)?.form.get('grant_type')).toBe('refresh_token')
  })

  test.each<[string, Readonly<Record<string, string | undefined>>, string]>([
    ['the error of a dead one', { code: undefined, error: 'invalid_client' }, 'invalid_client'],
    ['a code that is none', { code: 'made-up' }, 'invalid_grant'],
  ])('a user cannot have it replaced by bringing %s', async (_, brought, error) => {
    const rig = await startRig()
    const web = withUsers(rig)
    rig.as.defects.callback = () => brought
    await expect(signIn(web, 'mallory')).rejects.toThrow(error)
    rig.as.defects.callback = () => ({})
    expect(await signIn(web, 'anna')).toMatchObject({ isSignedIn: true })
    expect(rig.as.at('/register').length).toBe(1)
  })

  test('one that the user brought stays', async () => {
    const rig = await startRig()
    const store = openMemory()
    const registration = { clientId: 'known', clientSecret: 's3cret', issuer: rig.as.issuer }
    const web = createWebClient({ server: rig.mcp.url, store, redirectUri, registration })
    await signIn(web, 'anna')
    const before = await store.list()
    rig.as.defects.token = () => ({ status: 401, body: { error: 'invalid_client' } })
    await expect(signIn(web, 'anna')).rejects.toThrow('invalid_client')
    expect(await store.list()).toEqual(
      expect.arrayContaining(before.filter((name) => name.startsWith('reg'))),
    )
  })
})

test('a registration for a grant that seemed dead once: refreshes work again after one sign-in', async () => {
  let now = Date.now()
  let isDown = false
  let signIns = 0
  const rig = await startRig()
  rig.as.defects.token = (form) => {
    if (isDown) return { status: 401, body: { error: 'invalid_client' } }
    if (form.get('grant_type') === 'refresh_token') return undefined
    rig.as.refreshTokens.add(`rt-${signIns}`)
    rig.as.tokens.set(`at-${signIns}`, [])
    const body = { access_token: `at-${signIns}`, token_type: 'Bearer', expires_in: 3600 }
    return { body: { ...body, refresh_token: `rt-${signIns}` } }
  }
  const way: ClientOptions['way'] = {
    kind: 'grant',
    registersFor: 'urn:ietf:params:oauth:grant-type:device_code',
    async obtain({ tokenRequest }) {
      signIns += 1
      return tokenRequest({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: 'd' })
    },
  }
  const client = rig.client({ way, now: () => now })
  const anHourLater = async (): Promise<number> => {
    now += 3600_000
    return (await client.fetch(rig.mcp.url, post)).status
  }
  expect([await anHourLater(), await anHourLater(), signIns]).toEqual([200, 200, 1])
  isDown = true
  now += 3600_000
  expect(await client.token()).toBeUndefined()
  isDown = false
  expect([await anHourLater(), await anHourLater(), await anHourLater(), signIns]).toEqual([200, 200, 200, 2])
  expect(rig.as.at('/register').length).toBe(1)
})

describe('our client id metadata document', () => {
  test('CL-45 CL-48 CL-49 is one that strict servers take', () => {
    const document = makeClientDocument({ url: documentUrl, clientName: 'Some host' })
    const json = JSON.parse(JSON.stringify(document))
    expect(readClientDocument(json, documentUrl)).toMatchObject({
      clientName: 'Some host',
      redirectUris: ['http://127.0.0.1/callback', 'http://localhost/callback'],
      native: true,
    })
    expect(json.client_id).toBe(documentUrl)
  })

  test('CL-46 CL-47 CL-55 is not made for a URL or a redirect URI that may not be', () => {
    const clientName = 'Some host'
    expect(() => makeClientDocument({ url: 'http://warder.example/c', clientName })).toThrow(
      'client.document-url',
    )
    const evil = { url: documentUrl, clientName, redirectUris: ['http://host.example/callback'] }
    expect(() => makeClientDocument(evil)).toThrow('registration.redirect-uri')
    const redirectUris = ['https://host.example/callback']
    expect(makeClientDocument({ url: documentUrl, clientName, redirectUris }).application_type).toBe('web')
  })
})

test('a server that has nothing of OAuth is said to have nothing', async () => {
  const rig = await startRig({ mcp: { metadataPath: null, challenge: () => ['Bearer realm="x"'] } })
  const refusal = await refusalOf(rig.client().fetch(rig.mcp.url, post))
  expect(refusal?.reason).toBe('resource-metadata.absent')
  expect(rig.browser.visited).toEqual([])
})
