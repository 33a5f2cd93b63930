import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import {
  type AccessRow,
  type Call,
  type ClientClass,
  clientClasses,
  type Decision,
  decide,
  hasAccess,
  type Policy,
  type Principal,
  type ScopeRule,
  type ServerPolicy,
  type TargetRule,
} from '../src/index.ts'
import { linearDecide } from './linear-decide.ts'
import { principal } from './principals.ts'

/** Sometimes each, sometimes nothing. */
const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined })
const some = <T>(of: readonly T[], minLength = 0): fc.Arbitrary<T[]> =>
  fc.subarray([...of], { minLength, maxLength: 2 })

const scopes = ['s:a', 's:b', 's:c', 's:d'] as const
const toolNames = ['t1', 't2', 'delete_a', 'delete_b', 'a_read', 'delete_é', 'x'] as const
const matches = [...toolNames, 't*', 'delete_*', '*_read', '*e*', 'd*e_*', '*', 'delete_*b', '*a'] as const
const uris = ['n:///a', 'n:///a/b', 'n:///a/../b', 'n:///%2e%2e/b', 'm:///'] as const
const clients = ['c1', 'c2', 'local', 'https://c.example/x', 'https://d.example/x/y'] as const
const saidClients = [
  'any',
  ...clientClasses,
  ...clients,
  'https://c.example/*',
  'https://d.example/*/y',
  'https://*',
]
const whens = [
  'args.folder == "ci"',
  'args.size > 3',
  'user.subject == "u1"',
  'client.class == "local"',
  '"staff" in user.groups',
  'time > timestamp("2026-01-01T00:00:00Z")',
  'no condition at all',
]

const whos: fc.Arbitrary<AccessRow['who']> = fc.oneof(
  fc.constant({ kind: 'anyone' as const }),
  fc.record({ kind: fc.constant('user' as const), name: fc.constantFrom('ann', 'bob') }),
  fc.constant({ kind: 'user' as const, name: 'ann', issuer: 'https://auth.example' }),
  fc.constant({ kind: 'user' as const, name: 'ann', issuer: 'https://other.example' }),
  fc.record({ kind: fc.constant('group' as const), name: fc.constantFrom('staff', 'ops') }),
  fc.constant({ kind: 'service' as const, name: 'ann' }),
)

const rows: fc.Arbitrary<AccessRow> = fc
  .record({
    who: whos,
    client: maybe(fc.constantFrom(...saidClients)),
    may: some(scopes),
    never: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, some(scopes)),
    tools: maybe(some(matches, 1)),
    servers: maybe(fc.constantFrom(['s'], ['other'], ['s', 'other'])),
    when: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.constantFrom(...whens)),
  })
  .map(({ who, client, may, never, tools, servers, when }) => ({
    who,
    may,
    never,
    ...(client !== undefined && { client }),
    ...(tools !== undefined && { tools }),
    ...(servers !== undefined && { servers }),
    ...(when !== undefined && { when }),
  }))

const lines = (match: fc.Arbitrary<string>): fc.Arbitrary<TargetRule[]> =>
  fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.record({ match, scopes: some(scopes), never: fc.constant(false) }) },
      fc.record({ match, scopes: fc.constant([]), never: fc.constant(true) }),
    ),
    { maxLength: 12 },
  )

const servers: fc.Arbitrary<ServerPolicy> = fc
  .record({
    implied: fc.tuple(...scopes.map((_, at) => fc.subarray(scopes.slice(0, at)))),
    tools: lines(fc.constantFrom(...matches)),
    resources: lines(fc.constantFrom(...uris, 'n:///*', '*/b', 'n:///a/*')),
    prompts: lines(fc.constantFrom(...matches)),
  })
  .map(({ implied, ...targets }) => ({
    name: 's',
    env: [],
    listLocked: true,
    scopes: new Map(scopes.map((name, at) => [name, scopeRule(name, implied[at])])),
    ...targets,
  }))

const scopeRule = (name: string, implies: readonly string[] = []): ScopeRule => ({
  name,
  title: name,
  basic: false,
  implies,
  risk: 'normal',
})

