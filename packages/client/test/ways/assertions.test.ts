import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type Client,
  type ClientOptions,
  clientCredentialsWay,
  createClient,
  type DeviceCode,
  deviceWay,
  enterpriseWay,
  exchangeWay,
  type GrantWay,
  openMemory,
  type SecretSource,
  type TraceEvent,
  workloadWay,
} from '../../src/index.ts'
import { type Answer, type Seen, startTokenServer, type TokenServer } from '../tokens/token-server.ts'

// MCP server and authorization server in one, and an identity provider beside it.
let server: TokenServer
let provider: TokenServer
let atToken: (seen: Seen) => Answer
let atDevice: () => Answer
let atServer: (seen: Seen) => Answer
let directory: string

const idJag = 'urn:ietf:params:oauth:token-type:id-jag'

beforeAll(async () => {
  ;[server, provider] = [await startTokenServer(), await startTokenServer()]
  directory = mkdtempSync(join(tmpdir(), 'warder-ways-'))
})
afterAll(async () => {
  await Promise.all([server?.stop(), provider?.stop()])
  rmSync(directory, { recursive: true, force: true })
})
beforeEach(() => {
  const { issuer } = server
  atToken = () => ({ body: { access_token: 'good', token_type: 'Bearer', refresh_token: 'canary-refresh' } })
  atDevice = () => ({})
  atServer = ({ headers }) => ({ status: headers.authorization === 'Bearer good' ? 200 : 401, body: {} })
  const documents: Readonly<Record<string, object>> = {
    '/.well-known/oauth-protected-resource/mcp': {
      resource: `${issuer}/mcp`,
      authorization_servers: [issuer],
    },
    '/.well-known/oauth-authorization-server': {
      issuer,
      token_endpoint: `${issuer}/token`,
      authorization_endpoint: `${issuer}/authorize`,
      device_authorization_endpoint: `${issuer}/device`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
    },
  }
  const route = (seen: Seen): Answer => {
    if (seen.path === '/mcp') return atServer(seen)
    if (seen.path === '/token') return atToken(seen)
    if (seen.path === '/device') return atDevice()
    const body = documents[seen.path]
    return body === undefined ? { status: 404 } : { body }
  }
  server.answer(route)
  provider.answer({ body: { access_token: 'canary-id-jag', issued_token_type: idJag, token_type: 'N_A' } })
})

const clientOf = (way: GrantWay, more: Partial<ClientOptions> = {}): Client =>
  createClient({ server: `${server.issuer}/mcp`, store: openMemory(), scopes: ['a', 'b'], way, ...more })

/** The forms that came to a path since a moment. */
const formsAt = (at: TokenServer, path: string, from: number): Record<string, string>[] =>
  at.seen.slice(from).flatMap((seen) => (seen.path === path ? [Object.fromEntries(seen.form)] : []))

const jwt = (audience: string | string[] | undefined): string => {
  const unsigned = new UnsecuredJWT(audience === undefined ? {} : { aud: audience }).encode()
  return `${unsigned}canary-signature`
}

