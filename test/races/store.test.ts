import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Change, openStore, type Rotation, type Store } from '@warder/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  addUser,
  beginTransaction,
  day,
  id,
  makeCode,
  makeFinish,
  makeToken,
  minute,
  rotate,
  start,
} from '../../packages/store/test/scene.ts'
import type { Call } from './call.ts'
import { type Racers, startRacers, tasksFor } from './start-racers.ts'

const processes = 3
const rounds = 25
const callsEach = 17
const everybody = Array.from({ length: processes }, (_, index) => index)

describe('three processes on one SQLite file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-races-'))
  const file = join(directory, 'warder.db')
  let racers: Racers
  let store: Store
  beforeAll(async () => {
    racers = startRacers(processes)
    store = await openStore({ file })
  })
  afterAll(async () => {
    await racers.stop()
    await store.close()
    rmSync(directory, { recursive: true })
  })

  /** Makes the calls of one round, `callsEach` a process, and answers what came of each. */
  async function race<Input, Outcome>(inputs: readonly Input[], call: (input: Input) => Call) {
    const share = Math.ceil(inputs.length / processes)
    const calls = everybody.map((index) => inputs.slice(index * share, (index + 1) * share).map(call))
    const outcomes = (await racers.race(tasksFor(file, calls))).flat() as Outcome[]
    return inputs.map((input, index) => ({ input, outcome: outcomes[index]! }))
  }
  const inputs = <Input>(make: () => Input): Input[] => Array.from({ length: processes * callsEach }, make)

  test('C02 a code is redeemed exactly once; the next attempt is a replay, the rest find it revoked', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const { grant, code } = await makeCode(store)
      const results = await race<string, { outcome: string }>(inputs(id), (hash) => ({
        noun: 'grants',
        operation: 'redeemCode',
        values: [{ codeHash: code, refreshToken: { hash, expiresAt: start + day }, now: start }],
      }))
      const count = (wanted: string) => results.filter(({ outcome }) => outcome.outcome === wanted).length
      expect([count('redeemed'), count('replayed'), count('revoked')]).toEqual([1, 1, results.length - 2])
      for (const { input, outcome } of results) {
        const stored = await store.grants.loadRefreshToken(input)
        expect(stored !== undefined).toBe(outcome.outcome === 'redeemed')
      }
      expect((await store.grants.load(grant))?.revokedBecause).toBe('code-replayed')
    }
  })

  test('F13 a consent makes exactly one grant and one code', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const user = await addUser(store)
      const transaction = await beginTransaction(store, user)
      const results = await race<ReturnType<typeof makeFinish>, boolean>(
        inputs(() => makeFinish(transaction, user)),
        (finish) => ({ noun: 'transactions', operation: 'finishWithCode', values: [finish] }),
      )
      const winners = results.filter(({ outcome }) => outcome)
      expect(winners).toHaveLength(1)
      expect((await store.grants.list({ userId: user })).map((grant) => grant.id)).toEqual([
        winners[0]!.input.grant.id,
      ])
      expect(await store.grants.loadCode(winners[0]!.input.code.hash)).toBeDefined()
    }
  })

  const rotateInRace = (token: string, graceMs: number) =>
    race<string, Rotation>(inputs(id), (hash) => ({
      noun: 'grants',
      operation: 'rotateRefreshToken',
      values: [
        {
          hash: token,
          successor: { hash, sealed: `sealed ${hash}`, expiresAt: start + day },
          graceMs,
          now: start,
        },
      ],
    }))

  test('C26 a refresh token is rotated exactly once, everybody gets the same child, and it works', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const { token } = await makeToken(store)
      const results = await rotateInRace(token, 30_000)
      const winners = results.filter(({ outcome }) => outcome.outcome === 'rotated')
      expect(winners).toHaveLength(1)
      const child = winners[0]!.input
      for (const result of results) {
        if (result === winners[0]) continue
        expect(result.outcome).toMatchObject({ outcome: 'retried', sealedSuccessor: `sealed ${child}` })
        expect(await store.grants.loadRefreshToken(result.input)).toBeUndefined()
      }
      expect((await rotate(store, child)).outcome).toBe('rotated')
    }
  })

  test('C26 outside of the grace time the second is a replay, and nobody keeps a living token', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const { token } = await makeToken(store)
      const results = await rotateInRace(token, 0)
      const count = (wanted: string) => results.filter(({ outcome }) => outcome.outcome === wanted).length
      expect([count('rotated'), count('replayed'), count('revoked')]).toEqual([1, 1, results.length - 2])
      const child = results.find(({ outcome }) => outcome.outcome === 'rotated')!.input
      expect(await rotate(store, child)).toEqual({ outcome: 'revoked' })
    }
  })

  test('migrations race: all open a new file at once, and exactly one claims its owner', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const own = join(directory, `new ${round}.db`)
      const claims = everybody.map((): Call[] => [
        { noun: 'users', operation: 'hasOwner', values: [] },
        {
          noun: 'keys',
          operation: 'addFirst',
          values: [
            { kid: id(), algorithm: 'ES256', publicJwk: '{}', sealedPrivateJwk: 's', createdAt: start },
          ],
        },
      ])
      const opened = await racers.race(tasksFor(own, claims, true))
      expect(opened.map(([hasOwner]) => hasOwner)).toEqual([false, false, false])
      expect(new Set(opened.map(([, keys]) => JSON.stringify(keys))).size).toBe(1)

      const ownStore = await openStore({ file: own })
      await ownStore.users.createOwnerLink({ hash: 'link', expiresAt: start + minute, now: start })
      const claimed = await racers.race(
        tasksFor(
          own,
          everybody.map((): Call[] => {
            const user = { id: id(), email: `${id()}@example.com`, passwordHash: 'argon' }
            return [
              { noun: 'users', operation: 'claimOwner', values: [{ linkHash: 'link', user, now: start }] },
            ]
          }),
        ),
      )
      expect(claimed.flat().toSorted()).toEqual(['link-invalid', 'link-invalid', 'made'])
      expect((await ownStore.users.list()).map(({ role }) => role)).toEqual(['owner'])
      expect(await ownStore.keys.list()).toHaveLength(1)
      await ownStore.close()
    }
  })

  test('every failed login counts', async () => {
    const key = id()
    const results = await race<string, number>(
      inputs(() => key),
      (value) => ({ noun: 'users', operation: 'countLoginFailure', values: [value, start] }),
    )
    const counts = results.map(({ outcome }) => outcome).toSorted((a, b) => a - b)
    expect(counts).toEqual(results.map((_, index) => index + 1))
  })

  test('the change feed shows no number before all smaller ones', async () => {
    const before = await store.changes.lastNumber()
    const made = []
    for (let count = 0; count < 100; count += 1) made.push(await makeToken(store))
    const first = await store.changes.lastNumber()
    const revocations = made.map(
      ({ grant }): Call => ({ noun: 'grants', operation: 'revoke', values: [grant, 'race', start] }),
    )
    const reads = Array.from(
      { length: 2000 },
      (): Call => ({ noun: 'changes', operation: 'listAfter', values: [first, 1000] }),
    )
    const [, , pages] = await racers.race(
      tasksFor(file, [revocations.slice(0, 50), revocations.slice(50), reads]),
    )
    for (const page of pages as Change[][]) {
      expect(page.map(({ number }) => number)).toEqual(page.map((_, index) => first + 1 + index))
    }
    expect(first - before).toBe(100)
    expect(await store.changes.lastNumber()).toBe(first + 100)
    expect(await store.changes.listAfter(first, 1000)).toHaveLength(100)
  })

  test('V15 sweeping while others refresh: no loss, no resurrection', async () => {
    const chains = []
    for (const _ of [0, 1]) {
      const { token, grant } = await makeToken(store)
      chains.push({ grant, tokens: [token, ...Array.from({ length: 60 }, id)] })
    }
    const revoked = await makeToken(store)
    await store.grants.revoke(revoked.grant, 'race', start)
    const refreshes = chains.map(({ tokens }) =>
      tokens.slice(1).map((hash, index): Call => {
        const now = start + index * day
        const successor = { hash, sealed: 'sealed', expiresAt: now + 30 * day }
        return {
          noun: 'grants',
          operation: 'rotateRefreshToken',
          values: [{ hash: tokens[index]!, successor, graceMs: 0, now }],
        }
      }),
    )
    const sweeps = Array.from(
      { length: 60 },
      (): Call => ({ noun: undefined, operation: 'sweep', values: [start + 29 * day] }),
    )
    const [one, two] = (await racers.race(tasksFor(file, [...refreshes, sweeps]))) as [Rotation[], Rotation[]]
    expect([...one, ...two].map(({ outcome }) => outcome)).toEqual(Array(120).fill('rotated'))
    for (const { grant, tokens } of chains) {
      expect((await store.grants.load(grant))?.revokedAt).toBeUndefined()
      expect((await rotate(store, tokens.at(-1)!, id(), { now: start + 60 * day })).outcome).toBe('rotated')
    }
    expect(await rotate(store, revoked.token)).toEqual({ outcome: 'revoked' })
  })
})