// Few people and clients, so that many rows are about the same ones and every list outgrows plain scanning.
const policies: fc.Arbitrary<Policy> = fc
  .record({
    server: servers,
    access: fc.oneof(fc.array(rows, { maxLength: 6 }), fc.array(rows, { minLength: 30, maxLength: 120 })),
    staff: fc.subarray(['ann', 'bob']),
    ops: fc.subarray(['ann', 'bob']),
  })
  .map(({ server, access, staff, ops }) => ({
    version: 1,
    servers: new Map([['s', server]]),
    access,
    groups: new Map([
      ['staff', staff],
      ['ops', ops],
    ]),
    digest: 'x',
  }))

const callers: fc.Arbitrary<Principal> = fc
  .record({
    held: fc.subarray([...scopes, 'unknown']),
    names: fc.subarray(['ann', 'bob', 'eve']),
    groups: fc.subarray(['ops', 'staff']),
    client: fc.constantFrom(...clients, 'any'),
    class: fc.constantFrom<ClientClass>(...clientClasses),
  })
  .map(({ held, ...other }) => principal(held, other))

const args = maybe(
  fc.record(
    { folder: fc.constantFrom('ci', 'prod', 1), size: fc.constantFrom(1, 5, 'x') },
    { requiredKeys: [] },
  ),
)
const calls: fc.Arbitrary<Call> = fc.oneof(
  fc
    .record({ name: fc.constantFrom(...toolNames, 'delete_c', '', 't'), args })
    .map(({ name, args }): Call => ({ kind: 'tool', name, ...(args !== undefined && { args }) })),
  fc.record({ kind: fc.constant('resource' as const), uri: fc.constantFrom<string>(...uris) }),
  fc.record({ kind: fc.constant('prompt' as const), name: fc.constantFrom<string>(...toolNames) }),
  fc.constant({ kind: 'session' as const, method: 'ping' }),
)

describe('an index changes no decision', { timeout: 60_000 }, () => {
  test('RS-31 RS-39 M09 whatever the policy, the answer is that of looking at every line and every row', () => {
    const seen = new Set<Decision['outcome']>()
    fc.assert(
      fc.property(
        policies,
        fc.array(callers, { minLength: 1, maxLength: 3 }),
        fc.array(calls, { minLength: 1, maxLength: 6 }),
        maybe(fc.constant(Date.UTC(2026, 6, 1))),
        (policy, asking, asked, now) => {
          for (const who of asking) {
            for (const call of asked) {
              const decision = decide(policy, 's', who, call, now)
              expect(decision).toEqual(linearDecide(policy, 's', who, call, now))
              seen.add(decision.outcome)
            }
          }
        },
      ),
      { numRuns: 400 },
    )
    expect([...seen].sort()).toEqual(['hidden', 'locked', 'open'])
  })
})

/** What a decision costs, counted: how often it looks at the client of the caller, which it does for every row it considers. */
function countRowsLookedAt(policy: Policy, call: Call): { readonly rows: number; readonly outcome: string } {
  let looks = 0
  const who = principal(['s:a'], { names: ['user1'], groups: ['group1'] })
  const client = {
    get id(): string {
      looks += 1
      return 'https://host1.example/x'
    },
    get class(): ClientClass {
      looks += 1
      return 'document'
    },
  }
  const { outcome } = decide(policy, 's', { ...who, client }, call)
  return { rows: looks, outcome }
}

function largePolicy(
  count: number,
  row: (at: number) => Partial<AccessRow>,
  tools: readonly TargetRule[] = [{ match: 'tool1', scopes: ['s:a'], never: false }],
): Policy {
  const server = { name: 's', env: [], listLocked: true, tools, resources: [], prompts: [] }
  // The rows that matter stand at the end: what looks through from the start has to pass all others.
  const access = Array.from({ length: count }, (_, at) => ({
    who: { kind: 'anyone' as const },
    may: ['s:a'],
    never: [],
    ...row(count - 1 - at),
  }))
  return {
    version: 1,
    servers: new Map([['s', { ...server, scopes: new Map([['s:a', scopeRule('s:a')]]) }]]),
    access,
    digest: 'x',
  }
}