describe('enterprise-managed authorization', () => {
  const way = (more: object = {}): GrantWay =>
    enterpriseWay({
      provider: {
        issuer: provider.issuer,
        tokenEndpoint: `${provider.issuer}/token`,
        client: { clientId: 'at-idp', clientSecret: 'canary-idp-secret' },
        ...more,
      },
      subject: { type: 'id_token', token: { read: () => 'canary-id-token' } },
    })
  const registration = { clientId: 'at-as', clientSecret: 'canary-as-secret' }

  test('EM-01 EM-02 EM-03 EM-04 EM-11 the ID token buys an ID-JAG for this server, and that buys the token', async () => {
    const [atIdp, atAs] = [provider.seen.length, server.seen.length]
    const events: TraceEvent[] = []
    const client = clientOf(way(), { registration, trace: (event) => events.push(event) })
    expect((await client.fetch(`${server.issuer}/mcp`, {})).status).toBe(200)
    expect(formsAt(provider, '/token', atIdp)).toEqual([
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        requested_token_type: idJag,
        audience: server.issuer,
        resource: `${server.issuer}/mcp`,
        scope: 'a b',
        subject_token: 'canary-id-token',
        subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      },
    ])
    expect(provider.seen.at(-1)?.headers.authorization).toMatch(/^Basic /)
    expect(formsAt(server, '/token', atAs)).toEqual([
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: 'canary-id-jag',
        resource: `${server.issuer}/mcp`,
        scope: 'a b',
      },
    ])
    const atToken = server.seen.find(({ path, form }) => path === '/token' && form.has('assertion'))
    expect(atToken?.headers.authorization).toMatch(/^Basic /)
    // EM-30: nobody goes to the authorization endpoint; EM-20: nothing of it in the trace.
    expect(server.seen.slice(atAs).some(({ path }) => path.startsWith('/authorize'))).toBe(false)
    expect(JSON.stringify(events)).not.toMatch(/canary/)
  })

  test('a refresh token is not kept: the session ends with the policy of the provider', async () => {
    const client = clientOf(way(), { registration })
    await client.signIn()
    expect(await client.status()).toMatchObject({ isSignedIn: true, canRefresh: false })
  })

  test.each([
    ['an access token', { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' }],
    ['something without a type', { issued_token_type: undefined }],
    ['an ID-JAG with a line break', { access_token: 'canary\r\n' }],
    ['no token', { access_token: undefined }],
  ])('EM-03 %s of the provider goes no further', async (_, differs) => {
    const body = { access_token: 'canary-id-jag', issued_token_type: idJag, token_type: 'N_A', ...differs }
    provider.answer({ body })
    const from = server.seen.length
    await expect(clientOf(way(), { registration }).signIn()).rejects.toMatchObject({
      reason: expect.stringMatching(/^token-answer\.(exchanged|malformed)$/),
    })
    expect(formsAt(server, '/token', from)).toEqual([])
  })

  test('a provider that says no has the last word', async () => {
    provider.answer({ status: 400, body: { error: 'invalid_grant' } })
    const from = server.seen.length
    await expect(clientOf(way(), { registration }).signIn()).rejects.toMatchObject({ error: 'invalid_grant' })
    expect(formsAt(server, '/token', from)).toEqual([])
  })
})

describe('the token of a workload', () => {
  const sources: readonly (readonly [string, (token: string) => SecretSource])[] = [
    ['a callback', (token) => ({ read: async () => token })],
    [
      'a file',
      (token) => {
        const file = join(directory, 'token')
        writeFileSync(file, `${token}\n`)
        return { file }
      },
    ],
    [
      'a variable',
      (token) => {
        process.env['WARDER_TEST_TOKEN'] = token
        return { env: 'WARDER_TEST_TOKEN' }
      },
    ],
  ]

  test.each(sources)('WI-01 from %s: sent as the assertion, without a client', async (_, sourceOf) => {
    const from = server.seen.length
    const assertion = jwt(server.issuer)
    // A registration that is there for something else is not used.
    const registration = { clientId: 'id', clientSecret: 'canary-secret' }
    const client = clientOf(workloadWay({ token: sourceOf(assertion) }), { registration })
    expect((await client.fetch(`${server.issuer}/mcp`, {})).status).toBe(200)
    const fields = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion, scope: 'a b' }
    expect(formsAt(server, '/token', from)).toEqual([{ ...fields, resource: `${server.issuer}/mcp` }])
    expect(
      server.seen.find(({ form }) => form.get('assertion') === assertion)?.headers.authorization,
    ).toBeUndefined()
  })

  test.each([
    ['the issuer', () => server.issuer],
    ['the issuer and a slash', () => `${server.issuer}/`],
    ['the token endpoint', () => `${server.issuer}/token`],
    ['one of several', () => ['https://other.example.com', server.issuer]],
  ])('WI-02 for %s it is sent', async (_, audience) => {
    await clientOf(workloadWay({ token: { read: () => jwt(audience()) } })).signIn()
  })

  test.each([
    ['for another server', () => jwt('https://other.example.com'), undefined],
    ['for nobody', () => jwt(undefined), undefined],
    [
      'for a server whose name only begins like this one',
      () => jwt(`${server.issuer}.example.com`),
      undefined,
    ],
    ['pinned to another server', () => jwt(server.issuer), 'https://other.example.com'],
    ['that is no JWT', () => 'canary-opaque', undefined],
    ['of two lines', () => `canary\r\n${jwt(server.issuer)}`, undefined],
    ['that is empty', () => ' \n', undefined],
    ['of 40 kB', () => 'a'.repeat(40_000), undefined],
  ])('a token %s is not sent', async (_, token, issuer) => {
    const from = server.seen.length
    const refused = clientOf(workloadWay({ token: { read: token }, issuer })).signIn()
    await expect(refused).rejects.toMatchObject({ reason: 'workload-token.unusable' })
    await expect(refused).rejects.not.toThrow(/canary/)
    expect(formsAt(server, '/token', from)).toEqual([])
  })

  test('a token for a name that the platform invents is sent to the pinned issuer', async () => {
    const token = { read: () => jwt('api://platform') }
    await clientOf(workloadWay({ token, issuer: server.issuer })).signIn()
  })

  test.each([
    ['a file that is not there', { file: '/nowhere/token' }],
    ['a variable that is not set', { env: 'WARDER_TEST_UNSET' }],
  ])('%s is said by its name', async (_, token) => {
    const refused = clientOf(workloadWay({ token })).signIn()
    await expect(refused).rejects.toThrow(Object.values(token)[0])
  })

  test('a server that says no is not asked again, by this grant or another', async () => {
    atToken = () => ({ status: 400, body: { error: 'invalid_grant' } })
    const from = server.seen.length
    const client = clientOf(workloadWay({ token: { read: () => jwt(server.issuer) } }))
    await expect(client.fetch(`${server.issuer}/mcp`, {})).rejects.toMatchObject({ error: 'invalid_grant' })
    expect(formsAt(server, '/token', from)).toHaveLength(1)
  })
})

