import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { authenticate, forge, goodClaims, makeGuard, makeSigner, reasonOf, signer } from './fixture.ts'

const guard = makeGuard()
const tryToken = async (token: string | Promise<string>): Promise<string> =>
  reasonOf(authenticate(guard, await token))

describe('G02 algorithm none', () => {
  it.each(['none', 'None', 'nOnE', '', undefined, ['ES256'], null, 256])(
    'G02 alg %j is refused',
    async (alg) => {
      expect(await tryToken(forge({ alg, typ: 'at+jwt', kid: 'key-1' }))).toBe('token.algorithm')
    },
  )
  it('G02 an unsigned token is no token', async () => {
    expect(await tryToken(forge({ alg: 'none', typ: 'at+jwt' }, goodClaims, ''))).toBe('token.malformed')
  })
})

describe('G03 the public key as HMAC secret', async () => {
  const rsa = await makeSigner('RS256', 'rsa-1')
  const both = makeGuard({ keys: { jwks: async () => ({ keys: [signer.jwk, rsa.jwk] }) } })
  const { exportSPKI } = await import('jose')
  const spki = await exportSPKI(rsa.publicKey)
  const der = Buffer.from(spki.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  const secrets: [string, Uint8Array][] = [
    ['PEM', Buffer.from(spki)],
    ['PEM with leading space', Buffer.from(` ${spki}`)],
    ['PEM with leading newline', Buffer.from(`\n${spki}`)],
    ['DER', der],
    ['JWK', Buffer.from(JSON.stringify(rsa.jwk))],
    ['modulus', Buffer.from(String(rsa.jwk.n), 'base64url')],
  ]
  for (const [name, secret] of secrets) {
    it.each(['HS256', 'HS384', 'HS512'])(`G03 ${name} with %s is refused`, async (alg) => {
      const token = await new SignJWT({ ...goodClaims })
        .setProtectedHeader({ alg, typ: 'at+jwt', kid: 'rsa-1' })
        .sign(secret)
      expect(await reasonOf(authenticate(both, token))).toBe('token.algorithm')
    })
  }
  it('G03 twin: the real RS256 and ES256 signatures pass', async () => {
    expect(await reasonOf(authenticate(both, await rsa.sign()))).toBe('passed')
    expect(await reasonOf(authenticate(both, await signer.sign()))).toBe('passed')
  })
  it('G03 an RSA key does not verify what claims to be ES256', async () => {
    expect(await reasonOf(authenticate(both, await signer.sign({}, { kid: 'rsa-1' })))).toBe('token.key')
  })
})

it.each(['ES256', 'ES384', 'ES512', 'EdDSA', 'RS256', 'RS512', 'PS256', 'PS384'])(
  'RS-09 %s is on the list',
  async (algorithm) => {
    const other = await makeSigner(algorithm, 'other')
    const keys = { jwks: async () => ({ keys: [other.jwk] }) }
    expect(await reasonOf(authenticate(makeGuard({ keys }), await other.sign()))).toBe('passed')
  },
)

describe('keys that the token brings along', async () => {
  const attacker = await makeSigner('ES256', 'key-1')
  let fetched = 0
  const counted = makeGuard({
    keys: {
      jwksUri: 'https://auth.example.com/jwks',
      fetch: async (url) => {
        expect(url).toBe('https://auth.example.com/jwks')
        fetched += 1
        return { status: 200, body: Buffer.from(JSON.stringify({ keys: [signer.jwk] })) }
      },
    },
  })
  const evil = 'https://evil.example/keys'
  it.each([
    ['G05', { jwk: attacker.jwk }],
    ['G06', { jku: evil }],
    ['G06', { x5u: evil }],
    ['G07', { x5c: [Buffer.from('certificate').toString('base64')] }],
  ])('%s %j in the header is not looked at', async (_, header) => {
    expect(await reasonOf(authenticate(counted, await attacker.sign({}, header)))).toBe('token.signature')
    expect(await reasonOf(authenticate(counted, await signer.sign({}, header)))).toBe('passed')
    expect(fetched).toBe(1)
  })
})

describe('G09 G10 which key', async () => {
  const second = await makeSigner('ES256', 'key-2')
  const two = makeGuard({ keys: { jwks: async () => ({ keys: [signer.jwk, second.jwk] }) } })
  it('G09 without kid while two keys fit it is refused; with kid or one key it passes', async () => {
    expect(await reasonOf(authenticate(two, await signer.sign({}, { kid: undefined })))).toBe('token.key')
    expect(await reasonOf(authenticate(two, await second.sign()))).toBe('passed')
    expect(await tryToken(signer.sign({}, { kid: undefined }))).toBe('passed')
  })
  it.each([1, null, ['key-1'], {}])('G09 kid %j is no key id', async (kid) => {
    expect(await tryToken(forge({ alg: 'ES256', typ: 'at+jwt', kid }))).toBe('token.key')
  })
  it('G10 the issuer chooses the key set, not the key id', async () => {
    const other = await makeSigner('ES256', 'key-1')
    const otherIssuer = 'https://other.example'
    const otherGuard = makeGuard({ issuer: otherIssuer, keys: { jwks: async () => ({ keys: [other.jwk] }) } })
    expect(await tryToken(other.sign())).toBe('token.signature')
    expect(await tryToken(other.sign({ iss: otherIssuer }))).toBe('token.issuer')
    expect(await reasonOf(authenticate(otherGuard, await other.sign({ iss: otherIssuer })))).toBe('passed')
  })
})

describe('token type', () => {
  const types = [
    'JWT',
    undefined,
    '',
    'dpop+jwt',
    'logout+jwt',
    'oauth-id-jag+jwt',
    'token-introspection+jwt',
    'warder-assertion+jwt',
    'at+jwt ',
    'application/jwt',
  ]
  it.each(types)('G14 typ %j is refused', async (typ) => {
    expect(await tryToken(signer.sign({}, { typ }))).toBe('token.type')
  })
  it.each([1, ['at+jwt'], null])('G14 typ %j is refused', async (typ) => {
    expect(await tryToken(forge({ alg: 'ES256', kid: 'key-1', typ }))).toBe('token.type')
  })
  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/At+Jwt'])(
    'G14 twin: typ %j passes',
    async (typ) => {
      expect(await tryToken(signer.sign({}, { typ }))).toBe('passed')
    },
  )
  it('G14 plain JWTs pass only where the option says so, and other types not even there', async () => {
    const plain = makeGuard({ dangerouslyAcceptPlainJwt: true })
    for (const typ of ['JWT', 'jwt', undefined]) {
      expect(await reasonOf(authenticate(plain, await signer.sign({}, { typ })))).toBe('passed')
    }
    for (const typ of ['dpop+jwt', 'logout+jwt', '', 'warder-assertion+jwt']) {
      expect(await reasonOf(authenticate(plain, await signer.sign({}, { typ })))).toBe('token.type')
    }
  })
  it('G15 an ID token of the same issuer is refused, also where plain JWTs are taken', async () => {
    const idToken = signer.sign({ aud: 'client-1', nonce: 'n', scope: undefined }, { typ: 'JWT' })
    expect(await tryToken(idToken)).toBe('token.type')
    const plain = makeGuard({ dangerouslyAcceptPlainJwt: true })
    expect(await reasonOf(authenticate(plain, await idToken))).toBe('token.audience')
  })
})

