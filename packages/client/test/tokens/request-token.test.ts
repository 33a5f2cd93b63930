import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto'
import { createOutbound } from '@warder/outbound'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  refreshTokens,
  requestToken,
  revokeTokens,
  type TokenClient,
  TokenEndpointError,
  type TokenRequest,
  type TokenSet,
  type TraceEvent,
} from '../../src/index.ts'
import { startTokenServer, type TokenServer } from './token-server.ts'

const outbound = createOutbound({ reach: 'loopback' })
const now = (): number => 1_700_000_000_500
const seconds = 1_700_000_000
const good = { access_token: 'canary-access', token_type: 'Bearer', expires_in: 600 }

let server: TokenServer

beforeAll(async () => {
  server = await startTokenServer()
})
beforeEach(() => server.answer({ body: good }))
afterAll(() => server.stop())

const metadataOf = (more: object = {}): TokenRequest['metadata'] => ({
  issuer: server.issuer,
  tokenEndpoint: `${server.issuer}/token`,
  revocationEndpoint: `${server.issuer}/revoke`,
  ...more,
})

const ask = (of: Partial<TokenRequest> = {}): Promise<TokenSet> =>
  requestToken({
    metadata: metadataOf(),
    registration: { clientId: 'id' },
    fields: {
      grant_type: 'authorization_code',
      code: 'canary-code',
      resource: 'https://mcp.example.com/mcp',
    },
    outbound,
    now,
    ...of,
  })

const last = (): (typeof server.seen)[number] => server.seen.at(-1)!

