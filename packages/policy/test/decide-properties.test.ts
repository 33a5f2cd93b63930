import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Call,
  clientClasses,
  type Decision,
  decide,
  hasAccess,
  impliedScopes,
  offeredScopes,
  type Policy,
  type Principal,
  readPolicy,
} from '../src/index.ts'
import { anyText, everything, notes, principal } from './principals.ts'
import {
  implications,
  list,
  policies,
  principals,
  scopes,
  someScopes,
  text,
  tools,
  whos,
} from './random-policies.ts'

const toolName = fc.oneof(fc.constantFrom<string>(...tools), fc.string())

const decideTool = (policy: Policy, who: Principal, name: string): Decision =>
  decide(policy, 's', who, { kind: 'tool', name })

describe('properties', { timeout: 60_000 }, () => {
  test('RS-31 the order of rows never changes a decision', () => {
    fc.assert(
      fc.property(
        policies,
        principals,
        toolName,
        fc.func(fc.nat()),
        ([rows, lines, implied], who, name, key) => {
          const shuffled = rows.map((one, at) => ({ one, key: key(at) })).sort((a, b) => a.key - b.key)
          const there = readPolicy(text(rows, lines, implied))
          const here = readPolicy(
            text(
              shuffled.map(({ one }) => one),
              lines,
              implied,
            ),
          )
          expect(decideTool(here, who, name).outcome).toBe(decideTool(there, who, name).outcome)
        },
      ),
      { numRuns: 25 },
    )
  })

  test('RS-31 one more never turns nothing open that was not', () => {
    fc.assert(
      fc.property(
        policies,
        whos,
        someScopes,
        principals,
        toolName,
        fc.nat(),
        ([rows, lines, implied], who, never, asker, name, at) => {
          fc.pre(never.length > 0)
          const more = rows.toSpliced(at % (rows.length + 1), 0, `  - { who: ${who}, never: ${list(never)} }`)
          const before = decideTool(readPolicy(text(rows, lines, implied)), asker, name).outcome
          const after = decideTool(readPolicy(text(more, lines, implied)), asker, name).outcome
          const rank = { hidden: 0, locked: 1, open: 2 }
          expect(rank[after]).toBeLessThanOrEqual(rank[before])
        },
      ),
      { numRuns: 25 },
    )
  })

  test('RS-31 what a never names is denied whatever else stands there', () => {
    fc.assert(
      fc.property(
        policies,
        principals,
        fc.constantFrom<string>(...scopes),
        ([rows, , implied], who, scope) => {
          const lines = [`      - { match: t1, scopes: ${list([scope])} }`]
          const policy = readPolicy(
            text([...rows, `  - { who: anyone, never: ${list([scope])} }`], lines, implied),
          )
          expect(decideTool(policy, who, 't1').outcome).toBe('hidden')
          expect(offeredScopes(policy, 's', who).map(({ name }) => name)).not.toContain(scope)
        },
      ),
      { numRuns: 25 },
    )
  })

  test('RS-39 N03 what matches no line is hidden, and says nothing of what exists', () => {
    fc.assert(
      fc.property(policies, principals, fc.string(), ([rows, lines, implied], who, name) => {
        fc.pre(!/^t|1$|^x_/.test(name))
        const decision = decideTool(readPolicy(text(rows, lines, implied)), who, name)
        expect(decision).toEqual({ outcome: 'hidden', because: 'no tool line matches' })
      }),
      { numRuns: 25 },
    )
  })

  test('RS-22 RS-23 RS-26 locked means: granting exactly what is missing opens it; open means: everything is held', () => {
    fc.assert(
      fc.property(
        policies,
        principals,
        fc.constantFrom<string>(...tools),
        ([rows, lines, implied], who, name) => {
          const policy = readPolicy(text(rows, lines, implied))
          const server = policy.servers.get('s')
          const decision = decideTool(policy, who, name)
          const offered = new Set(offeredScopes(policy, 's', who).map((scope) => scope.name))
          if (server === undefined || decision.outcome !== 'locked') return
          expect(decision.missing.length).toBeGreaterThan(0)
          for (const scope of decision.needed) expect(offered).toContain(scope)
          const wider = { ...who, scopes: new Set([...who.scopes, ...decision.missing]) }
          expect(decideTool(policy, wider, name).outcome).toBe('open')
          const held = impliedScopes(
            server,
            [...who.scopes].filter((scope) => offered.has(scope)),
          )
          expect(decision.missing).toEqual(decision.needed.filter((scope) => !held.has(scope)))
        },
      ),
      { numRuns: 25 },
    )
  })

  test('RS-31 whoever has no row has no access, is offered nothing, and finds everything hidden', () => {
    fc.assert(
      fc.property(policies, principals, toolName, ([rows, lines, implied], who, name) => {
        const policy = readPolicy(text(rows, lines, implied))
        const isLetIn = hasAccess(policy, 's', who)
        expect(decide(policy, 's', who, { kind: 'session', method: 'ping' }).outcome).toBe(
          isLetIn ? 'open' : 'hidden',
        )
        if (isLetIn) return
        expect(offeredScopes(policy, 's', who)).toEqual([])
        expect(decideTool(policy, who, name).outcome).toBe('hidden')
      }),
      { numRuns: 25 },
    )
  })

  test('RS-39 the same question has the same answer, asked for a list or for a call, first or later', () => {
    fc.assert(
      fc.property(policies, principals, ([rows, lines, implied], who) => {
        const policy = readPolicy(text(rows, lines, implied))
        const listed = tools.map((name) => decideTool(policy, who, name))
        const called = tools.map((name) =>
          decide(
            readPolicy(text(rows, lines, implied)),
            's',
            { ...who },
            { kind: 'tool', name, args: { any: 1 } },
          ),
        )
        expect(called).toEqual(listed)
      }),
      { numRuns: 30 },
    )
  })

  test('RS-26 implication is transitive, reflexive and idempotent', () => {
    fc.assert(
      fc.property(implications, someScopes, (implied, given) => {
        const server = readPolicy(text([], [], implied)).servers.get('s')
        if (server === undefined) return expect.unreachable()
        const closed = impliedScopes(server, given)
        for (const scope of given) expect(closed).toContain(scope)
        for (const scope of closed)
          for (const next of server.scopes.get(scope)?.implies ?? []) expect(closed).toContain(next)
        expect(impliedScopes(server, closed)).toEqual(closed)
      }),
    )
  })

  test('M05 no principal and no call makes it throw', () => {
    const word = fc.oneof(anyText, fc.constantFrom('__proto__', 'constructor', 's:a', 'ann', 's', '*'))
    const anyone = fc
      .record({
        held: fc.array(word),
        names: fc.array(word),
        groups: fc.array(word),
        client: word,
        class: fc.constantFrom(...clientClasses),
      })
      .map(({ held, ...other }) => principal(held, other))
    const call: fc.Arbitrary<Call> = fc.oneof(
      fc.record({
        kind: fc.constant('tool' as const),
        name: word,
        args: fc.dictionary(word, word),
      }),
      fc.record({ kind: fc.constant('resource' as const), uri: word }),
      fc.record({ kind: fc.constant('prompt' as const), name: word }),
      fc.record({ kind: fc.constant('session' as const), method: word }),
    )
    const policy = notes(everything)
    fc.assert(
      fc.property(anyone, call, word, (who, asked, server) => {
        for (const name of ['notes', server]) {
          expect(['open', 'locked', 'hidden']).toContain(decide(policy, name, who, asked).outcome)
        }
      }),
    )
  })
})

