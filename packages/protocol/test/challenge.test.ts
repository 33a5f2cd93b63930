import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ChallengeParams, formatChallenge, readChallenges } from '../src/index.ts'
import { anyUnit } from './reason-of.ts'

const resourceMetadata = 'https://mcp.example/.well-known/oauth-protected-resource/notes/mcp'

describe('RS-05, RS-21: our challenge', () => {
  it('G01 has no error where no token was sent', () => {
    expect(formatChallenge({ resourceMetadata, scope: 'notes:read' })).toBe(
      `Bearer resource_metadata="${resourceMetadata}", scope="notes:read"`,
    )
  })

  it('RS-21 names error, description, metadata and all scopes', () => {
    const text = formatChallenge({
      error: 'insufficient_scope',
      errorDescription: 'More is needed.',
      scope: 'a b',
      resourceMetadata,
    })
    expect(text).toBe(
      `Bearer error="insufficient_scope", error_description="More is needed.", resource_metadata="${resourceMetadata}", scope="a b"`,
    )
  })

  it('is a bare scheme without parameters', () => {
    expect(formatChallenge({})).toBe('Bearer')
    expect(formatChallenge({ scope: '' })).toBe('Bearer')
  })
})

describe('G33: nothing breaks out of the header', () => {
  it.each([
    [{ errorDescription: 'a"b\\c\r\nSet-Cookie: x\u0000é' }, 'Bearer error_description="abcSet-Cookie: x"'],
    [{ scope: 'a" b, c\r\nX: y d' }, 'Bearer scope="b, y d"'],
    [{ scope: 'a\\ "' }, 'Bearer'],
    [
      { resourceMetadata: 'https://x/"\\\r\né😀 y' },
      'Bearer resource_metadata="https://x/%22%5C%0D%0A%C3%A9%F0%9F%98%80%20y"',
    ],
  ])('G33 %j becomes %s', (params, text) => {
    expect(formatChallenge(params)).toBe(text)
  })

  it('G33 any input makes one valid challenge', () => {
    const text = fc.string({ unit: anyUnit })
    fc.assert(
      fc.property(fc.record({ errorDescription: text, scope: text, resourceMetadata: text }), (params) => {
        const header = formatChallenge(params)
        expect(header).toMatch(/^[\x20-\x7e]*$/)
        const [challenge, ...others] = readChallenges(header)
        expect(others).toEqual([])
        expect(challenge?.scheme).toBe('Bearer')
      }),
      { numRuns: 500 },
    )
  })
})

describe('reading', () => {
  it('reads back what it formats', () => {
    const visible = (excluded: RegExp) =>
      fc
        .string({ unit: 'grapheme-ascii', minLength: 1 })
        .map((text) => text.replace(excluded, ''))
        .filter((text) => text !== '')
    const params = fc.record(
      {
        error: fc.constantFrom('invalid_token' as const, 'insufficient_scope' as const),
        errorDescription: visible(/["\\]/g),
        scope: fc.uniqueArray(visible(/["\\ ]/g), { minLength: 1 }).map((scopes) => scopes.join(' ')),
        resourceMetadata: fc.stringMatching(/^https:\/\/[a-z]{1,10}\/[!#-[\]-~]{0,20}$/),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(params, (input: ChallengeParams) => {
        const [challenge] = readChallenges(formatChallenge(input))
        const found = challenge?.params
        expect(found?.get('error')).toBe(input.error)
        expect(found?.get('error_description')).toBe(input.errorDescription)
        expect(found?.get('scope')).toBe(input.scope)
        expect(found?.get('resource_metadata')).toBe(input.resourceMetadata)
      }),
      { numRuns: 500 },
    )
  })

  it.each<[string, [string, Record<string, string>][]]>([
    ['Bearer', [['Bearer', {}]]],
    ['bearer realm="x"', [['bearer', { realm: 'x' }]]],
    ['Bearer a="1", b=2 , C = "3"', [['Bearer', { a: '1', b: '2', c: '3' }]]],
    [
      'Basic realm="a, b=c", Bearer scope="x y"',
      [
        ['Basic', { realm: 'a, b=c' }],
        ['Bearer', { scope: 'x y' }],
      ],
    ],
    [
      'Negotiate, Bearer a="b"',
      [
        ['Negotiate', {}],
        ['Bearer', { a: 'b' }],
      ],
    ],
    [
      'Negotiate YWJj==, DPoP algs="ES256"',
      [
        ['Negotiate', {}],
        ['DPoP', { algs: 'ES256' }],
      ],
    ],
    ['Bearer a="q\\"uo\\\\te"', [['Bearer', { a: 'q"uo\\te' }]]],
    ['Bearer a="1", a="2"', [['Bearer', { a: '1' }]]],
    ['Bearer __proto__="x"', [['Bearer', { ['__proto__']: 'x' }]]],
    [',, Bearer a=b ,', [['Bearer', { a: 'b' }]]],
    ['', []],
    ['"', []],
    ['Bearer a="unfinished', [['Bearer', {}]]],
  ])('reads %s', (header, expected) => {
    expect(readChallenges(header).map(({ scheme, params }) => [scheme, [...params]])).toEqual(
      expected.map(([scheme, params]) => [scheme, Object.entries(params)]),
    )
  })

  it('never throws, and stays fast on long nonsense', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: anyUnit }), fc.stringMatching(/^[aB=", \\\t]{0,60}$/)),
        (header) => {
          expect(Array.isArray(readChallenges(header))).toBe(true)
        },
      ),
      { numRuns: 2000 },
    )
    for (const text of [
      `Bearer a="${'\\'.repeat(1e6)}`,
      ','.repeat(1e6),
      'a '.repeat(1e6),
      'a=b,'.repeat(1e6),
      'a="'.repeat(1e6),
    ]) {
      expect(Array.isArray(readChallenges(text))).toBe(true)
    }
  })
})