describe('client credentials', () => {
  const registration = { clientId: 'id', clientSecret: 'canary-secret' }
  const needsMore = (seen: Seen): Answer => {
    if (seen.headers.authorization === 'Bearer wide') return { body: {} }
    if (seen.headers.authorization !== 'Bearer a') return { status: 401, body: {} }
    const challenge = 'Bearer error="insufficient_scope", scope="b"'
    return { status: 403, headers: { 'www-authenticate': challenge }, body: {} }
  }
  const call = async (more: Partial<ClientOptions>): Promise<[number, (string | undefined)[]]> => {
    atServer = needsMore
    atToken = ({ form }) => {
      const isWide = form.get('scope')?.includes('b') === true
      return { body: { access_token: isWide ? 'wide' : 'a', token_type: 'Bearer', scope: form.get('scope') } }
    }
    const from = server.seen.length
    const client = clientOf(clientCredentialsWay(), { registration, ...more })
    const { status } = await client.fetch(`${server.issuer}/mcp`, { method: 'POST', body: '{}' })
    client.close()
    return [status, formsAt(server, '/token', from).map(({ scope }) => scope?.split(' ').sort().join(' '))]
  }

  test('CC-08 asks for the missing scopes as well, where the policy lets it', async () => {
    expect(await call({ scopes: ['a'], stepUp: { mode: 'auto' } })).toEqual([200, ['a', 'a b']])
  })

  test('CC-08 stops where the scopes are pinned: the 403 is the answer', async () => {
    expect(await call({ scopes: ['a'] })).toEqual([403, ['a']])
  })
})

