import { openStore, type Store } from '@warder/store'
import { expect, test } from 'vitest'
import { day, id, makeCode, makeToken, redeem, rotate, start } from '../scene.ts'

type Place = Parameters<typeof openStore>[0]

/** What a copy brings back, and what ends it; `copy` is a backup and its restore, of a database that nobody has open. */
export function storeRestore<Own extends Place>(engine: {
  newPlace(): Promise<Own>
  copy(place: Own): Promise<Own>
}): void {
  async function at<Result>(place: Own, work: (store: Store) => Promise<Result>): Promise<Result> {
    const store = await openStore(place)
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }

  test('V11 yesterday’s copy brings used and revoked tokens back to life, and revoking everything ends them', async () => {
    const place = await engine.newPlace()
    const made = await at(place, async (store) => ({
      used: await makeToken(store),
      revoked: await makeToken(store),
      code: await makeCode(store),
    }))
    const yesterday = await engine.copy(place)
    await at(place, async (store) => {
      await rotate(store, made.used.token)
      await store.grants.revoke(made.revoked.grant, 'by the user', start)
      await redeem(store, made.code.code)
      expect((await rotate(store, made.used.token, id(), { graceMs: 0 })).outcome).toBe('replayed')
    })

    // Without anything done about it: the danger is real.
    const careless = await engine.copy(yesterday)
    await at(careless, async (store) => {
      expect((await rotate(store, made.used.token)).outcome).toBe('rotated')
      expect((await rotate(store, made.revoked.token)).outcome).toBe('rotated')
      expect((await redeem(store, made.code.code)).outcome).toBe('redeemed')
    })

    await at(yesterday, async (store) => {
      expect(await store.grants.revokeAll({ because: 'restored', now: start + day })).toBe(3)
      expect(await rotate(store, made.used.token)).toEqual({ outcome: 'revoked' })
      expect(await rotate(store, made.revoked.token)).toEqual({ outcome: 'revoked' })
      expect((await redeem(store, made.code.code)).outcome).toBe('revoked')
      const { token } = await makeToken(store)
      expect((await rotate(store, token)).outcome).toBe('rotated')
    })
  })
}
