import { describe, expect, it } from 'vitest'
import {
  authenticate,
  goodClaims,
  issuer,
  makeGuard,
  reasonOf,
  resource,
  seconds,
  signer,
} from './fixture.ts'

const guard = makeGuard()
const tryToken = async (token: string | Promise<string>): Promise<string> =>
  reasonOf(authenticate(guard, await token))

it('RS-09 RS-10: a token of this issuer for this server passes, and says who calls', async () => {
  const principal = await authenticate(guard, await signer.sign())
  expect(principal).toEqual({
    user: { issuer, subject: 'user-1', names: ['owner'], groups: [] },
    client: { id: 'client-1', class: 'local' },
    scopes: new Set(['notes:read']),
    grantId: 'grant-1',
    tokenId: 'token-1',
    expiresAt: seconds + 600,
  })
})

it.each([
  'https://other.example',
  `${issuer}/`,
  'https://AUTH.example.com',
  [issuer],
  undefined,
  null,
  'http://auth.example.com',
])('G11 iss %j is refused', async (iss) => {
  expect(await tryToken(signer.sign({ iss }))).toBe('token.issuer')
})

describe('audience', () => {
  it.each([
    undefined,
    null,
    '',
    'https://mcp.example.com/files/mcp',
    `${resource}2`,
    `${resource}/`,
    resource.slice(0, -1),
    'https://mcp.example.com/Notes/mcp',
    'https://mcp.example.com',
    'https://mcp.example.com/',
    issuer,
    'client-1',
  ])('G12 RS-13 RS-15 RS-18 aud %j is refused', async (aud) => {
    expect(await tryToken(signer.sign({ aud }))).toBe('token.audience')
  })
  it.each([[[resource, 'https://other.example/mcp']], [[resource, resource]], [[]], [[[resource]]]])(
    'G13 aud %j is refused',
    async (aud) => {
      expect(await tryToken(signer.sign({ aud }))).toBe('token.audience')
    },
  )
  it('G13 twin: an array of this one server passes', async () => {
    expect(await tryToken(signer.sign({ aud: [resource] }))).toBe('passed')
  })
  it('G31 the token of one tenant is refused at the server of another with the same issuer', async () => {
    const tenantB = 'https://mcp.example.com/tenant-b/mcp'
    const guardB = makeGuard({ resource: tenantB })
    expect(await reasonOf(authenticate(guardB, await signer.sign()))).toBe('token.audience')
    expect(await reasonOf(authenticate(guardB, await signer.sign({ aud: tenantB })))).toBe('passed')
  })
})

describe('times', () => {
  it.each([
    ['nbf', seconds + 11],
    ['iat', seconds + 11],
    ['nbf', seconds + 3600],
  ])('G17 %s beyond the tolerance is refused', async (claim, value) => {
    expect(await tryToken(signer.sign({ [claim]: value }))).toBe('token.not-yet-valid')
  })
  it.each(['nbf', 'iat'])('G17 twin: %s up to 10 s ahead passes', async (claim) => {
    expect(await tryToken(signer.sign({ [claim]: seconds + 5 }))).toBe('passed')
    expect(await tryToken(signer.sign({ [claim]: seconds + 10 }))).toBe('passed')
  })
  it('RS-12 an expired token is refused, to the second', async () => {
    expect(await tryToken(signer.sign({ exp: seconds }))).toBe('token.expired')
    expect(await tryToken(signer.sign({ exp: seconds - 3600 }))).toBe('token.expired')
    expect(await tryToken(signer.sign({ exp: seconds + 1 }))).toBe('passed')
  })
  it.each([undefined, String(seconds + 600), null, true])('G18 exp %j is refused', async (exp) => {
    expect(await tryToken(signer.sign({ exp }))).toBe('token.claims')
  })
  it.each(['soon', null])('G17 nbf %j is refused', async (nbf) => {
    expect(await tryToken(signer.sign({ nbf }))).toBe('token.claims')
  })
})

describe('claims', () => {
  for (const claim of ['sub', 'client_id', 'jti']) {
    it.each([undefined, '', 7, null, ['x'], {}])(`G18 ${claim} %j is refused`, async (value) => {
      expect(await tryToken(signer.sign({ [claim]: value }))).toBe('token.claims')
    })
  }
  it.each([undefined, '1', null, {}])('G18 iat %j is refused', async (iat) => {
    expect(await tryToken(signer.sign({ iat }))).toBe('token.claims')
  })
  it('G18 a payload cannot inherit its claims', async () => {
    const claims = { ...goodClaims }
    delete (claims as Record<string, unknown>)['sub']
    const payload = JSON.stringify(claims).replace('{', '{"__proto__":{"sub":"owner"},')
    const head = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1' })).toString(
      'base64url',
    )
    const input = `${head}.${Buffer.from(payload).toString('base64url')}`
    const hash = { name: 'ECDSA', hash: 'SHA-256' }
    const signature = await crypto.subtle.sign(hash, signer.privateKey, Buffer.from(input))
    expect(await tryToken(`${input}.${Buffer.from(signature).toString('base64url')}`)).toBe('token.claims')
  })
  it.each(['pre-registered', 'document', 'local', 'self-registered'])(
    'client_class %s is taken over',
    async (name) => {
      const principal = await authenticate(guard, await signer.sign({ client_class: name }))
      expect(principal.client.class).toBe(name)
    },
  )
  it.each([undefined, 'admin', 1, ['document']])(
    'client_class %j counts as self-registered',
    async (name) => {
      const principal = await authenticate(guard, await signer.sign({ client_class: name }))
      expect(principal.client.class).toBe('self-registered')
    },
  )
  it('the operator knows the clients of a foreign issuer better than the token', async () => {
    const foreign = makeGuard({ clientClass: (id) => (id === 'client-1' ? 'document' : 'self-registered') })
    const principal = await authenticate(foreign, await signer.sign({ client_class: 'pre-registered' }))
    expect(principal.client.class).toBe('document')
  })
})

describe('G27 scope', () => {
  const scopesOf = async (scope: unknown): Promise<readonly string[]> => [
    ...(await authenticate(guard, await signer.sign({ scope }))).scopes,
  ]
  it.each([
    [['notes:read']],
    ['notes:read\tnotes:write'],
    [''],
    [undefined],
    [7],
    [{}],
    ['notes:read  notes:write'],
    ['notes:"read"'],
  ])('G27 scope %j grants nothing', async (scope) => {
    expect(await scopesOf(scope)).toEqual([])
  })
  it('G27 another case or a look-alike is another scope', async () => {
    expect(await scopesOf('Notes:Read notes:readwrite')).toEqual(['Notes:Read', 'notes:readwrite'])
    const principal = await authenticate(guard, await signer.sign({ scope: 'Notes:Read notes:readwrite' }))
    expect(guard.decide(principal, { kind: 'tool', name: 'search_notes' }).outcome).toBe('locked')
  })
  it('G27 twin: one space between them, and both are granted', async () => {
    expect(await scopesOf('notes:read notes:write')).toEqual(['notes:read', 'notes:write'])
  })
})