describe('a token exchange', () => {
  const subject = { type: 'access_token', token: { read: () => 'canary-subject' } } as const

  test('the subject, who acts, and the client say who they are', async () => {
    const from = server.seen.length
    const way = exchangeWay({
      issuer: server.issuer,
      subject,
      actor: { type: 'jwt', token: { read: () => 'canary-actor' } },
      audience: 'notes',
    })
    await clientOf(way, { registration: { clientId: 'id' } }).signIn()
    expect(formsAt(server, '/token', from)).toEqual([
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        subject_token: 'canary-subject',
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        actor_token: 'canary-actor',
        actor_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        audience: 'notes',
        resource: `${server.issuer}/mcp`,
        scope: 'a b',
        client_id: 'id',
      },
    ])
  })

  test('CL-37 another authorization server never sees the subject', async () => {
    const from = server.seen.length
    const way = exchangeWay({ issuer: 'https://sts.example.com', subject })
    await expect(clientOf(way).signIn()).rejects.toMatchObject({ reason: 'registration.other-issuer' })
    expect(formsAt(server, '/token', from)).toEqual([])
  })

  test('a token that no server takes (N_A) is refused', async () => {
    atToken = () => ({ body: { access_token: 'a', token_type: 'N_A' } })
    const way = exchangeWay({ issuer: server.issuer, subject })
    await expect(clientOf(way).signIn()).rejects.toMatchObject({ reason: 'token-answer.type' })
  })
})

describe('the answer of a device endpoint', () => {
  const registration = { clientId: 'tv' }
  const good = {
    device_code: 'canary-device',
    user_code: 'ABCD-EFGH',
    verification_uri: 'https://as.example.com/device',
    expires_in: 300,
  }
  const signIn = async (answer: object, waits: number[] = []): Promise<DeviceCode | undefined> => {
    atDevice = () => ({ body: answer })
    let shown: DeviceCode | undefined
    const show = (code: DeviceCode): void => {
      shown = code
    }
    const wait = async (milliseconds: number): Promise<void> => {
      waits.push(milliseconds)
    }
    await clientOf(deviceWay({ show, wait }), { registration }).signIn()
    return shown
  }

  test('what the person needs is shown, and the code that only we may know is not', async () => {
    const shown = await signIn({ ...good, verification_uri_complete: 'https://as.example.com/device?c=1' })
    expect(shown).toMatchObject({
      userCode: 'ABCD-EFGH',
      verificationUriComplete: 'https://as.example.com/device?c=1',
    })
    expect(JSON.stringify(shown)).not.toMatch(/canary/)
  })

  test('slow_down and a failing server make it slower, pending does not', async () => {
    const waits: number[] = []
    const answers: Answer[] = [
      { status: 400, body: { error: 'authorization_pending' } },
      { status: 400, body: { error: 'slow_down' } },
      { status: 503 },
      { hangUp: true },
      { body: { access_token: 'good', token_type: 'Bearer' } },
    ]
    atToken = () => answers.shift() ?? {}
    await signIn({ ...good, interval: 2 }, waits)
    expect(waits).toEqual([2000, 2000, 7000, 12_000, 17_000])
  })

  test.each([
    [0, 1000],
    ['3', 3000],
    [1e9, 60_000],
    [undefined, 5000],
  ])('an interval of %j counts as %i ms', async (interval, counts) => {
    const waits: number[] = []
    await signIn({ ...good, interval }, waits)
    expect(waits).toEqual([counts])
  })

  test.each([
    ['javascript: as the address', { verification_uri: 'javascript:alert(1)' }],
    ['http beyond this computer', { verification_uri: 'http://as.example.com/device' }],
    ['user info in the address', { verification_uri: 'https://a@as.example.com/device' }],
    ['file: as the complete address', { verification_uri_complete: 'file:///etc/passwd' }],
    ['Q27 an escape sequence in the code', { user_code: '\u001b[2JABCD' }],
    ['no code', { user_code: undefined }],
    ['a code of 100 characters', { user_code: 'A'.repeat(100) }],
    ['no device code', { device_code: undefined }],
    ['words for expires_in', { expires_in: 'soon' }],
  ])('CL-69 CL-70 %s is refused, and shown to nobody', async (_, differs) => {
    const from = server.seen.length
    await expect(signIn({ ...good, ...differs })).rejects.toMatchObject({
      reason: expect.stringMatching(/^(device-answer\.malformed|server-metadata\.endpoint)$/),
    })
    expect(formsAt(server, '/token', from)).toEqual([])
  })

  test('without a client id nothing is asked', async () => {
    const from = server.seen.length
    const way = deviceWay({ show: () => {} })
    await expect(clientOf(way).signIn()).rejects.toMatchObject({ name: 'RegistrationNeeded' })
    expect(formsAt(server, '/device', from)).toEqual([])
  })
})
