import { describe, expect, test } from 'vitest'
import { type Call, readPolicy } from '../src/index.ts'
import { notes, outcome, principal } from './principals.ts'

const files = principal(['files:read'])
const rowFor = (tools: string): ReturnType<typeof notes> =>
  notes(`  - { who: anyone, servers: [files], may: [files:read], tools: ["${tools}"] }`)

describe('a star', () => {
  test.each<[pattern: string, matched: readonly string[], others: readonly string[]]>([
    ['ab*ba', ['abba', 'abxba'], ['aba', 'ab', 'xabba', 'abbax']],
    ['*x*', ['x', 'xyz', 'yxz', 'yzx'], ['yz', 'X']],
    ['*ab*bc', ['abbc', 'xabxbc'], ['abc', 'bcab']],
    ['a**b', ['ab', 'axb'], ['a', 'b', 'ba']],
    ['a*b*b', ['abb', 'axbxb'], ['ab', 'axb']],
    ['*a*b*', ['ab', 'xaxbx'], ['ba', 'a']],
    ['*', ['a'], ['é', '']],
  ])('M09 %s of a row covers %j and not %j', (pattern, matched, others) => {
    const policy = rowFor(pattern)
    const covered = [...matched, ...others].filter((name) => outcome(policy, files, name, 'files') === 'open')
    expect(covered).toEqual(matched)
  })

  test.each<[pattern: string, matched: readonly string[], others: readonly string[]]>([
    ['ab*ba', ['abba', 'abxba'], ['aba', 'ab', 'xabba']],
    ['*ab*bc', ['abbc'], ['abc']],
    ['get_*', ['get_!', 'get_~', `get_${'x'.repeat(124)}`], ['get_\x7f', 'get_ ', `get_${'x'.repeat(125)}`]],
  ])('M09 %s of a line opens %j and not %j', (pattern, matched, others) => {
    const policy = readPolicy(`version: 1
servers:
  s: { run: [x], scopes: { s:a: { title: A } }, tools: [{ match: "${pattern}", scopes: [s:a] }] }
access: [{ who: anyone, may: [s:a] }]
`)
    const open = [...matched, ...others].filter(
      (name) => outcome(policy, principal(['s:a']), name, 's') === 'open',
    )
    expect(open).toEqual(matched)
  })
})

describe('M09 a pattern opens no resource whose path leads elsewhere', () => {
  const policy = notes('  - { who: anyone, may: [notes:read] }')
  const ask = (rest: string): string =>
    outcome(policy, principal(['notes:read']), { kind: 'resource', uri: `notes:///${rest}` })
  const longest = 'x'.repeat(8192 - 'notes:///'.length)

  test.each([
    'a/..%2fb',
    'a/..%252Fb',
    'a/..%255cb',
    'a%5C..%5Cb',
    'a%2f%2E%2e%2fb',
    'a/%25252e.',
    'a/%25%32%65%25%32%65/b',
    'a/%2%35%32e./b',
    'a/..%25%32%66b',
    'a/..%25%35%43b',
    'a/..;/b',
    'a/..;x/b',
    'a/..%3b/b',
    'a%00b',
    'a%0ab',
    'a%7f',
    'a%2500b',
    `a%${'25'.repeat(5)}41`,
    '..?x',
    '.#x',
    'a?..',
    'a#..',
    'a\x7f',
    'a b',
    'a\\b',
    `${longest}x`,
  ])('%j', (rest) => {
    expect(ask(rest)).toBe('hidden')
  })

  test('nor one without a name, be everything opened', () => {
    const all = readPolicy(`version: 1
servers:
  s: { run: [x], scopes: { s:a: { title: A } }, resources: [{ match: "*", scopes: [s:a] }] }
access: [{ who: anyone, may: [s:a] }]
`)
    const opened = ['', 'x'].map((uri) => outcome(all, principal(['s:a']), { kind: 'resource', uri }, 's'))
    expect(opened).toEqual(['hidden', 'open'])
  })

  test.each([
    '',
    '...',
    '.a',
    'a!',
    'a~',
    'a[b',
    'a]b',
    'a%2fb',
    'a%5cb',
    '%2ea',
    'a\x80',
    'a%20b',
    'a%c3%a9',
    'a;b',
    'a%41%2541',
    `a%${'25'.repeat(4)}41`,
    longest,
  ])('twin: %j is opened', (rest) => {
    expect(ask(rest)).toBe('open')
  })
})

describe('RS-31 a list of rows that is too long to be looked through', () => {
  const who = principal(['notes:read'])
  const row = (more = ''): string => `  - { who: anyone, client: any, may: [notes:read]${more} }`
  const many = (text: string): readonly string[] => Array.from({ length: 30 }, () => text)
  const ask = (rows: readonly string[], call: string | Call): string =>
    outcome(notes(rows.join('\n')), who, call)
  const resource = { kind: 'resource', uri: 'notes:///a' } as const

  test('opens what its rows give anywhere: with a scope, without one, and a resource', () => {
    const rows = many(row())
    expect(['search_notes', 'about', resource].map((call) => ask(rows, call))).toEqual(Array(3).fill('open'))
  })

  test('and rows for tools or patterns of tools open those, and no resource', () => {
    const narrowed = [...many(row(', tools: ["search_*"]')), ...many(row(', tools: [about]'))]
    const calls = ['search_notes', 'about', resource]
    expect(calls.map((call) => ask(narrowed, call))).toEqual(['open', 'open', 'hidden'])
    expect(ask([...narrowed, row()], resource)).toBe('open')
    expect(ask(many(row(', tools: ["x_*"]')), 'search_notes')).toBe('hidden')
  })
})
