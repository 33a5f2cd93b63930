import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Change, openStore, type Store } from '@warder/store'
import { expect, onTestFinished, test } from 'vitest'
import { followChanges, type LiveFacts } from '../src/protect/follow-changes.ts'

/** The feed of a store on its way to the follower, in the hands of somebody who may do to it what a test wants. */
interface Wire {
  listAfter: Store['changes']['listAfter']
  lastNumber: Store['changes']['lastNumber']
}

interface Scene {
  readonly facts: LiveFacts
  readonly store: Store
  readonly wire: Wire
  /** What the clock on the wall says, and how much time has passed. */
  readonly clock: { at: number; passed: number }
  /** Whom the follower was told to end, by token. */
  readonly ended: Set<string>
  revoke(...tokens: readonly string[]): Promise<void>
  revoked(...tokens: readonly string[]): readonly boolean[]
}

const tokens = ['t1', 't2', 't3', 't4'] as const

async function follow(): Promise<Scene> {
  const dir = await mkdtemp(join(tmpdir(), 'warder-feed-'))
  const store = await openStore({ file: join(dir, 'warder.sqlite') })
  const clock = { at: Date.now(), passed: 0 }
  const wire: Wire = { ...store.changes }
  const ended = new Set<string>()
  const changes: Wire = {
    listAfter: (number, limit) => wire.listAfter(number, limit),
    lastNumber: () => wire.lastNumber(),
  }
  const principal = (tokenId: string): Parameters<Parameters<typeof followed>[0]>[0] => ({
    user: { issuer: 'https://warder.example', subject: 'alice', names: [], groups: [] },
    client: { id: 'c', class: 'local' },
    scopes: new Set(),
    tokenId,
    expiresAt: Number.MAX_SAFE_INTEGER,
  })
  const followed: Parameters<typeof followChanges>[1]['onEnded'] = (concerns) => {
    for (const token of tokens) if (concerns(principal(token))) ended.add(token)
  }
  const facts = await followChanges(
    { ...store, changes },
    {
      issuer: 'https://warder.example',
      now: () => clock.at,
      uptime: () => clock.passed,
      coveredScopes: ({ scopes }) => new Set(scopes),
      onEnded: followed,
      onPolicy: async () => undefined,
      onHearing: () => undefined,
    },
  )
  onTestFinished(async () => {
    facts.stop()
    await store.close()
    await rm(dir, { recursive: true, force: true })
  })
  return {
    facts,
    store,
    wire,
    clock,
    ended,
    async revoke(...ids) {
      for (const id of ids)
        await store.grants.revokeAccessToken({
          id,
          grantId: 'g',
          expiresAt: clock.at + 600_000,
          now: clock.at,
        })
    },
    revoked: (...ids) => ids.map((tokenId) => facts.isRevoked({ tokenId, scopes: new Set() })),
  }
}

test('H14 what the feed says counts at once, and what it did not say does not', async () => {
  const { facts, revoke, revoked, ended } = await follow()
  await revoke('t1', 't2')
  await facts.catchUp()
  expect(revoked('t1', 't2', 't3')).toEqual([true, true, false])
  expect([...ended]).toEqual(['t1', 't2'])
})

test('H14 a lost change is asked for again: a gap in the numbers is never taken for silence', async () => {
  const { facts, store, wire, revoke, revoked, ended } = await follow()
  await revoke('t1')
  await facts.catchUp()
  await revoke('t2', 't3', 't4')
  let lost = 0
  wire.listAfter = async (after, limit) => {
    const changes = await store.changes.listAfter(after, limit)
    if (after === 0) return changes
    lost += 1
    return changes.filter(({ number }) => number !== after + 1)
  }
  await facts.catchUp()
  expect(lost).toBeGreaterThan(0)
  expect(revoked(...tokens)).toEqual([true, true, true, true])
  expect([...ended].sort()).toEqual(['t1', 't2', 't3', 't4'])
})

test('H14 a change that comes between the question and the answer is heard once, and nothing is asked for again', async () => {
  const { facts, store, wire, revoke, revoked } = await follow()
  await revoke('t1')
  await facts.catchUp()
  await revoke('t2')
  const asked: number[] = []
  wire.listAfter = async (after, limit) => {
    asked.push(after)
    await revoke('t3')
    return store.changes.listAfter(after, limit)
  }
  await facts.catchUp()
  expect(revoked('t1', 't2', 't3')).toEqual([true, true, true])
  expect(asked).not.toContain(0)
})

test('H14 a change lost in the middle of an answer is asked for again', async () => {
  const { facts, store, wire, revoke, revoked } = await follow()
  await revoke('t1')
  await facts.catchUp()
  await revoke('t2', 't3', 't4')
  wire.listAfter = async (after, limit) => {
    const changes = await store.changes.listAfter(after, limit)
    return after === 0 ? changes : changes.toSpliced(1, 1)
  }
  await facts.catchUp()
  expect(revoked(...tokens)).toEqual([true, true, true, true])
})

