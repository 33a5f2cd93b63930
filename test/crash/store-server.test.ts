import { setTimeout as delay } from 'node:timers/promises'
import { openStore, type Store } from '@warder/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { id, makeCode, redeem, rotate } from '../../packages/store/test/scene.ts'
import { type Postgres, startPostgres } from '../postgres/start-postgres.ts'

/** A code and the tokens that follow it; what was answered of it. */
interface Family {
  readonly code: string
  readonly tokens: readonly string[]
  answered: number
}

describe('kill -9 of PostgreSQL itself', () => {
  let server: Postgres
  let store: Store
  beforeAll(async () => {
    server = await startPostgres()
    store = await openStore({ url: await server.createDatabase() })
  })
  afterAll(async () => {
    await store.close()
    await server.stop()
  })

  /** Redeems the code, then refreshes, until something fails. */
  const live = async (family: Family): Promise<void> => {
    const { code, tokens } = family
    try {
      expect((await redeem(store, code, tokens[0]!)).outcome).toBe('redeemed')
      family.answered = 1
      for (const [index, token] of tokens.slice(1).entries()) {
        expect((await rotate(store, tokens[index]!, token)).outcome).toBe('rotated')
        family.answered += 1
      }
    } catch (error) {
      if (!String(error).includes('PostgreSQL')) throw error
    }
  }

  /** A chain without a gap, all used but the last; with what was answered, and one unanswered call at most. */
  const checkFamily = async ({ code, tokens, answered }: Family): Promise<void> => {
    const states = []
    for (const token of tokens) states.push(await store.grants.loadRefreshToken(token))
    const stored = states.filter((state) => state !== undefined)
    expect(states.slice(0, stored.length)).toEqual(stored)
    expect(stored.map(({ usedAt }) => usedAt === undefined)).toEqual(
      stored.map((_, index) => index === stored.length - 1),
    )
    expect(stored.length - answered).toBeGreaterThanOrEqual(0)
    expect(stored.length - answered).toBeLessThanOrEqual(1)
    expect((await store.grants.loadCode(code))?.redeemedAt !== undefined).toBe(stored.length > 0)
    const last = tokens[stored.length - 1]
    if (last === undefined) expect((await redeem(store, code)).outcome).toBe('redeemed')
    else expect((await rotate(store, last)).outcome).toBe('rotated')
  }

  test('V01 V02 what was answered is there, the rest whole or not at all, and the same process goes on', async () => {
    let unfinished = 0
    for (let round = 0; round < 5; round += 1) {
      const families: Family[] = []
      for (let count = 0; count < 8; count += 1) {
        const tokens = Array.from({ length: 60 }, id)
        families.push({ code: (await makeCode(store)).code, tokens, answered: 0 })
      }
      const lives = Promise.all(families.map(live))
      await delay(30 + Math.random() * 250)
      await server.crash()
      await lives
      await server.restart()
      for (const family of families) await checkFamily(family)
      unfinished += families.filter(({ answered, tokens }) => answered < tokens.length).length
    }
    expect(unfinished).toBeGreaterThan(0)
  })
})
