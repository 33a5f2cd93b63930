import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AccessRow,
  type Call,
  comparePolicies,
  decide,
  type Policy,
  type Principal,
} from '../src/index.ts'
import { callers, calls, policies, rows, toolNames } from './whole-policies.ts'

const rank = { hidden: 0, locked: 1, open: 2 }
const now = Date.UTC(2026, 6, 1)
const ask = (policy: Policy, who: Principal, call: Call): number =>
  rank[decide(policy, 's', who, call, now).outcome]

const questions = fc.array(fc.tuple(callers, calls), { minLength: 3, maxLength: 8 })

/** By how much each answer of the second policy lets the asker do more, or less. */
const steps = (before: Policy, after: Policy, asked: readonly [Principal, Call][]): number[] =>
  asked.map(([who, call]) => ask(after, who, call) - ask(before, who, call))

const withAccess = (policy: Policy, access: readonly AccessRow[]): Policy => ({ ...policy, access })

describe('whole policies: conditions, groups, issuers, services, clients, resources and prompts', {
  timeout: 60_000,
}, () => {
  test('RS-31 no order of the rows turns a denial into anything else', () => {
    fc.assert(
      fc.property(policies, questions, fc.func(fc.nat()), (policy, asked, key) => {
        const shuffled = policy.access
          .map((row, at) => ({ row, key: key(at) }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ row }) => row)
        expect(steps(policy, withAccess(policy, shuffled), asked)).toEqual(asked.map(() => 0))
      }),
      { numRuns: 150 },
    )
  })

  test('RS-31 one never more, one may less: nothing is wider, and the report says so', () => {
    const seen = new Set<number>()
    fc.assert(
      fc.property(policies, rows, fc.nat(), fc.nat(), questions, (policy, row, to, from, asked) => {
        const { access } = policy
        const never = { ...row, may: [], never: row.never.length > 0 ? row.never : ['s:a'] }
        const mays = access.filter((each) => each.never.length === 0)
        const gone = mays[from % Math.max(1, mays.length)]
        for (const after of [
          withAccess(policy, access.toSpliced(to % (access.length + 1), 0, never)),
          withAccess(
            policy,
            access.filter((each) => each !== gone),
          ),
          withAccess(
            policy,
            access.map((each) => (each === gone ? { ...each, may: each.may.slice(1) } : each)),
          ),
        ]) {
          const changed = steps(policy, after, asked)
          for (const step of changed) seen.add(step)
          expect(Math.max(...changed), 'nothing is wider').toBeLessThanOrEqual(0)
          const { wider, narrower } = comparePolicies(policy, after)
          expect(wider).toEqual([])
          if (changed.some((step) => step < 0)) expect(narrower).not.toEqual([])
          expect(comparePolicies(after, policy).narrower, 'and back').toEqual([])
        }
      }),
      { numRuns: 150 },
    )
    expect(Math.min(...seen)).toBeLessThan(0)
  })

  test('N19 whatever two policies let a call do, more is among wider and less among narrower', () => {
    fc.assert(
      fc.property(policies, policies, questions, fc.boolean(), (before, other, asked, sameRows) => {
        const after = sameRows
          ? { ...other, access: before.access, groups: before.groups ?? new Map() }
          : other
        const changed = steps(before, after, asked)
        const { wider, narrower } = comparePolicies(before, after)
        if (changed.some((step) => step > 0)) expect(wider).not.toEqual([])
        if (changed.some((step) => step < 0)) expect(narrower).not.toEqual([])
      }),
      { numRuns: 150 },
    )
  })
})

describe('what is not known is never allowed', { timeout: 60_000 }, () => {
  const strange = fc.string({ minLength: 1 }).map((text) => `\u0001${text}`)

  test('RS-39 N03 a tool, prompt or resource that no line spells out, at a server that is or is not there', () => {
    fc.assert(
      fc.property(policies, callers, strange, (policy, who, name) => {
        const asked: Call[] = [
          { kind: 'tool', name, args: {} },
          { kind: 'prompt', name },
          { kind: 'resource', uri: name },
        ]
        for (const call of asked) {
          expect(ask(policy, who, call)).toBe(0)
          expect(decide(policy, name, who, call, now).outcome).toBe('hidden')
          expect(decide(policy, 'constructor', who, call, now).outcome).toBe('hidden')
        }
      }),
      { numRuns: 100 },
    )
  })

  test('RS-23 a scope of the token that the policy does not have gives nothing', () => {
    fc.assert(
      fc.property(policies, questions, strange, (policy, asked, scope) => {
        for (const [who, call] of asked) {
          const more = { ...who, scopes: new Set([...who.scopes, scope, '*', 's:*', 'constructor']) }
          expect(ask(policy, more, call)).toBe(ask(policy, who, call))
        }
      }),
      { numRuns: 100 },
    )
  })

  test('RS-31 a user, issuer or client that no row means gets what the rows for anyone give', () => {
    fc.assert(
      fc.property(policies, questions, strange, (policy, asked, name) => {
        const known = withAccess(
          policy,
          policy.access.filter(({ who }) => who.kind === 'anyone'),
        )
        for (const [who, call] of asked) {
          const stranger = { ...who, user: { ...who.user, subject: name, names: [name], groups: [name] } }
          expect(ask(policy, stranger, call)).toBe(ask(known, stranger, call))
        }
        const unknownClient = policy.access.filter(({ client }) => client === undefined || client === 'any')
        for (const [who, call] of asked) {
          const client = { id: name, class: name as 'local' }
          expect(ask(policy, { ...who, client }, call)).toBe(
            ask(withAccess(policy, unknownClient), { ...who, client }, call),
          )
        }
      }),
      { numRuns: 100 },
    )
  })

  test('M27 a condition that cannot be evaluated lets nobody in, and keeps out whom it would', () => {
    const broken = ['no condition at all', 'args.a.b.c.d == 1', 'args.n / 0 == 1', 'args.text > 3']
    const all = ['s:a', 's:b', 's:c', 's:d']
    const everybody: AccessRow = { who: { kind: 'anyone' }, client: 'any', may: all, never: [] }
    const nobody: AccessRow = { who: { kind: 'anyone' }, may: [], never: all }
    const args = { a: 1, n: 1, text: 'x' }
    const seen = new Set<number>()
    fc.assert(
      fc.property(
        policies,
        callers,
        fc.constantFrom(...toolNames),
        fc.constantFrom(...broken),
        (policy, who, name, when) => {
          const holder = { ...who, scopes: new Set(all) }
          const askWith = (...access: AccessRow[]): number =>
            ask(withAccess(policy, access), holder, { kind: 'tool', name, args })
          expect(askWith({ ...everybody, when })).toBe(0)
          expect(askWith(everybody, { ...nobody, when })).toBe(askWith(everybody, nobody))
          seen.add(askWith(everybody) - askWith(everybody, { ...nobody, when }))
        },
      ),
      { numRuns: 100 },
    )
    expect(seen, 'without the denial it was open').toContain(2)
  })
})