test('RS-31 of several prohibitions the first of the file is named, whoever they are about', () => {
  const denial = { may: [], never: ['s:a'] }
  const everyone = { ...denial, who: { kind: 'anyone' as const } }
  const ann = { ...denial, who: { kind: 'user' as const, name: 'ann' } }
  for (const access of [
    [everyone, ann],
    [ann, everyone],
  ]) {
    const policy = { ...largePolicy(0, () => ({})), access }
    const decision = decide(policy, 's', principal([], { names: ['ann'] }), { kind: 'tool', name: 'tool1' })
    expect(decision).toEqual({ outcome: 'hidden', because: 'access row 1 says never s:a' })
  }
})

describe('a decision looks at as many rows of ten as of ten thousand', () => {
  const shapes: readonly (readonly [string, (at: number) => Partial<AccessRow>])[] = [
    ['about users', (at) => ({ who: { kind: 'user', name: `user${at}` } })],
    [
      'about users of an issuer',
      (at) => ({ who: { kind: 'user', name: `user${at}`, issuer: 'https://auth.example' } }),
    ],
    ['about groups', (at) => ({ who: { kind: 'group', name: `group${at}` } })],
    ['about clients', (at) => ({ client: `https://host${at}.example/x` })],
    ['about patterns of clients', (at) => ({ client: `https://host${at}.example/*` })],
    ['narrowed to tools', (at) => ({ tools: [`tool${at}`] })],
    ['narrowed to patterns of tools', (at) => ({ tools: [`tool${at}*`] })],
    ['that deny other tools', (at) => ({ ...(at > 0 && { tools: [`x${at}`], may: [], never: ['s:a'] }) })],
  ]

  test.each(shapes)('RS-31 rows %s', (_, row) => {
    const call: Call = { kind: 'tool', name: 'tool1', args: {} }
    const ten = countRowsLookedAt(largePolicy(10, row), call)
    const many = countRowsLookedAt(largePolicy(10_000, row), call)
    expect(ten.outcome).toBe('open')
    expect(many.outcome).toBe('open')
    expect(ten.rows).toBeGreaterThan(0)
    // A short list is looked through, which can cost more than an index does; never less than ten rows cost.
    expect(many.rows).toBeLessThanOrEqual(Math.max(ten.rows, 24))
  })

  test('M09 lines of tools: names and patterns', () => {
    const line = (match: string): TargetRule => ({ match, scopes: ['s:a'], never: false })
    const patterns = Array.from({ length: 10_000 }, (_, at) => line(`${at}_*`))
    const policy = largePolicy(1, () => ({}), [...patterns, line('tool1')])
    const compared = vi.spyOn(String.prototype, 'startsWith')
    try {
      for (const name of ['tool1', '7_x', 'nothing']) {
        decide(policy, 's', principal(['s:a']), { kind: 'tool', name, args: {} })
        compared.mockClear()
        const { outcome } = decide(policy, 's', principal(['s:a']), { kind: 'tool', name, args: {} })
        expect(outcome).toBe(name === 'nothing' ? 'hidden' : 'open')
        expect(compared.mock.calls.length).toBeLessThanOrEqual(4)
      }
    } finally {
      compared.mockRestore()
    }
  })

  test('RS-31 a group of many, named by many rows: its members are not written into each row', () => {
    const members = Array.from({ length: 5_000 }, (_, at) => `user${at}`)
    const access = Array.from({ length: 5_000 }, () => ({
      who: { kind: 'group' as const, name: 'staff' },
      may: ['s:a'],
      never: [],
    }))
    const policy = { ...largePolicy(1, () => ({})), access, groups: new Map([['staff', members]]) }
    expect(hasAccess(policy, 's', principal([], { names: ['user4999'] }))).toBe(true)
    expect(hasAccess(policy, 's', principal([], { names: ['user5000'] }))).toBe(false)
  })
})
