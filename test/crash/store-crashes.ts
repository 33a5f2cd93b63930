import { openStore, type Store } from '@warder/store'
import { beforeAll, expect, test } from 'vitest'
import {
  addUser,
  beginTransaction,
  day,
  id,
  makeCode,
  makeFinish,
  makeToken,
  redeem,
  rotate,
  start,
} from '../../packages/store/test/scene.ts'
import type { Call } from '../races/call.ts'
import type { Place } from '../races/racer.ts'
import { type Death, runVictim } from './run-victim.ts'

const redemption = (code: string, token: string): Call => ({
  noun: 'grants',
  operation: 'redeemCode',
  values: [{ codeHash: code, refreshToken: { hash: token, expiresAt: start + 30 * day }, now: start }],
})

const rotation = (token: string, child: string): Call => ({
  noun: 'grants',
  operation: 'rotateRefreshToken',
  values: [
    {
      hash: token,
      successor: { hash: child, sealed: `sealed ${child}`, expiresAt: start + 30 * day },
      graceMs: 30_000,
      now: start,
    },
  ],
})

/** What `kill -9` of a process leaves, on any engine; `newPlace` makes an empty database. */
export function storeCrashes(
  newPlace: () => Promise<Place>,
  busy: { readonly rounds: number; readonly longestMs: number },
): void {
  let place: Place
  beforeAll(async () => {
    place = await newPlace()
  })

  /** Nothing stays open while a victim works, so that the next one really starts again from what is on the disk. */
  async function withStore<Result>(work: (store: Store) => Promise<Result>): Promise<Result> {
    const store = await openStore(place)
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }

  /**
   * Lets a victim die at every moment of one call, one after another, until one survives. `prepare` makes the call and the
   * check of what it left; the check learns whether the call was answered and tells whether it took effect.
   */
  async function dieAtEachMoment(
    prepare: (
      store: Store,
    ) => Promise<{ call: Call; check: (store: Store, isAnswered: boolean) => Promise<boolean> }>,
    fewestMoments: number,
  ): Promise<void> {
    const effects: boolean[] = []
    let death: Death
    do {
      const { call, check } = await withStore(prepare)
      death = await runVictim({ place, calls: [call], moment: effects.length })
      effects.push(await withStore((store) => check(store, death.answered === 1)))
    } while (death.isKilled)
    expect(death.moments).toBe(effects.length - 1)
    expect(death.moments).toBeGreaterThanOrEqual(fewestMoments)
    // There is exactly one moment from which on it has happened, and it is the last statement: COMMIT.
    expect(effects.indexOf(true)).toBe(death.moments - 1)
    expect(effects.slice(death.moments - 1)).toEqual([true, true])
  }

  const kindsAfter = async (store: Store, number: number): Promise<string[]> =>
    (await store.events.listAfter(number, 1000)).map(({ kind }) => kind)
  const lastEvent = async (store: Store): Promise<number> =>
    (await store.events.listAfter(0, 1_000_000)).at(-1)?.number ?? 0

  const findAlive = async (store: Store, tokens: readonly string[]): Promise<string[]> => {
    const alive = []
    for (const token of tokens) {
      if ((await rotate(store, token)).outcome === 'rotated') alive.push(token)
    }
    return alive
  }

  test('V01 at each step of a redemption: the code is unused or redeemed once, never two token sets', async () => {
    await dieAtEachMoment(async (before) => {
      const { code } = await makeCode(before)
      const events = await lastEvent(before)
      const [first, second] = [id(), id()]
      return {
        call: redemption(code, first),
        async check(store, isAnswered) {
          const isRedeemed = (await store.grants.loadCode(code))?.redeemedAt !== undefined
          const firstToken = await store.grants.loadRefreshToken(first)
          expect(firstToken !== undefined).toBe(isRedeemed)
          expect(await kindsAfter(store, events)).toEqual(isRedeemed ? ['code.redeemed'] : [])
          if (isAnswered) expect(isRedeemed).toBe(true)
          // The client, which has no answer, tries again.
          const again = await redeem(store, code, second)
          expect(again.outcome).toBe(isRedeemed ? 'replayed' : 'redeemed')
          const alive = await findAlive(store, [first, second])
          expect(alive).toEqual(isRedeemed ? [] : [second])
          return isRedeemed
        },
      }
    }, 6)
  })

  test('V02 at each step of a rotation: the old token is valid, or its child is and the retry finds it', async () => {
    await dieAtEachMoment(async (before) => {
      const { token } = await makeToken(before)
      const events = await lastEvent(before)
      const [child, other] = [id(), id()]
      return {
        call: rotation(token, child),
        async check(store, isAnswered) {
          const isUsed = (await store.grants.loadRefreshToken(token))?.usedAt !== undefined
          expect((await store.grants.loadRefreshToken(child)) !== undefined).toBe(isUsed)
          expect(await kindsAfter(store, events)).toEqual(isUsed ? ['token.rotated'] : [])
          if (isAnswered) expect(isUsed).toBe(true)
          const retry = await rotate(store, token, other)
          expect(retry).toMatchObject(
            isUsed ? { outcome: 'retried', sealedSuccessor: `sealed ${child}` } : { outcome: 'rotated' },
          )
          expect((await rotate(store, isUsed ? child : other)).outcome).toBe('rotated')
          // And with that the old one is spent, whichever way it went.
          expect((await rotate(store, token)).outcome).toBe('replayed')
          return isUsed
        },
      }
    }, 7)
  })

  test('V01 at each step of a consent: the transaction lives, or its grant and code do', async () => {
    await dieAtEachMoment(async (before) => {
      const user = await addUser(before)
      const transaction = await beginTransaction(before, user)
      const finish = makeFinish(transaction, user)
      return {
        call: { noun: 'transactions', operation: 'finishWithCode', values: [finish] },
        async check(store, isAnswered) {
          const isFinished = (await store.transactions.load(transaction, start)) === undefined
          expect((await store.grants.load(finish.grant.id)) !== undefined).toBe(isFinished)
          expect((await store.grants.loadCode(finish.code.hash)) !== undefined).toBe(isFinished)
          if (isAnswered) expect(isFinished).toBe(true)
          const again = await store.transactions.finishWithCode(makeFinish(transaction, user))
          expect(again).toBe(!isFinished)
          return isFinished
        },
      }
    }, 6)
  })

  test('V09 at each step of a replay: the family is dead and guards hear of it, or neither', async () => {
    await dieAtEachMoment(async (before) => {
      const { grant, code, token } = await makeToken(before)
      const number = await before.changes.lastNumber()
      return {
        call: redemption(code, id()),
        async check(store, isAnswered) {
          const isRevoked = (await store.grants.load(grant))?.revokedAt !== undefined
          const changes = await store.changes.listAfter(number, 10)
          expect(changes.map(({ subject }) => subject)).toEqual(isRevoked ? [grant] : [])
          expect(await store.changes.lastNumber()).toBe(number + changes.length)
          if (isAnswered) expect(isRevoked).toBe(true)
          expect((await redeem(store, code)).outcome).toBe(isRevoked ? 'revoked' : 'replayed')
          expect(await rotate(store, token)).toEqual({ outcome: 'revoked' })
          return isRevoked
        },
      }
    }, 9)
  })

  test('V10 at each step of making a new database: the next start is clean', async () => {
    let death: Death
    let moment = 0
    do {
      const own = await newPlace()
      death = await runVictim({ place: own, calls: [], from: 'opening', moment })
      const store = await openStore(own)
      expect((await redeem(store, (await makeCode(store)).code)).outcome).toBe('redeemed')
      await store.close()
      moment += 1
    } while (death.isKilled)
    expect(death.moments).toBeGreaterThanOrEqual(4)
  })

  test('V01 V02 at random moments of a busy server: what was answered is there, the rest whole or not at all', async () => {
    let killedAtWork = 0
    for (let round = 0; round < busy.rounds; round += 1) {
      const made = await withStore(async (store) => {
        const codes = []
        for (let count = 0; count < 12; count += 1) codes.push((await makeCode(store)).code)
        return codes.map((code) => ({ code, tokens: [id(), id(), id(), id()] }))
      })
      // Each family: one redemption, three rotations.
      const calls = made.flatMap(({ code, tokens }) => [
        redemption(code, tokens[0]!),
        ...tokens.slice(1).map((child, index) => rotation(tokens[index]!, child)),
      ])
      const death = await runVictim({ place, calls, killAfterMs: Math.random() * busy.longestMs })
      if (death.isKilled && death.answered > 0 && death.answered < calls.length) killedAtWork += 1
      await withStore(async (store) => {
        let done = 0
        for (const { code, tokens } of made) {
          if ((await store.grants.loadCode(code))?.redeemedAt !== undefined) done += 1
          const states = []
          for (const token of tokens) states.push(await store.grants.loadRefreshToken(token))
          const stored = states.filter((state) => state !== undefined)
          // A chain without a gap, all used but the last; none without the redemption.
          expect(states.slice(0, stored.length)).toEqual(stored)
          expect(stored.map(({ usedAt }) => usedAt === undefined)).toEqual(
            stored.map((_, index) => index === stored.length - 1),
          )
          expect(stored.length > 0).toBe((await store.grants.loadCode(code))?.redeemedAt !== undefined)
          done += Math.max(0, stored.length - 1)
          if (stored.length > 0)
            expect((await rotate(store, tokens[stored.length - 1]!)).outcome).toBe('rotated')
          else expect((await redeem(store, code)).outcome).toBe('redeemed')
        }
        // At most the one call that was under way may have happened without an answer.
        expect(done - death.answered).toBeGreaterThanOrEqual(0)
        expect(done - death.answered).toBeLessThanOrEqual(1)
      })
    }
    expect(killedAtWork).toBeGreaterThan(0)
  })
}
