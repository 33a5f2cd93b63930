import type { Rotation, Store } from '@warder/store'
import fc from 'fast-check'
import { expect } from 'vitest'
import { day, id, makeToken, rotate, start } from '../scene.ts'

const graceMs = 30_000

interface Member {
  readonly token: string
  readonly expiresAt: number
  usedAt?: number
  child?: Member
}

interface Family {
  readonly chain: Member[]
  now: number
  isRevoked: boolean
}

/** The rules of a family of refresh tokens, once more and without a database. */
function expectedOutcome(member: Member, now: number, isRevoked: boolean): Rotation['outcome'] {
  if (isRevoked) return 'revoked'
  if (member.usedAt === undefined) return member.expiresAt > now ? 'rotated' : 'expired'
  return now - member.usedAt < graceMs && member.child?.usedAt === undefined ? 'retried' : 'replayed'
}

type Command =
  | { readonly kind: 'present'; readonly back: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'revoke' | 'sweep' }

const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('present' as const),
      back: fc.constantFrom(0, 0, 0, 1, 1, 2, 5),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 29_999, 30_000, day, 30 * day - 1),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('revoke' as const) }) },
)

/** Runs commands on the store and on the model; both must answer the same at each step. */
export function familyModel(store: () => Store): fc.IAsyncProperty<[Command[]]> {
  return fc.asyncProperty(fc.array(commands, { maxLength: 25 }), async (sequence) => {
    const { grant, token } = await makeToken(store())
    const family: Family = { chain: [{ token, expiresAt: start + 30 * day }], now: start, isRevoked: false }
    for (const command of sequence) {
      if (command.kind === 'wait') family.now += command.ms
      if (command.kind === 'present') await present(store(), family, command.back)
      if (command.kind === 'revoke') {
        expect(await store().grants.revoke(grant, 'model', family.now)).toBe(!family.isRevoked)
        family.isRevoked = true
      }
      // Not later than the end of the first token: until then sweeping must change no answer.
      if (command.kind === 'sweep') await store().sweep(Math.min(family.now, start + 30 * day))
      expect((await store().grants.load(grant))?.revokedAt !== undefined).toBe(family.isRevoked)
    }
  })
}

async function present(store: Store, family: Family, back: number): Promise<void> {
  const { chain, now } = family
  const member = chain.at(-1 - back) ?? chain[0]!
  const expected = expectedOutcome(member, now, family.isRevoked)
  const successor = id()
  const rotation = await rotate(store, member.token, successor, { now, graceMs })
  expect(rotation.outcome).toBe(expected)
  if (rotation.outcome === 'retried') expect(rotation.sealedSuccessor).toBe(`sealed ${member.child?.token}`)
  if (rotation.outcome === 'replayed') family.isRevoked = true
  if (rotation.outcome !== 'rotated') return
  member.usedAt = now
  member.child = { token: successor, expiresAt: now + 30 * day }
  chain.push(member.child)
}
