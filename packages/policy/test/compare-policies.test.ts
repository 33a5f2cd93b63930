import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Call, comparePolicies, decide, type Policy, type Principal, readPolicy } from '../src/index.ts'
import { notes, principal } from './principals.ts'
import { implications, line, principals, row, text, tools } from './random-policies.ts'

const bob = '  - { who: { user: bob }, may: [notes:read] }'

/** What changes from one matrix to another. */
const changes = (before: string, after: string): { wider: readonly string[]; narrower: readonly string[] } =>
  comparePolicies(notes(before), notes(after))

const server = (more: string): Policy =>
  readPolicy(
    `version: 1\nservers:\n  s:\n    run: [x]\n    scopes: { s:a: { title: A }, s:b: { title: B } }\n    ${more}\n`,
  )

describe('N19 what became wider and what narrower', () => {
  test('a row more is wider, a row less narrower, and the order no matter', () => {
    const ann = '  - { who: { user: ann }, client: local, may: [notes:share] }'
    expect(changes(bob, `${ann}\n${bob}`)).toEqual({
      wider: ['notes: user ann with client local may now notes:share'],
      narrower: [],
    })
    expect(changes(`${bob}\n${ann}`, bob)).toEqual({
      wider: [],
      narrower: ['notes: user ann with client local may no longer notes:share'],
    })
    expect(changes(`${bob}\n${ann}`, `${ann}\n${bob}`)).toEqual({ wider: [], narrower: [] })
  })

  test('a never more is narrower, and what another row covers says nothing', () => {
    const never = '  - { who: anyone, never: [notes:share], tools: [share_*] }'
    expect(changes(bob, `${bob}\n${never}`)).toEqual({
      wider: [],
      narrower: ['notes: anyone may never notes:share for share_*'],
    })
    expect(changes(`${bob}\n${never}`, bob).wider).toEqual([
      'notes: anyone is no longer denied notes:share for share_*',
    ])
    const all = '  - { who: anyone, client: any, may: [notes:write] }'
    expect(changes(`${bob}\n${all}`, all)).toEqual({ wider: [], narrower: [] })
  })

  test('a condition that changes is both', () => {
    const when = (condition: string): string => `  - { who: anyone, may: [notes:read], when: '${condition}' }`
    expect(changes(when('args.a == 1'), when('args.a == 2'))).toEqual({
      wider: ['notes: anyone may now notes:read when args.a == 2'],
      narrower: ['notes: anyone may no longer notes:read when args.a == 1'],
    })
  })

  test('groups: who joins gains, who leaves loses', () => {
    const groups = (members: string): Policy =>
      notes('  - { who: { group: g }, may: [notes:read] }', `groups: { g: [${members}] }`)
    expect(comparePolicies(groups('ann'), groups('bob'))).toEqual({
      wider: ['user bob is now in the group g'],
      narrower: ['user ann is no longer in the group g'],
    })
  })

  test('tools: other scopes, denied, open, and patterns in another order', () => {
    const one = server('tools: [{ match: a, scopes: [s:a] }, { match: b, scopes: [s:b] }]')
    const two = server(
      'tools: [{ match: a, scopes: [s:b] }, { match: b, never: true }, { match: c, scopes: [] }]',
    )
    expect(comparePolicies(one, two)).toEqual({
      wider: ['s: tool a no longer needs s:a', 's: tool c can now be called with no scope'],
      narrower: ['s: tool a now needs s:b', 's: tool b is now denied to everybody'],
    })
    const patterns = (order: readonly string[]): Policy => server(`tools: [${order.join(', ')}]`)
    const [x, y] = ['{ match: "x*", scopes: [s:a] }', '{ match: "*y", never: true }']
    expect(comparePolicies(patterns([x, y]), patterns([y, x])).narrower).toEqual([
      's: the patterns of tools overlap differently',
    ])
  })

  test('titles, comments and basic: words change nothing, what is granted unasked does', () => {
    const scope = (rule: string): Policy =>
      readPolicy(`version: 1\nservers: { s: { run: [x], scopes: { a: { ${rule} } } } }`)
    expect(comparePolicies(scope('title: A'), scope('title: B # other'.replace(' # other', '')))).toEqual({
      wider: [],
      narrower: [],
    })
    expect(comparePolicies(scope('title: A'), scope('title: A, basic: true')).wider).toEqual([
      's: scope a is now granted without being asked for',
    ])
  })
})

describe('properties', { timeout: 60_000 }, () => {
  const some = fc.tuple(fc.array(row, { maxLength: 4 }), fc.array(line, { maxLength: 4 }), implications)
  const groups = fc.subarray(['ann', 'bob'])

  /** For each tool, how much more or less the second policy lets the asker do. */
  const stepsOf = (before: Policy, after: Policy, asker: Principal): readonly number[] =>
    [...tools, 'tx_1', 'x_t1'].map((name) => {
      const call: Call = { kind: 'tool', name, args: {} }
      const ranks = [before, after].map((policy) => rank[decide(policy, 's', asker, call).outcome])
      return (ranks[1] ?? 0) - (ranks[0] ?? 0)
    })
  const rank = { hidden: 0, locked: 1, open: 2 }

  test('N19 whatever any call loses is among narrower, whatever it gains among wider', () => {
    const read = (
      [rows, lines, implied]: readonly [string[], string[], string[][]],
      members: string[],
    ): Policy => readPolicy(`${text(rows, lines, implied)}groups: { staff: [${members.join(', ')}] }\n`)
    fc.assert(
      fc.property(
        some,
        fc.array(row, { maxLength: 2 }),
        fc.array(line, { maxLength: 2 }),
        fc.nat(3),
        groups,
        groups,
        fc.array(principals, { minLength: 3, maxLength: 6 }),
        ([rows, lines, implied], moreRows, moreLines, drop, members, others, askers) => {
          const before = read([rows, lines, implied as string[][]], members)
          const after = read(
            [
              [...rows.filter((_, at) => at !== drop), ...moreRows],
              [...moreLines, ...lines.filter((_, at) => at !== drop)],
              implied as string[][],
            ],
            others,
          )
          const { wider, narrower } = comparePolicies(before, after)
          const steps = askers.flatMap((asker) => stepsOf(before, after, asker))
          if (steps.some((step) => step < 0)) expect(narrower).not.toEqual([])
          if (steps.some((step) => step > 0)) expect(wider).not.toEqual([])
        },
      ),
      { numRuns: 100 },
    )
  })

  test('N19 a policy is neither wider nor narrower than itself', () => {
    fc.assert(
      fc.property(some, ([rows, lines, implied]) => {
        const policy = readPolicy(text(rows, lines, implied))
        const again = readPolicy(`# ${rows.length}\n${text(rows, lines, implied)}`)
        expect(comparePolicies(policy, again)).toEqual({ wider: [], narrower: [] })
      }),
      { numRuns: 40 },
    )
  })

  test('N19 everything is narrower without its rows', () => {
    const policy = notes(bob)
    expect(comparePolicies(policy, { ...policy, access: [] }).narrower.length).toBe(1)
    expect(
      decide(policy, 'notes', principal(['notes:read'], { names: ['bob'] }), { kind: 'tool', name: 'about' })
        .outcome,
    ).toBe('open')
  })
})