describe('critical extensions', () => {
  it.each([
    ['b64', false],
    ['exp', 1],
    ['urn:unknown', 1],
  ])('G19 crit %j is refused', async (name, value) => {
    expect(
      await tryToken(forge({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1', crit: [name], [name]: value })),
    ).toBe('token.algorithm')
  })
  it.each([[[]], ['exp'], [null]])('G19 crit %j is refused', async (crit) => {
    expect(await tryToken(forge({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1', crit }))).toBe('token.algorithm')
  })
})

describe('forms that are not a compact JWS', async () => {
  const good = await signer.sign()
  const [head, payload, signature] = good.split('.') as [string, string, string]
  it('G21 five parts, nested tokens and expensive decryption are not even tried', async () => {
    const pbes2 = { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 1_000_000_000, p2s: 'AA', zip: 'DEF' }
    expect(await tryToken(`${forge(pbes2)}.AA.AA`)).toBe('token.malformed')
    expect(await tryToken(forge({ ...pbes2, typ: 'at+jwt' }))).toBe('token.algorithm')
    expect(await tryToken(forge({ alg: 'ES256', typ: 'at+jwt', cty: 'JWT', kid: 'key-1' }, good))).toBe(
      'token.malformed',
    )
  })
  it('G22 a megabyte of token and ten thousand levels are refused before they are parsed', async () => {
    expect(await tryToken('a'.repeat(1024 * 1024))).toBe('token.malformed')
    expect(await tryToken(`${'a'.repeat(100_000)}.${payload}.${signature}`)).toBe('token.malformed')
    const deep = Buffer.from(`${'['.repeat(5000)}${']'.repeat(5000)}`).toString('base64url')
    expect(await tryToken(`${head}.${deep}.${signature}`)).toBe('token.malformed')
  })
  it.each([
    ['detached', `${head}..${signature}`],
    ['one dot', `${head}.${payload}`],
    ['three dots', `${good}.`],
    ['four dots', `${good}.AA.AA`],
    ['padding', `${head}.${payload}.${signature}=`],
    ['JSON', JSON.stringify({ payload, signatures: [{ protected: head, signature }] })],
    ['no parts', '...'],
  ])('G23 %s is refused', async (_, token) => {
    expect(await tryToken(token)).toBe('token.malformed')
  })
  const n = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
  const der = Buffer.concat([
    Buffer.from('30440220', 'hex'),
    Buffer.alloc(32, 1),
    Buffer.from('0220', 'hex'),
    Buffer.alloc(32, 1),
  ])
  it.each([
    ['r = s = 0', Buffer.alloc(64)],
    ['r = s = n', Buffer.from(n + n, 'hex')],
    ['r above n', Buffer.from('f'.repeat(128), 'hex')],
    ['DER', der],
    ['truncated', Buffer.from(signature, 'base64url').subarray(0, 63)],
    ['one byte more', Buffer.concat([Buffer.from(signature, 'base64url'), Buffer.alloc(1)])],
  ])('G25 a signature of %s is refused', async (_, bytes) => {
    expect(await tryToken(`${head}.${payload}.${bytes.toString('base64url')}`)).toBe('token.signature')
  })
  it('G25 an empty signature is refused; the whole one passes', async () => {
    expect(await tryToken(`${head}.${payload}.`)).toBe('token.malformed')
    expect(await tryToken(good)).toBe('passed')
  })
  it('G25 another payload under the same signature is refused', async () => {
    const other = Buffer.from(JSON.stringify({ ...goodClaims, sub: 'owner' })).toString('base64url')
    expect(await tryToken(`${head}.${other}.${signature}`)).toBe('token.signature')
  })
})

it('G29 a token in the query is refused with and without the question mark, also beside the header', async () => {
  const authorization = [`Bearer ${await signer.sign()}`]
  const tryQuery = async (query: string): Promise<string> =>
    reasonOf(guard.authenticate({ authorization, query }))
  expect(await tryQuery('?access_token=x')).toBe('token.two-places')
  expect(await tryQuery('access_token=x')).toBe('token.two-places')
  expect(await tryQuery('?x=1&access=token')).toBe('passed')
})