test('H14 a feed that starts to count anew, as a restored database does, is heard from its start', async () => {
  const { facts, wire, revoke, revoked } = await follow()
  await revoke('t1', 't2', 't3')
  await facts.catchUp()
  const restored: Change = {
    number: 1,
    kind: 'token-revoked',
    subject: 't4',
    at: 0,
    until: Number.MAX_SAFE_INTEGER,
  }
  wire.listAfter = async (after) => (after < 1 ? [restored] : [])
  wire.lastNumber = async () => 1
  await facts.catchUp()
  // What was revoked once stays so, whatever the database has forgotten.
  expect(revoked(...tokens)).toEqual([true, true, true, true])
})

test('H14 changes that come twice or in another order change nothing about what is revoked', async () => {
  const { facts, store, wire, revoke, revoked } = await follow()
  await revoke('t1', 't2', 't3')
  wire.listAfter = async (after, limit) => {
    const changes = await store.changes.listAfter(after, limit)
    return [...changes.toReversed(), ...changes]
  }
  await facts.catchUp()
  wire.listAfter = store.changes.listAfter
  await revoke('t4')
  await facts.catchUp()
  await facts.catchUp()
  expect(revoked(...tokens)).toEqual([true, true, true, true])
})

test.each([
  ['fails', async () => Promise.reject(new Error('away'))],
  ['holds what no change is', async () => [{ number: 9, kind: 'unheard-of', subject: 'x', at: 0, until: 0 }]],
])(
  'H14 a feed that %s is not heard: after five seconds nobody may say that nothing was revoked',
  async (_, answer) => {
    const { facts, wire, store, clock, revoke, revoked } = await follow()
    expect(facts.isFresh()).toBe(true)
    wire.listAfter = answer as unknown as Wire['listAfter']
    await revoke('t1')
    clock.passed += 4_000
    await facts.catchUp().catch(() => undefined)
    clock.passed += 1_001
    await facts.catchUp().catch(() => undefined)
    expect(facts.isFresh()).toBe(false)
    wire.listAfter = store.changes.listAfter
    await facts.catchUp()
    expect(facts.isFresh()).toBe(true)
    expect(revoked('t1')).toEqual([true])
  },
)

test('H14 an answer that comes late says how things stood when it was asked for', async () => {
  const { facts, wire, store, clock } = await follow()
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  wire.listAfter = async (after, limit) => {
    const changes = await store.changes.listAfter(after, limit)
    await held
    return changes
  }
  const late = facts.catchUp()
  await new Promise((resolve) => setImmediate(resolve))
  clock.passed += 6_000
  release()
  await late
  expect(facts.isFresh()).toBe(false)
  await facts.catchUp()
  expect(facts.isFresh()).toBe(true)
})

test('V07 a slow store makes no queue: whoever asks meanwhile shares one more question, which hears everything', async () => {
  const { facts, wire, revoke, revoked } = await follow()
  const { lastNumber } = wire
  let questions = 0
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => (letGo = resolve))
  wire.lastNumber = async () => {
    questions += 1
    await held
    return lastNumber()
  }
  const first = facts.catchUp()
  await expect.poll(() => questions).toBe(1)
  await revoke('t1')
  const asking = Promise.all([first, ...Array.from({ length: 50 }, () => facts.catchUp())])
  letGo()
  await asking
  expect(questions).toBe(2)
  expect(revoked('t1', 't2')).toEqual([true, false])
})

const hour = 60 * 60_000

test.each([
  ['forward and back', [2 * hour, -2 * hour]],
  ['back and forward', [-2 * hour, 2 * hour]],
])('H14 a clock that is set %s brings nothing back to life', async (_, jumps) => {
  const { facts, clock, revoke, revoked } = await follow()
  await revoke('t1')
  await facts.catchUp()
  for (const jump of jumps) {
    clock.at += jump
    await facts.catchUp()
    expect(revoked('t1', 't2')).toEqual([true, false])
  }
})

test('H14 what ended is forgotten once no token of it can live, so that memory is bounded', async () => {
  const { facts, clock, revoke, revoked } = await follow()
  await revoke('t1')
  await facts.catchUp()
  clock.passed += hour
  await facts.catchUp()
  expect(revoked('t1')).toEqual([true])
  clock.passed += hour
  await facts.catchUp()
  expect(revoked('t1')).toEqual([false])
})

test('H14 a clock that is set back does not make silence fresh', async () => {
  const { facts, wire, clock } = await follow()
  wire.lastNumber = () => Promise.reject(new Error('the store is gone'))
  expect(facts.isFresh()).toBe(true)
  clock.at -= 2 * hour
  clock.passed += 6_000
  await expect(facts.catchUp()).rejects.toThrow('gone')
  expect(facts.isFresh()).toBe(false)
})
