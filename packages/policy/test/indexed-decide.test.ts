import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import {
  type AccessRow,
  type Call,
  type ClientClass,
  type Decision,
  decide,
  hasAccess,
  type Policy,
  prepareDecisions,
  type TargetRule,
} from '../src/index.ts'
import { linearDecide } from './linear-decide.ts'
import { principal } from './principals.ts'
import { callers, calls, maybe, policies, scopeRule } from './whole-policies.ts'

/** `WARDER_RUNS=5000` for a night; few, where a mutant of the code is to be found by examples. */
const numRuns = Number(process.env['WARDER_RUNS'] ?? 400)

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
      { numRuns },
    )
    // A few policies may well lock nothing.
    if (numRuns >= 400) expect([...seen].sort()).toEqual(['hidden', 'locked', 'open'])
  })

  test('RS-31 RS-39 M09 nor does settling once what many calls have in common, whatever was asked before', () => {
    fc.assert(
      fc.property(
        policies,
        callers,
        fc.array(calls, { minLength: 2, maxLength: 12 }),
        maybe(fc.constant(Date.UTC(2026, 6, 1))),
        (policy, who, asked, now) => {
          const prepared = prepareDecisions(policy, 's', who, now)
          for (const call of asked) expect(prepared(call)).toEqual(linearDecide(policy, 's', who, call, now))
        },
      ),
      { numRuns },
    )
  })
})

describe('decisions that are prepared', () => {
  const tool = (name: string, args?: Readonly<Record<string, unknown>>): Call =>
    args === undefined ? { kind: 'tool', name } : { kind: 'tool', name, args }
  const line = (match: string, ...scopes: readonly string[]): TargetRule => ({ match, scopes, never: false })
  const narrow = { may: ['s:a'], never: [], when: 'args.folder == "ci"' }

  test('RS-39 M27 what a call says in its arguments counts for that call alone', () => {
    const policy = largePolicy(1, () => narrow)
    const prepared = prepareDecisions(policy, 's', principal(['s:a']))
    const asked = [
      tool('tool1'),
      tool('tool1', { folder: 'ci' }),
      tool('tool1', { folder: 'x' }),
      tool('tool1'),
    ]
    expect(asked.map((call) => prepared(call).outcome)).toEqual(['locked', 'open', 'hidden', 'locked'])
    expect(asked.map(prepared)).toEqual(asked.map((call) => decide(policy, 's', principal(['s:a']), call)))
  })

  test('RS-39 a prompt of the same name is not asked before its call, as a tool is', () => {
    const policy = largePolicy(1, () => narrow)
    const [server] = policy.servers.values()
    if (server !== undefined) Object.assign(server, { prompts: server.tools })
    const prepared = prepareDecisions(policy, 's', principal(['s:a']))
    const asked: Call[] = [tool('tool1'), { kind: 'prompt', name: 'tool1' }, tool('tool1')]
    expect(asked.map((call) => prepared(call).outcome)).toEqual(['locked', 'hidden', 'locked'])
  })

  test('RS-39 a scope that is granted says nothing about another one', () => {
    const policy = largePolicy(1, () => ({}), [
      line('tool1', 's:a'),
      line('tool2', 's:b'),
      line('tool3', 's:a'),
    ])
    const [server] = policy.servers.values()
    if (server !== undefined)
      Object.assign(server, { scopes: new Map(['s:a', 's:b'].map((name) => [name, scopeRule(name)])) })
    const access = [{ who: { kind: 'anyone' as const }, may: ['s:a', 's:b'], never: [] }]
    const prepared = prepareDecisions({ ...policy, access }, 's', principal(['s:a']))
    const asked = ['tool1', 'tool2', 'tool3', 'tool2', 'tool1'].map((name) => prepared(tool(name)).outcome)
    expect(asked).toEqual(['open', 'locked', 'open', 'locked', 'open'])
  })

  test('RS-39 what no argument can open stays hidden, before a call as well', () => {
    const policy = largePolicy(1, () => narrow, [line('tool1', 's:a'), line('tool2', 's:a', 's:b')])
    const prepared = prepareDecisions(policy, 's', principal(['s:a']))
    expect(['tool2', 'tool1', 'tool2'].map((name) => prepared(tool(name)).outcome)).toEqual([
      'hidden',
      'locked',
      'hidden',
    ])
    expect(decide(policy, 's', principal(['s:a']), tool('tool2')).outcome).toBe('hidden')
  })

  test('RS-31 without such a server everything is hidden', () => {
    const call = tool('tool1')
    const prepared = prepareDecisions(
      largePolicy(1, () => ({})),
      'other',
      principal(['s:a']),
    )
    expect(prepared(call)).toEqual({ outcome: 'hidden', because: 'the policy has no such server' })
  })

  test('of a thousand tools the rows are found once, and each scope is looked for once', () => {
    const tools = Array.from({ length: 1_000 }, (_, at) => line(`tool${at}`, 's:a'))
    const policy = largePolicy(1, () => ({}), tools)
    const who = principal(['s:a'])
    let names = 0
    let scopes = 0
    const counted = {
      ...who,
      user: {
        ...who.user,
        get names() {
          names += 1
          return who.user.names
        },
      },
      get scopes() {
        scopes += 1
        return who.scopes
      },
    }
    prepareDecisions(policy, 's', counted)(tool('tool0'))
    const [ofOne, scopesOfOne] = [names, scopes]
    const prepared = prepareDecisions(policy, 's', counted)
    for (const { match } of tools) expect(prepared(tool(match)).outcome).toBe('open')
    expect([names - ofOne, scopes - scopesOfOne]).toEqual([ofOne, scopesOfOne])
    expect(scopesOfOne).toBe(1)
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

test('RS-31 the rows that would have helped are named in the order of the file, whoever they are about', () => {
  const row = { may: ['s:a'], never: [], when: 'args.folder == "ci"' }
  const everyone = { ...row, who: { kind: 'anyone' as const } }
  const ann = { ...row, who: { kind: 'user' as const, name: 'ann' } }
  for (const access of [
    [everyone, ann],
    [ann, everyone],
  ]) {
    const policy = { ...largePolicy(0, () => ({})), access }
    const call: Call = { kind: 'tool', name: 'tool1', args: { folder: 'x' } }
    const words = [1, 2].map((at) => `; row ${at} would, but its when does not hold`).join('')
    expect(decide(policy, 's', principal([], { names: ['ann'] }), call)).toEqual({
      outcome: 'hidden',
      because: `no row of access is for this user and client${words}`,
    })
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
