import {
  listServerEntries,
  openMemory,
  type Registration,
  readRegistrationRecord,
  readServerEntry,
  readServerRecord,
  readStoredRegistration,
  readTokenRecord,
  readTokens,
  registrationName,
  type ServerEntry,
  serverName,
  type TokenSet,
  type TraceEvent,
  tokenName,
  UnreadableRecord,
  writeRegistration,
  writeServerEntry,
  writeTokens,
} from '@warder/client'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const text = fc.string({ minLength: 1, unit: 'grapheme' })
const token = fc.stringMatching(/^[\x21-\x7e]{1,40}$/)
const count = fc.nat()
const texts = fc.array(text, { maxLength: 4 })
const key = fc.record({ kty: fc.constant('EC'), crv: fc.constant('P-256'), x: token, y: token, d: token })

const tokenSets: fc.Arbitrary<TokenSet> = fc.record(
  {
    accessToken: token,
    tokenType: fc.constantFrom('Bearer', 'DPoP'),
    obtainedAt: count,
    generation: count,
    expiresAt: count,
    refreshToken: token,
    scopes: texts,
    asked: texts,
    dpopKey: key,
    idToken: token,
  },
  { requiredKeys: ['accessToken', 'tokenType', 'obtainedAt', 'generation'] },
)
const registrations: fc.Arbitrary<Registration> = fc.record(
  {
    issuer: text,
    clientId: text,
    authMethod: text,
    redirectUris: texts,
    how: fc.constantFrom('pre-registered', 'document', 'dynamic'),
    registeredAt: count,
    clientSecret: text,
    registrationAccessToken: token,
    registrationClientUri: text,
  },
  { requiredKeys: ['issuer', 'clientId', 'authMethod', 'redirectUris', 'how', 'registeredAt'] },
)
const entries: fc.Arbitrary<ServerEntry> = fc.record(
  {
    server: text,
    profile: text,
    issuer: text,
    resource: text,
    clientId: text,
    scopes: texts,
    metadataUrl: text,
  },
  { requiredKeys: ['server', 'profile', 'issuer', 'resource', 'clientId', 'scopes'] },
)

const parsers = { readTokenRecord, readRegistrationRecord, readServerRecord }

describe('records', () => {
  test('what is written is read as it was, whatever is in it', async () => {
    const store = openMemory()
    await fc.assert(
      fc.asyncProperty(tokenSets, registrations, entries, async (tokens, registration, entry) => {
        await writeTokens(store, 'tokens-1', tokens)
        await writeRegistration(store, 'registration-1', registration)
        await writeServerEntry(store, 'server-1', entry)
        expect(await readTokens(store, 'tokens-1')).toEqual(tokens)
        expect(await readStoredRegistration(store, 'registration-1')).toEqual(registration)
        expect(await readServerEntry(store, 'server-1')).toEqual(entry)
        expect(await listServerEntries(store)).toEqual({ entries: [entry], damaged: [] })
      }),
    )
  })

  test.each(Object.entries(parsers))('%s: garbage throws UnreadableRecord and nothing else', (_, parse) => {
    const near = fc.tuple(tokenSets, fc.nat(), fc.string({ maxLength: 3 })).map(([tokens, at, put]) => {
      const whole = JSON.stringify({ version: 1, kind: 'tokens', ...tokens })
      const start = at % whole.length
      return whole.slice(0, start) + put + whole.slice(start + 1)
    })
    const garbage = fc.oneof(
      near,
      fc.string(),
      fc.json(),
      fc.constantFrom('', 'null', '[]', '{"__proto__":1}'),
    )
    fc.assert(
      fc.property(garbage, (input) => {
        try {
          parse(input)
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableRecord)
        }
      }),
      { numRuns: 500 },
    )
  })

  const good = {
    version: 1,
    kind: 'tokens',
    accessToken: 'canary-at',
    tokenType: 'Bearer',
    obtainedAt: 1,
    generation: 1,
  }
  test.each([
    ['a newer version', { version: 2 }],
    ['no version', { version: undefined }],
    ['another kind', { kind: 'server' }],
    ['a field that is not known', { scope: 'a' }],
    ['a token that would end a header', { accessToken: 'canary-at\r\nx: y' }],
    ['an empty token', { refreshToken: '' }],
    ['a type that is not known', { tokenType: 'mac' }],
    ['an end before 1970', { expiresAt: -1 }],
    ['an end that is no number', { expiresAt: '60' }],
    ['scopes that are no list', { scopes: 'a b' }],
    ['a key without a type', { dpopKey: {} }],
    ['no token', { accessToken: undefined }],
  ])('Q19 %s: absent, with a trace that has no value in it, and still there', async (_, change) => {
    const store = openMemory()
    const written = JSON.stringify({ ...good, ...change })
    await store.write('tokens-1', written)
    const events: TraceEvent[] = []
    expect(await readTokens(store, 'tokens-1', (event) => events.push(event))).toBeUndefined()
    expect(events).toMatchObject([{ step: 'store', outcome: 'failed', data: { name: 'tokens-1' } }])
    expect(JSON.stringify(events)).not.toContain('canary')
    expect(await store.read('tokens-1')).toBe(written)
    await store.write('tokens-1', JSON.stringify(good))
    expect(await readTokens(store, 'tokens-1', (event) => events.push(event))).toMatchObject({
      generation: 1,
    })
    expect(events).toHaveLength(1)
  })
})

describe('names', () => {
  const base = {
    issuer: 'https://as.example',
    clientId: 'client',
    resource: 'https://mcp.example/a',
    profile: 'default',
  }

  test('CL-36 CL-57 Q13 each part makes another name: path, issuer, client, account, and a slash at the end', () => {
    const others = [
      { ...base, resource: 'https://mcp.example/b' },
      { ...base, resource: 'https://mcp.example/a/' },
      { ...base, issuer: 'https://as.example/' },
      { ...base, issuer: 'https://AS.example' },
      { ...base, clientId: 'Client' },
      { ...base, profile: 'work' },
      { ...base, clientId: 'client","https://mcp.example/a', resource: '' },
    ]
    expect(new Set([base, ...others].map(tokenName)).size).toBe(others.length + 1)
    expect(tokenName({ ...base })).toBe(tokenName(base))
    const registration = { issuer: base.issuer, profile: 'default', redirectClass: 'loopback' }
    const server = { server: base.resource, profile: 'default' }
    const names = [tokenName(base), registrationName(registration), serverName(server)]
    for (const name of names) expect(name).toMatch(/^(tokens|registration|server)-[0-9a-f]{64}$/)
    expect(new Set([...names, registrationName({ ...registration, redirectClass: 'paste' })]).size).toBe(4)
  })

  test('Q13 parts never run into each other, whatever is in them', () => {
    fc.assert(
      fc.property(text, text, text, text, (issuer, clientId, resource, profile) => {
        const name = tokenName({ issuer, clientId, resource, profile })
        const moved = tokenName({ issuer: issuer + clientId, clientId: '', resource, profile })
        expect(moved).not.toBe(name)
        expect(name).not.toContain(profile.length > 64 ? profile : `${profile}!`)
      }),
    )
  })
})