describe('client authentication', () => {
  test('none: the id is in the form, and nothing else says who it is', async () => {
    await ask()
    expect(last().form.get('client_id')).toBe('id')
    expect([last().headers.authorization, last().form.has('client_secret')]).toEqual([undefined, false])
    expect(last().headers['content-type']).toBe('application/x-www-form-urlencoded')
    expect(last().headers.accept).toBe('application/json')
  })

  test.each([
    [undefined, 'basic'],
    [['client_secret_post', 'client_secret_basic'], 'basic'],
    [['client_secret_post'], 'post'],
    [['none', 'client_secret_post'], 'post'],
  ] as const)('CC-02 a secret at a server that lists %j goes by %s', async (methods, way) => {
    const metadata = metadataOf({ tokenEndpointAuthMethods: methods })
    await ask({ metadata, registration: { clientId: 'id', clientSecret: 'canary-secret' } })
    const isPost = last().form.get('client_secret') === 'canary-secret'
    expect([isPost, last().headers.authorization !== undefined]).toEqual([way === 'post', way === 'basic'])
  })

  test('client_secret_basic form-encodes id and secret before it joins them (RFC 6749 section 2.3.1)', async () => {
    await ask({ registration: { clientId: 'a:b', clientSecret: 'pä ss%+:~' } })
    const pair = Buffer.from(last().headers.authorization?.slice(6) ?? '', 'base64').toString()
    expect(pair).toBe('a%3Ab:p%C3%A4+ss%25%2B%3A%7E')
    expect(last().form.has('client_id')).toBe(false)
  })

  const keys: readonly (readonly [string, () => KeyPairKeyObjectResult])[] = [
    ['ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['RS256', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['EdDSA', () => generateKeyPairSync('ed25519')],
  ]
  test.each(keys)(
    'CL-50 CC-02 private_key_jwt %s: for the issuer alone, once, for a minute',
    async (alg, make) => {
      const { publicKey, privateKey } = make()
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      const assertions: string[] = []
      for (const key of [pem, privateKey, privateKey.export({ format: 'jwk' })]) {
        await ask({ registration: { clientId: 'id', assertionKey: { key, kid: 'one' } } })
        assertions.push(last().form.get('client_assertion') ?? '')
        expect(last().form.has('client_id')).toBe(false)
        expect(last().form.get('client_assertion_type')).toBe(
          'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        )
      }
      const ids = new Set<unknown>()
      for (const assertion of assertions) {
        const { payload } = await jwtVerify(assertion, publicKey, { currentDate: new Date(now()) })
        expect(payload).toMatchObject({ iss: 'id', sub: 'id', aud: server.issuer, exp: seconds + 60 })
        expect(decodeProtectedHeader(assertion)).toMatchObject({ alg, kid: 'one' })
        ids.add(payload.jti)
      }
      expect(ids.size).toBe(3)
    },
  )

  test('private_key_jwt takes an algorithm that the server lists, and none that it does not', async () => {
    const { privateKey: key } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const at = (algs: readonly string[]): Promise<TokenSet> =>
      ask({
        metadata: metadataOf({ tokenEndpointAuthSigningAlgs: algs }),
        registration: { clientId: 'id', assertionKey: { key } },
      })
    await at(['PS256'])
    expect(decodeProtectedHeader(last().form.get('client_assertion') ?? '').alg).toBe('PS256')
    await expect(at(['ES256'])).rejects.toMatchObject({ reason: 'client-key.unusable' })
  })

  test.each<[string, TokenClient]>([
    ['a public key', { clientId: 'id', assertionKey: { key: generateKeyPairSync('ed25519').publicKey } }],
    ['no key at all', { clientId: 'id', assertionKey: { key: 'canary-key' } }],
    ['an RSA key of 1,024 bits', { clientId: 'id', assertionKey: { key: weakKey() } }],
  ])('%s cannot authenticate, and nothing is sent', async (_, registration) => {
    const before = server.seen.length
    const refused = ask({ registration })
    await expect(refused).rejects.toMatchObject({ reason: 'client-key.unusable' })
    await expect(refused).rejects.not.toThrow(/canary/)
    expect(server.seen.length).toBe(before)
  })

  test('a method that needs a secret which is not there sends nothing', async () => {
    const before = server.seen.length
    const registration = { clientId: 'id', authMethod: 'client_secret_basic' }
    await expect(ask({ registration })).rejects.toMatchObject({ reason: 'client.authentication' })
    expect(server.seen.length).toBe(before)
  })

  test('WI-01 without a registration nobody says who it is', async () => {
    await ask({ registration: undefined })
    expect([...last().form.keys()].sort()).toEqual(['code', 'grant_type', 'resource'])
    expect(last().headers.authorization).toBeUndefined()
  })
})

describe('the answer', () => {
  test('CL-20 tokens, their end, and what was granted; `resource` goes along byte for byte', async () => {
    server.answer({ body: { ...good, refresh_token: 'r', id_token: 'i.d.t', scope: 'a b' } })
    expect(await ask()).toEqual({
      accessToken: 'canary-access',
      tokenType: 'Bearer',
      expiresAt: seconds + 600,
      refreshToken: 'r',
      idToken: 'i.d.t',
      scopes: ['a', 'b'],
      asked: undefined,
      obtainedAt: seconds,
      generation: 0,
    })
    expect(last().form.get('resource')).toBe('https://mcp.example.com/mcp')
  })

  test.each([
    [600, 600],
    ['600', 600],
    [1.9, 1],
    [1e300, 366 * 86_400],
    ['99999999999999999999', 366 * 86_400],
    [0, undefined],
    [-5, undefined],
    ['-5', undefined],
    [null, undefined],
    [undefined, undefined],
  ])('Q19 expires_in %j counts as %j', async (expires, counts) => {
    server.answer({ body: { ...good, expires_in: expires } })
    expect((await ask()).expiresAt).toBe(counts === undefined ? undefined : seconds + counts)
  })

  test.each([
    ['a b', 'a', ['a']],
    ['a', 'a b c', ['a', 'b', 'c']],
    ['a b', undefined, ['a', 'b']],
    ['a', '', []],
    [undefined, undefined, undefined],
  ])('Q19 asked for %j, answered %j: the grant is %j', async (scope, answered, granted) => {
    server.answer({ body: { ...good, scope: answered } })
    const fields = { grant_type: 'client_credentials', ...(scope !== undefined && { scope }) }
    const tokens = await ask({ fields })
    expect([tokens.scopes, tokens.asked]).toEqual([granted, scope?.split(' ')])
  })

  test.each([
    ['any content type', { headers: { 'content-type': 'text/html' }, body: JSON.stringify(good) }],
    ['a type in capitals', { body: { ...good, token_type: 'BEARER' } }],
    ['an empty refresh token', { body: { ...good, refresh_token: '' } }],
    ['an empty error', { body: { ...good, error: null } }],
  ])('%s is fine', async (_, answer) => {
    server.answer(answer)
    expect(await ask()).toMatchObject({ accessToken: 'canary-access', refreshToken: undefined })
  })

  test.each([
    ['token_type mac', { ...good, token_type: 'mac' }, 'token-answer.type'],
    ['no token_type', { ...good, token_type: undefined }, 'token-answer.type'],
    ['token_type DPoP that nobody asked for', { ...good, token_type: 'DPoP' }, 'token-answer.type'],
    ['CR and LF in the token', { ...good, access_token: 'a\r\nX: y' }, 'token-answer.malformed'],
    ['a space in the token', { ...good, access_token: 'a b' }, 'token-answer.malformed'],
    ['a token of 33 kB', { ...good, access_token: 'a'.repeat(33_000) }, 'token-answer.malformed'],
    ['a token that is an object', { ...good, access_token: {} }, 'token-answer.malformed'],
    ['no token', { token_type: 'Bearer' }, 'token-answer.malformed'],
    ['LF in the refresh token', { ...good, refresh_token: 'a\n' }, 'token-answer.malformed'],
    ['words for expires_in', { ...good, expires_in: 'soon' }, 'token-answer.malformed'],
    ['an object for expires_in', { ...good, expires_in: {} }, 'token-answer.malformed'],
    ['scopes in a list', { ...good, scope: ['a'] }, 'token-answer.malformed'],
    ['a quote in the scope', { ...good, scope: 'a"b' }, 'token-answer.malformed'],
    ['HTML', '<html>canary-page</html>', 'token-answer.malformed'],
    ['an array', [good], 'token-answer.malformed'],
    [
      'the same key twice',
      '{"access_token":"a","access_token":"b","token_type":"Bearer"}',
      'token-answer.malformed',
    ],
  ])('Q19 %s is refused', async (_, body, reason) => {
    server.answer({ body })
    const refused = ask()
    await expect(refused).rejects.toMatchObject({
      name: 'TokenEndpointError',
      transient: false,
      reason,
      status: 200,
    })
    await expect(refused).rejects.not.toThrow(/canary/)
  })

  test('Q06 an answer of more than 256 kB, and a redirect, are refused', async () => {
    server.answer({ body: { ...good, more: 'x'.repeat(260_000) } })
    await expect(ask()).rejects.toMatchObject({ transient: false, reason: 'outbound.too-large' })
    server.answer({ status: 307, headers: { location: `${server.issuer}/other` } })
    await expect(ask()).rejects.toMatchObject({ transient: false, reason: 'outbound.redirect' })
  })
})

describe('errors', () => {
  test.each([
    [400, { error: 'invalid_grant' }, 'invalid_grant', false],
    [200, { error: 'invalid_grant' }, 'invalid_grant', false],
    [200, { ok: false, error: 'bad_refresh_token' }, 'bad_refresh_token', false],
    [401, { error: 'invalid_client' }, 'invalid_client', false],
    [400, { error: 'temporarily_unavailable' }, 'temporarily_unavailable', true],
    [429, { error: 'slow_down' }, 'slow_down', true],
    [429, '', undefined, true],
    [500, { error: 'invalid_grant' }, 'invalid_grant', true],
    [502, '<html>', undefined, true],
    [404, '<html>', undefined, false],
    [400, { error: { code: 1 } }, undefined, false],
    [400, { error: 'two words' }, undefined, false],
  ])('status %i with %j: error %s, transient %s', async (status, body, error, transient) => {
    server.answer({ status, body })
    await expect(ask()).rejects.toMatchObject({ name: 'TokenEndpointError', status, error, transient })
  })

  test('a server that hangs up, is not there, or is silent: transient', async () => {
    server.answer({ hangUp: true })
    await expect(ask()).rejects.toMatchObject({ transient: true, status: undefined })
    const gone = await startTokenServer()
    await gone.stop()
    const metadata = { issuer: gone.issuer, tokenEndpoint: `${gone.issuer}/token` }
    await expect(ask({ metadata })).rejects.toMatchObject({ transient: true })
    server.answer(() => new Promise(() => {}))
    await expect(ask({ timeoutMs: 50 })).rejects.toMatchObject({ transient: true })
  })

  test('Q16 Q27 the words of the server come without our secrets and without what a terminal obeys', async () => {
    const secret = 'canary secret+/='
    server.answer(({ form, headers }) => ({
      status: 400,
      body: {
        error: 'invalid_request',
        error_description: `\u001b[2J${form.get('code')} ${secret} ${headers.authorization} ${encodeURIComponent(secret)}\r\n\u202eend`,
      },
    }))
    const events: TraceEvent[] = []
    const registration = { clientId: 'id', clientSecret: secret }
    const error = await ask({ registration, trace: (event) => events.push(event) }).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(TokenEndpointError)
    expect(error.description).toBe('[2J[hidden] [hidden] Basic [hidden] [hidden]end')
    expect(error.message).toBe('the authorization server answered invalid_request (status 400)')
    expect(JSON.stringify([events, error])).not.toMatch(/canary/)
    expect(events.map(({ step, outcome }) => [step, outcome])).toEqual([
      ['token', 'tried'],
      ['token', 'failed'],
    ])
  })

  test('Q16 an `error` that repeats a secret is not taken for a word', async () => {
    server.answer({ status: 400, body: { error: 'canary-code' } })
    const error = await ask().catch((thrown) => thrown)
    expect([error.error, String(error)]).toEqual([undefined, expect.not.stringMatching(/canary/)])
  })
})

const held: TokenSet & { refreshToken: string } = {
  accessToken: 'canary-old',
  tokenType: 'Bearer',
  refreshToken: 'canary-refresh',
  scopes: ['a'],
  asked: ['a', 'b'],
  idToken: 'i.d.t',
  obtainedAt: 1,
  generation: 7,
}

describe('a refresh', () => {
  const refresh = (more: object = {}): Promise<TokenSet> =>
    refreshTokens({
      metadata: metadataOf(),
      registration: { clientId: 'id' },
      tokens: held,
      resource: 'https://mcp.example.com/mcp',
      outbound,
      now,
      ...more,
    })

  test('CL-20 sends the resource and no scope, and keeps what the answer leaves out', async () => {
    expect(await refresh()).toEqual({
      ...held,
      accessToken: 'canary-access',
      expiresAt: seconds + 600,
      obtainedAt: seconds,
      generation: 8,
    })
    expect(Object.fromEntries(last().form)).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'canary-refresh',
      client_id: 'id',
      resource: 'https://mcp.example.com/mcp',
    })
  })

  test('takes a rotated refresh token and a narrower grant', async () => {
    server.answer({ body: { ...good, refresh_token: 'next', scope: 'b' } })
    expect(await refresh()).toMatchObject({ refreshToken: 'next', scopes: ['b'], asked: ['a', 'b'] })
  })

  test('for a server that wants it so, the scopes are repeated and the resource left out', async () => {
    await refresh({ repeatScopes: true, resource: undefined })
    expect([last().form.get('scope'), last().form.has('resource')]).toEqual(['a', false])
  })
})

