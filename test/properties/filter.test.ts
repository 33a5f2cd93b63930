import { createGuard, filterAnswer, type Guard } from '@warder/guard'
import type { AccessRow, Call, Policy, Principal } from '@warder/policy'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { linearDecide } from '../../packages/policy/test/linear-decide.ts'
import { callers, policies, toolNames, uris } from '../../packages/policy/test/whole-policies.ts'

const runs = Number(process.env['WARDER_RUNS'] ?? 150)
const now = Date.UTC(2026, 6, 1)

function guardOf(policy: Policy): Guard {
  return createGuard({
    resource: 'http://localhost:8765/s/mcp',
    server: 's',
    policy: () => policy,
    issuer: 'http://localhost:8765',
    keys: { jwks: async () => ({ keys: [] }) },
    now: () => now,
  })
}

/** Whether lists name what a wider grant would open. */
function listing(policy: Policy, listLocked: boolean): Policy {
  const servers = new Map([...policy.servers].map(([name, server]) => [name, { ...server, listLocked }]))
  return { ...policy, servers }
}

interface List {
  readonly list: string
  readonly member: 'name' | 'uri'
  readonly callOf: (name: string) => Call
}

const lists: Readonly<Record<string, List>> = {
  'tools/list': { list: 'tools', member: 'name', callOf: (name) => ({ kind: 'tool', name }) },
  'prompts/list': { list: 'prompts', member: 'name', callOf: (name) => ({ kind: 'prompt', name }) },
  'resources/list': { list: 'resources', member: 'uri', callOf: (uri) => ({ kind: 'resource', uri }) },
}

const names = fc.array(fc.oneof(fc.constantFrom<string>(...toolNames), fc.string({ minLength: 1 })), {
  maxLength: 8,
})
const addresses = fc.array(fc.oneof(fc.constantFrom<string>(...uris), fc.webUrl()), { maxLength: 8 })

const all = ['s:a', 's:b', 's:c', 's:d']
const about = (when: string | undefined) => (when === undefined ? {} : { when })
const mayAll = (when: string | undefined): AccessRow => ({
  who: { kind: 'anyone' },
  client: 'any',
  may: all,
  never: [],
  ...about(when),
})
const neverOne = (when: string | undefined): AccessRow => ({
  who: { kind: 'anyone' },
  may: [],
  never: when === undefined ? [] : ['s:a'],
  ...about(when),
})

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const bytes of body) parts.push(bytes)
  return Buffer.concat(parts).toString()
}

describe('a list and the calls that it promises', { timeout: 100_000 }, () => {
  test('RS-39 N01 shows exactly what the rules open, and what they would open where locked things are listed', async () => {
    await fc.assert(
      fc.asyncProperty(
        policies,
        callers,
        names,
        addresses,
        fc.boolean(),
        fc.integer({ min: 1, max: 40 }),
        async (random, who, some, others, listLocked, size) => {
          const policy = listing(random, listLocked)
          const guard = guardOf(policy)
          for (const [method, { list, member, callOf }] of Object.entries(lists)) {
            const listed = list === 'resources' ? others : some
            const visible = listed.filter((name) => {
              const { outcome } = linearDecide(policy, 's', who, callOf(name), now)
              return outcome === 'open' || (outcome === 'locked' && listLocked)
            })
            const result = { [list]: listed.map((name) => ({ [member]: name })) }
            const expected = { [list]: visible.map((name) => ({ [member]: name })), cacheScope: 'private' }
            expect(guard.filter(who, method, result)).toEqual(expected)
            const message = JSON.stringify({ jsonrpc: '2.0', id: 1, result })
            const answer = { jsonrpc: '2.0', id: 1, result: expected }
            const asJson = filterAnswer(guard, who, method, 'application/json', pieces(message, size))
            expect(JSON.parse(await textOf(asJson))).toEqual(answer)
            const stream = pieces(`data: ${message}\n\n`, size)
            const asStream = await textOf(filterAnswer(guard, who, method, 'text/event-stream', stream))
            expect(JSON.parse(/^data: (.*)$/m.exec(asStream)?.[1] ?? '')).toEqual(answer)
          }
        },
      ),
      { numRuns: runs },
    )
  })

  test('M17 RS-39 what is listed as open is open when called, whatever the arguments; what is hidden never is', () => {
    const args = fc.dictionary(
      fc.constantFrom('folder', 'size', 'x'),
      fc.constantFrom<unknown>('ci', 'prod', 1, 5, null),
    )
    const when = fc.constantFrom(undefined, 'args.folder == "ci"', 'args.size > 3', 'args.x == 1')
    const seen = new Set<string>()
    fc.assert(
      fc.property(policies, callers, args, when, when, (some, anyone, given, may, never) => {
        const who = { ...anyone, scopes: new Set(all) }
        const random = { ...some, access: [...some.access, mayAll(may), neverOne(never)] }
        const [open, locked] = [guardOf(listing(random, false)), guardOf(listing(random, true))]
        for (const name of toolNames) {
          const called = open.decide(who, { kind: 'tool', name, args: given }).outcome
          if (isListed(open, who, name)) expect(called).toBe('open')
          if (!isListed(locked, who, name)) expect(called).toBe('hidden')
          seen.add(`${isListed(open, who, name)} ${isListed(locked, who, name)} ${called}`)
        }
      }),
      { numRuns: runs },
    )
    for (const kind of ['true true open', 'false true open', 'false true hidden', 'false false hidden'])
      expect(seen).toContain(kind)
  })

  test('N03 what the policy spells out and hides is said to nobody, and nothing else is taken for it', () => {
    fc.assert(
      fc.property(policies, callers, (policy, who) => {
        const guard = guardOf(policy)
        for (const name of guard.hiddenNames(who)) {
          const calls: Call[] = [
            { kind: 'tool', name },
            { kind: 'prompt', name },
            { kind: 'resource', uri: name },
          ]
          const outcomes = calls.map((call) => linearDecide(policy, 's', who, call, now).outcome)
          expect(outcomes, name).toContain('hidden')
        }
      }),
      { numRuns: runs },
    )
  })
})

function isListed(guard: Guard, who: Principal, name: string): boolean {
  const { tools } = guard.filter(who, 'tools/list', { tools: [{ name }] }) as { tools: unknown[] }
  return tools.length > 0
}
