import { type Change, openStore, type Rotation, type Store } from '@warder/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
import type { Place } from './racer.ts'
import { type Racers, startRacers, tasksFor } from './start-racers.ts'

const processes = 3
const callsEach = 17
const everybody = Array.from({ length: processes }, (_, index) => index)

/** What must hold when three processes want the same at once, on any engine; `newPlace` makes an empty database. */
export function storeRaces(newPlace: () => Promise<Place>, rounds: number): void {
  let racers: Racers
  let place: Place
  let store: Store
  beforeAll(async () => {
    racers = startRacers(processes)
    place = await newPlace()
    store = await openStore(place)
  })
  afterAll(async () => {
    await racers.stop()
    await store.close()
  })

  /** Makes the calls of one round, `callsEach` a process, and answers what came of each. */
  async function race<Input, Outcome>(inputs: readonly Input[], call: (input: Input) => Call) {
    const share = Math.ceil(inputs.length / processes)
    const calls = everybody.map((index) => inputs.slice(index * share, (index + 1) * share).map(call))
    const outcomes = (await racers.race(tasksFor(place, calls))).flat() as Outcome[]
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
      const own = await newPlace()
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
      const opened = await racers.race(tasksFor(own, claims, { opensLate: true }))
      expect(opened.map(([hasOwner]) => hasOwner)).toEqual([false, false, false])
      expect(new Set(opened.map(([, keys]) => JSON.stringify(keys))).size).toBe(1)

      const ownStore = await openStore(own)
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
      tasksFor(place, [revocations.slice(0, 50), revocations.slice(50), reads]),
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
    const [one, two] = (await racers.race(tasksFor(place, [...refreshes, sweeps], { inOrder: true }))) as [
      Rotation[],
      Rotation[],
    ]
    expect([...one, ...two].map(({ outcome }) => outcome)).toEqual(Array(120).fill('rotated'))
    for (const { grant, tokens } of chains) {
      expect((await store.grants.load(grant))?.revokedAt).toBeUndefined()
      expect((await rotate(store, tokens.at(-1)!, id(), { now: start + 60 * day })).outcome).toBe('rotated')
    }
    expect(await rotate(store, revoked.token)).toEqual({ outcome: 'revoked' })
  })

  test('D25 registrations at once with the same metadata: as many clients, none lost, no id twice', async () => {
    const metadata = '{"software_id":"the same"}'
    const before = (await store.clients.list()).length
    const results = await race<string, undefined>(inputs(id), (client) => ({
      noun: 'clients',
      operation: 'add',
      values: [{ id: client, kind: 'self-registered', metadata, now: start }],
    }))
    expect(results.map(({ outcome }) => outcome)).toEqual(results.map(() => undefined))
    for (const { input } of results) expect((await store.clients.load(input))?.metadata).toBe(metadata)
    expect(await store.clients.list()).toHaveLength(before + results.length)
    // And with the same id: one has it, and its metadata stands.
    const contested = id()
    const claims = await race<string, unknown>(inputs(id), (word) => ({
      noun: 'clients',
      operation: 'add',
      values: [{ id: contested, kind: 'self-registered', metadata: word, now: start }],
    }))
    const winners = claims.filter(({ outcome }) => outcome === undefined)
    expect(winners).toHaveLength(1)
    for (const { outcome } of claims) if (outcome !== undefined) expect(outcome).toMatch(/^threw .*clients/)
    expect((await store.clients.load(contested))?.metadata).toBe(winners[0]!.input)
  })

  test('policies published at once: each that is new once, in an order that all see alike', async () => {
    const digests = everybody.map(() => id())
    for (const isEdit of [false, true]) {
      const before = (await store.changes.listAfter(0, 10_000)).length
      const results = await race<string, string>(
        inputs(id).map((_, index) => digests[index % digests.length]!),
        (digest) => ({
          noun: 'policies',
          operation: 'publish',
          values: [{ digest, text: `text of ${digest}`, node: 'node', isEdit, now: start }],
        }),
      )
      const published = results.filter(({ outcome }) => outcome === 'published')
      const changes = (await store.changes.listAfter(0, 10_000)).slice(before)
      expect(changes).toHaveLength(published.length)
      expect(new Set(changes.map(({ kind }) => kind))).toEqual(new Set(['policy-published']))
      const current = await store.policies.current()
      expect(current?.number).toBe(Number(changes.at(-1)!.subject))
      // Who starts with a file is heard once; who edits, each time that another one is in force.
      if (!isEdit) expect(published.map(({ input }) => input).toSorted()).toEqual(digests.toSorted())
      else expect(published.length).toBeGreaterThanOrEqual(digests.length - 1)
    }
  })
}