describe('patterns', { timeout: 60_000 }, () => {
  const matches = (pattern: string, name: string): boolean => {
    const policy = readPolicy(
      `version: 1\nservers:\n  s:\n    run: [x]\n    scopes: { s:a: { title: A } }\n    tools: [{ match: ${JSON.stringify(pattern)}, scopes: [s:a] }]\naccess:\n  - { who: anyone, may: [s:a] }\n`,
    )
    return decideTool(policy, principal(['s:a']), name).outcome === 'open'
  }

  test('M09 a pattern matches what a plain search with a star says, nothing else', () => {
    /** The definition, slow and obvious. */
    const slow = (pattern: string, value: string): boolean => {
      if (pattern === '') return value === ''
      if (pattern[0] !== '*') return value[0] === pattern[0] && slow(pattern.slice(1), value.slice(1))
      return slow(pattern.slice(1), value) || (value !== '' && slow(pattern, value.slice(1)))
    }
    const letters = (extra: string[]): fc.Arbitrary<string> =>
      fc
        .array(fc.constantFrom('a', 'b', ...extra), { minLength: 1, maxLength: 8 })
        .map((parts) => parts.join(''))
    fc.assert(
      fc.property(letters(['*']), letters([]), (pattern, value) => {
        expect(matches(pattern, value)).toBe(slow(pattern, value))
      }),
      { numRuns: 25 },
    )
  })

  test('M09 a pattern made to make a regular expression backtrack is decided at once', () => {
    const pattern = `${'a*'.repeat(60)}b`
    expect(matches(pattern, 'a'.repeat(128))).toBe(false)
    expect(matches(pattern, `${'a'.repeat(127)}b`)).toBe(true)
  })
})