describe('a revocation', () => {
  const revoke = (more: object = {}): ReturnType<typeof revokeTokens> =>
    revokeTokens({
      issuer: server.issuer,
      metadata: metadataOf(),
      registration: { clientId: 'id', clientSecret: 'canary-secret' },
      tokens: held,
      outbound,
      ...more,
    })
  const sent = (from: number): unknown[] =>
    server.seen.slice(from).map(({ path, form }) => [path, form.get('token'), form.get('token_type_hint')])

  test('the refresh token first, then the access token, each told', async () => {
    server.answer({ body: '' })
    const from = server.seen.length
    expect(await revoke()).toEqual({ refreshToken: 'revoked', accessToken: 'revoked' })
    expect(sent(from)).toEqual([
      ['/revoke', 'canary-refresh', 'refresh_token'],
      ['/revoke', 'canary-old', 'access_token'],
    ])
    expect(last().headers.authorization).toMatch(/^Basic /)
  })

  test('what a server does not revoke, and what fails, is told of each token', async () => {
    server.answer({ status: 503 }, { status: 400, body: { error: 'unsupported_token_type' } })
    expect(await revoke()).toEqual({ refreshToken: 'failed', accessToken: 'unsupported' })
    expect(await revoke({ tokens: { accessToken: 'a' } })).toMatchObject({ refreshToken: 'absent' })
    const metadata = metadataOf({ revocationEndpoint: undefined })
    expect(await revoke({ metadata })).toEqual({ refreshToken: 'unsupported', accessToken: 'unsupported' })
  })

  test('CL-37 the tokens of another issuer are not sent', async () => {
    const from = server.seen.length
    const other = { issuer: 'https://other.example.com' }
    expect(await revoke(other)).toEqual({ refreshToken: 'failed', accessToken: 'failed' })
    expect(sent(from)).toEqual([])
  })

  test('a silent server costs the budget once, for both tokens together', async () => {
    server.answer(() => new Promise(() => {}))
    const from = server.seen.length
    expect(await revoke({ budgetMs: 1000 })).toEqual({ refreshToken: 'failed', accessToken: 'failed' })
    expect(sent(from)).toEqual([['/revoke', 'canary-refresh', 'refresh_token']])
  })
})

function weakKey(): KeyPairKeyObjectResult['privateKey'] {
  return generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
}
