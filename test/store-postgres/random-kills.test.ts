import { setTimeout as delay } from 'node:timers/promises'
import { openStore, type Store } from '@warder/store'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  addUser,
  beginTransaction,
  id,
  makeCode,
  makeFinish,
  makeToken,
  redeem,
  rotate,
  start,
} from '../../packages/store/test/scene.ts'
import { type Postgres, startPostgres } from '../postgres/start-postgres.ts'

const nodes = 3

type Fault =
  | { readonly kind: 'kill'; readonly afterMs: number }
  | { readonly kind: 'lock'; readonly afterMs: number; readonly table: string }

interface Attempt {
  readonly node: number
  readonly afterMs: number
}

const times = fc.integer({ min: 0, max: 40 })
const faults: fc.Arbitrary<Fault[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('kill' as const), afterMs: times }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('lock' as const),
        afterMs: times,
        table: fc.constantFrom('codes', 'refresh_tokens', 'grants', 'events', 'change_counter'),
      }),
    },
  ),
  { minLength: 3, maxLength: 12 },
)
const attempts: fc.Arbitrary<Attempt[]> = fc.array(
  fc.record({ node: fc.integer({ min: 0, max: nodes - 1 }), afterMs: times }),
  { minLength: 4, maxLength: 12 },
)

describe('V06 nodes whose connections are killed, at random moments', () => {
  let server: Postgres
  let database: string
  /** The nodes; its lock is not given for longer than their deadline now and then. */
  let stores: Store[]
  /** Whom nobody disturbs. */
  let direct: Store
  let seenFaults = 0
  let seenErrors = 0
  beforeAll(async () => {
    server = await startPostgres()
    const url = await server.createDatabase()
    database = new URL(url).pathname.slice(1)
    direct = await openStore({ url })
    stores = await Promise.all(Array.from({ length: nodes }, () => openStore({ url, deadlineMs: 600 })))
  })
  afterAll(async () => {
    for (const store of [direct, ...stores]) await store.close()
    await server.stop()
  })

  const doHarm = async (fault: Fault): Promise<void> => {
    await delay(fault.afterMs)
    const sql =
      fault.kind === 'kill'
        ? `select pg_terminate_backend(pid) from pg_stat_activity
            where application_name = 'warder' and state <> 'idle' order by random() limit 1`
        : `begin; lock table warder.${fault.table} in access exclusive mode; select pg_sleep(0.4); commit`
    const rows = await server.query(sql, database)
    if (fault.kind === 'kill') seenFaults += rows.length
  }

  /** Makes the calls while harm is done; answers what each came to, `undefined` for an error. */
  async function underFaults<Result>(
    tries: readonly Attempt[],
    harm: readonly Fault[],
    call: (store: Store, index: number) => Promise<Result>,
  ): Promise<(Result | undefined)[]> {
    const calls = tries.map(async ({ node, afterMs }, index) => {
      await delay(afterMs)
      return call(stores[node]!, index).catch(() => {
        seenErrors += 1
        return undefined
      })
    })
    const [outcomes] = await Promise.all([Promise.all(calls), Promise.all(harm.map(doHarm))])
    return outcomes
  }

  const eventsOf = async (number: number, grant: string): Promise<string[]> =>
    (await direct.events.listAfter(number, 10_000))
      .filter(({ details }) => JSON.parse(details).grant === grant)
      .map(({ kind }) => kind)
  const findStored = async (tokens: readonly string[]): Promise<string[]> => {
    const stored = []
    for (const token of tokens) if (await direct.grants.loadRefreshToken(token)) stored.push(token)
    return stored
  }
  const lastEvent = async (): Promise<number> =>
    (await direct.events.listAfter(0, 1_000_000)).at(-1)?.number ?? 0
  const count = (words: readonly string[], wanted: string): number =>
    words.filter((word) => word === wanted).length

  const runs = { numRuns: 12 }

  test('a code is redeemed at most once, and what the record says is what happened', async () => {
    await fc.assert(
      fc.asyncProperty(attempts, faults, async (tries, harm) => {
        const { code, grant } = await makeCode(direct)
        const before = await lastEvent()
        const tokens = tries.map(() => id())
        const outcomes = await underFaults(tries, harm, (store, index) => redeem(store, code, tokens[index]!))
        const stored = await findStored(tokens)
        const isRedeemed = (await direct.grants.loadCode(code))?.redeemedAt !== undefined
        const events = await eventsOf(before, grant)
        expect(stored).toHaveLength(isRedeemed ? 1 : 0)
        expect(count(events, 'code.redeemed')).toBe(isRedeemed ? 1 : 0)
        const winner = outcomes.findIndex((outcome) => outcome?.outcome === 'redeemed')
        if (winner !== -1) expect(stored).toEqual([tokens[winner]])
        expect(outcomes.filter((outcome) => outcome?.outcome === 'redeemed').length).toBeLessThanOrEqual(1)
        const isRevoked = (await direct.grants.load(grant))?.revokedAt !== undefined
        expect(count(events, 'grant.revoked')).toBe(isRevoked ? 1 : 0)
        if (outcomes.some((outcome) => outcome?.outcome === 'replayed')) expect(isRevoked).toBe(true)
      }),
      runs,
    )
  })

  test('a refresh token has at most one child', async () => {
    await fc.assert(
      fc.asyncProperty(attempts, faults, async (tries, harm) => {
        const { token, grant } = await makeToken(direct)
        const before = await lastEvent()
        const children = tries.map(() => id())
        const outcomes = await underFaults(tries, harm, (store, index) =>
          rotate(store, token, children[index]!),
        )
        const stored = await findStored(children)
        const isUsed = (await direct.grants.loadRefreshToken(token))?.usedAt !== undefined
        expect(stored).toHaveLength(isUsed ? 1 : 0)
        expect(count(await eventsOf(before, grant), 'token.rotated')).toBe(isUsed ? 1 : 0)
        for (const [index, outcome] of outcomes.entries()) {
          if (outcome?.outcome === 'rotated') expect(stored).toEqual([children[index]])
          if (outcome?.outcome === 'retried') expect(outcome.sealedSuccessor).toBe(`sealed ${stored[0]}`)
        }
      }),
      runs,
    )
  })

  test('a consent makes at most one grant', async () => {
    await fc.assert(
      fc.asyncProperty(attempts, faults, async (tries, harm) => {
        const user = await addUser(direct)
        const transaction = await beginTransaction(direct, user)
        const finishes = tries.map(() => makeFinish(transaction, user))
        const outcomes = await underFaults(tries, harm, (store, index) =>
          store.transactions.finishWithCode(finishes[index]!),
        )
        const made = await direct.grants.list({ userId: user })
        const isOpen = (await direct.transactions.load(transaction, start)) !== undefined
        expect(made).toHaveLength(isOpen ? 0 : 1)
        const winner = outcomes.indexOf(true)
        if (winner !== -1) expect(made[0]?.id).toBe(finishes[winner]!.grant.id)
      }),
      runs,
    )
  })

  test('failures are counted once each, and the numbers of changes have no gap', async () => {
    await fc.assert(
      fc.asyncProperty(attempts, faults, async (tries, harm) => {
        const key = id()
        const first = await direct.changes.lastNumber()
        const outcomes = await underFaults(tries, harm, async (store) => {
          await addUser(store)
          return store.users.countLoginFailure(key, start)
        })
        const counted = outcomes.filter((outcome) => outcome !== undefined)
        expect(new Set(counted).size).toBe(counted.length)
        const next = await direct.users.countLoginFailure(key, start)
        expect(next - 1).toBeGreaterThanOrEqual(counted.length)
        expect(next - 1).toBeLessThanOrEqual(tries.length)
        const changes = await direct.changes.listAfter(first, 1000)
        expect(changes.map(({ number }) => number)).toEqual(changes.map((_, index) => first + 1 + index))
        expect(await direct.changes.lastNumber()).toBe(first + changes.length)
      }),
      runs,
    )
  })

  test('there were faults, they were felt, and every node works afterwards', async () => {
    expect(seenFaults).toBeGreaterThan(10)
    expect(seenErrors).toBeGreaterThan(10)
    for (const store of stores) {
      const { token } = await makeToken(store)
      expect((await rotate(store, token)).outcome).toBe('rotated')
    }
  })
})
