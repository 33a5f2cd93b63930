import { describe, expect, test } from 'vitest'
import { explainToken, tokenRows } from '../../src/client/explain-token.ts'
import { momentInWords, spanInWords } from '../../src/client/in-words.ts'

const now = 1_800_000_000
const issuer = 'https://as.example'
const resource = 'https://notes.example/mcp'
const expected = { now, issuer, resource }
const claims = {
  iss: issuer,
  aud: resource,
  exp: now + 600,
  iat: now,
  scope: 'notes:read notes:write',
  sub: 'u1',
  client_id: 'c1',
}

function tokenOf(changed: Record<string, unknown> = {}, header: Record<string, unknown> = {}): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'ES256', typ: 'at+jwt', ...header })}.${part({ ...claims, ...changed })}.c2lnbmF0dXJl`
}

describe('an access token in words', () => {
  test('the claims that matter, and nothing against them', () => {
    const explained = explainToken(tokenOf(), expected)
    expect(explained).toMatchObject({
      form: 'jwt',
      issuer,
      audience: [resource],
      expiresAt: now + 600,
      scopes: ['notes:read', 'notes:write'],
      problems: [],
      remarks: [],
    })
    expect(tokenRows(explained, now)).toEqual([
      ['issued by', issuer],
      ['for', resource],
      ['ends', 'in 10 minutes (2027-01-15 08:10 UTC)'],
      ['may', 'notes:read notes:write'],
      ['of user', 'u1'],
      ['of client', 'c1'],
    ])
  })

  test.each([
    ['for another server', { aud: 'https://other.example/mcp' }, 'not for this server'],
    ['for none', { aud: [] }, 'not for this server'],
    ['of another issuer', { iss: 'https://as.example/' }, 'another issuer'],
    ['that has ended', { exp: now - 7_200 }, 'It ended 2 hours ago.'],
    ['of the future', { nbf: now + 300 }, 'the clock of this computer is behind'],
  ])('RS-10 one %s: the server should refuse it', (_name, changed, words) => {
    expect(explainToken(tokenOf(changed), expected).problems).toEqual([expect.stringContaining(words)])
  })

  test('an unsigned one is told', () => {
    expect(explainToken(tokenOf({}, { alg: 'none' }), expected).problems).toEqual([
      expect.stringContaining('not signed'),
    ])
  })

  test.each([
    ['has no audience', { aud: undefined }, 'any server might take it'],
    ['has several audiences', { aud: [resource, 'https://b.example'] }, 'more than one server'],
    ['never ends', { exp: undefined }, 'when it ends'],
    ['has no scope', { scope: undefined }, 'what it is good for'],
    ['was issued later than now', { iat: now + 120 }, '2 minutes from now'],
    ['is an ID token', { nonce: 'n' }, 'ID token'],
  ])('that it %s is remarked', (_name, changed, words) => {
    const header = 'nonce' in changed ? { typ: 'JWT' } : {}
    const { problems, remarks } = explainToken(tokenOf(changed, header), expected)
    expect([problems, remarks]).toEqual([[], [expect.stringContaining(words)]])
  })

  test('scopes are found where Entra ID and Okta put them', () => {
    for (const scp of ['a b', ['a', 'b']])
      expect(explainToken(tokenOf({ scope: undefined, scp }), expected).scopes).toEqual(['a', 'b'])
  })

  test('one that is no JWT says nothing of itself', () => {
    for (const token of ['gho_16C7e42F292c6912E7710c838347Ae178B4a', 'a.b.c', '..', ''])
      expect(explainToken(token, expected)).toEqual({ form: 'opaque', problems: [], remarks: [] })
    expect(tokenRows(explainToken('x', expected), now)[0]?.[1]).toContain('opaque')
  })

  test('Q27 what stands in it does not get at the terminal', () => {
    const evil = '\u001b]0;owned\u0007\u202e'
    const rows = tokenRows(
      explainToken(tokenOf({ iss: evil, aud: evil, scope: evil, sub: evil }), expected),
      now,
    )
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    for (const [, words] of rows) expect(words).not.toMatch(/[\u0000-\u001f\u202e]/)
  })

  test('its signature is shown nowhere', () => {
    const token = tokenOf()
    const explained = explainToken(token, expected)
    expect(JSON.stringify([explained, tokenRows(explained, now)])).not.toContain(token.split('.')[2])
  })
})

test('times are said as people say them', () => {
  expect([0, 1, 59, 119, 120, 5_400, 7_200, 129_600, 172_800].map(spanInWords)).toEqual([
    '0 seconds',
    '1 second',
    '59 seconds',
    '119 seconds',
    '2 minutes',
    '90 minutes',
    '2 hours',
    '36 hours',
    '2 days',
  ])
  expect(momentInWords(now - 60, now)).toBe('60 seconds ago (2027-01-15 07:59 UTC)')
})
