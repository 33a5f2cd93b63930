import { createGuard, type Guard } from '@warder/guard'
import { type Policy, readPolicy } from '@warder/policy'
import { describe, expect, test } from 'vitest'
import { authenticate, issuer, makeGuard, policyText, reasonOf, resource, signer, start } from './fixture.ts'

const policy: Policy = readPolicy(
  policyText.slice(0, policyText.indexOf('access:')) +
    `groups: { writers: [ann] }
access:
  - { who: { user: owner }, client: any, may: [notes:read] }
  - { who: { group: staff }, client: any, may: [notes:read] }
  - { who: { group: banned }, never: [notes:read] }
  - who: { user: owner }
    client: any
    may: [notes:write]
    when: args.folder == "ci" && time < timestamp("2026-09-01T00:05:00Z")
`,
)
const tools = { tools: [{ name: 'create_note' }, { name: 'wipe_disk' }] }
const create = (args?: Record<string, unknown>) =>
  ({ kind: 'tool', name: 'create_note', ...(args === undefined ? {} : { args }) }) as const

describe('conditions behind the guard', () => {
  const principalFor = async (guard: Guard, claims: Record<string, unknown> = {}) =>
    authenticate(guard, await signer.sign({ scope: 'notes:read notes:write', ...claims }))

  test('M17 a tool that depends on its arguments is listed, and each call is decided by its own', async () => {
    const guard = makeGuard({ policy: () => policy })
    const principal = await principalFor(guard)
    expect(guard.filter(principal, 'tools/list', tools)).toMatchObject({ tools: [{ name: 'create_note' }] })
    expect(guard.decide(principal, create({ folder: 'ci' })).outcome).toBe('open')
    const call = create({ folder: ['ci'] })
    const decision = guard.decide(principal, call)
    const { status, body } = guard.refuseDecision(decision, call, { id: 1, principal })
    expect([status, JSON.parse(body).result.isError]).toEqual([200, true])
    expect(decision).toMatchObject({ outcome: 'hidden', because: expect.stringContaining('row 4') })
  })

  test('M27 the guard passes its own time on', async () => {
    const clock = { time: start }
    const guard = makeGuard({ policy: () => policy }, clock)
    const principal = await principalFor(guard)
    expect(guard.decide(principal, create({ folder: 'ci' })).outcome).toBe('open')
    clock.time += 5 * 60_000
    expect(guard.decide(principal, create({ folder: 'ci' })).outcome).toBe('hidden')
  })

  describe('RS-31 groups in the token of a foreign issuer', () => {
    const search = { kind: 'tool', name: 'search_notes', args: {} } as const
    const outcomeFor = async (groups: unknown, more: object = {}): Promise<string> => {
      const keys = { jwks: async () => ({ keys: [signer.jwk] }) }
      const guard = createGuard({
        issuer,
        resource,
        server: 'notes',
        policy: () => policy,
        keys,
        now: () => start,
      })
      const claims = { sub: 'eve', ...(groups === undefined ? {} : { groups }), ...more }
      return guard.decide(await principalFor(guard, claims), search).outcome
    }

    test.each([
      [['staff'], 'open'],
      ['staff', 'open'],
      [['x', 'staff'], 'open'],
      [['staff', 'banned'], 'hidden'],
      [['Staff'], 'hidden'],
      [[], 'hidden'],
      [undefined, 'hidden'],
    ])('%j is %s', async (groups, wanted) => {
      expect(await outcomeFor(groups)).toBe(wanted)
    })

    test.each([[{ staff: true }], [['staff', 1]], [7], [[['staff']]], [null]])(
      'M27 groups that cannot be read end the matter, since they may deny: %j',
      async (groups) => {
        expect(await reasonOf(outcomeFor(groups))).toBe('token.claims')
      },
    )

    test.each([
      { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://graph.example' } } },
      { _claim_names: { groups: 'src1' } },
      { hasgroups: true },
    ])('M27 groups that stand elsewhere, as %j says, end the matter too', async (more) => {
      expect(await reasonOf(outcomeFor(undefined, more))).toBe('token.claims')
      expect(await reasonOf(outcomeFor(['staff'], more))).toBe('token.claims')
    })

    test.each([
      { _claim_names: { address: 'src1' } },
      { _claim_names: 'groups' },
      { _claim_names: null },
      { hasgroups: false },
    ])('M27 twin: %j says nothing of the kind', async (more) => {
      expect(await outcomeFor(['staff'], more)).toBe('open')
    })

    test('RS-31 groups in a token count for nobody whom a directory knows', async () => {
      const guard = makeGuard({ policy: () => policy, findUser: () => ({ names: ['eve'], groups: [] }) })
      expect(guard.decide(await principalFor(guard, { groups: ['staff'] }), search).outcome).toBe('hidden')
    })
  })
})
