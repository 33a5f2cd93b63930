import { expect, test } from 'vitest'
import type { Subject } from '../conformance.ts'
import {
  addUser,
  beginTransaction,
  day,
  hour,
  id,
  makeCode,
  makeToken,
  minute,
  readTrail,
  redeem,
  rotate,
  start,
} from '../scene.ts'

export function housekeepingConformance({ fresh }: Subject): void {
  test('V15 sweeping takes nothing that still counts', async () => {
    const store = await fresh()
    const { user, grant, token, code } = await makeToken(store)
    const unused = await makeCode(store)
    const transaction = await beginTransaction(store, user)
    const session = { hash: id(), userId: user, signedInAt: start, expiresAt: start + hour }
    await store.sessions.create({ ...session, now: start })
    const child = id()
    await rotate(store, token, child)
    await store.grants.revoke((await makeToken(store)).grant, 'test', start)
    for (let count = 0; count < 5; count += 1) await store.users.countLoginFailure('key', start)
    const before = await readTrail(store)

    await store.sweep(start + 29_999)
    expect(await readTrail(store)).toEqual(before)
    expect((await rotate(store, token, id(), { now: start + 29_999 })).outcome).toBe('retried')
    expect((await redeem(store, unused.code, id(), start + 29_999)).outcome).toBe('redeemed')
    expect(await store.transactions.load(transaction, start)).toBeDefined()
    expect(await store.sessions.load(session.hash, start)).toBeDefined()
    expect(await store.users.loadLoginBlock('key')).toBe(start + 1000)

    await store.sweep(start + 29 * day)
    expect((await store.grants.load(grant))?.revokedAt).toBeUndefined()
    expect((await rotate(store, child, id(), { now: start + 29 * day })).outcome).toBe('rotated')
    // The replay of an old code, or of an old token, is still known for what it is.
    expect((await redeem(store, code, id(), start + 29 * day)).outcome).toBe('replayed')
    expect((await rotate(store, token, id(), { now: start + 29 * day })).outcome).toBe('revoked')
  })

  test('V15 the sealed successor is forgotten when the grace time is over, and the retry is a replay', async () => {
    const store = await fresh()
    const { token } = await makeToken(store)
    await rotate(store, token)
    await store.sweep(start + 30_000)
    expect((await rotate(store, token, id(), { now: start + 1 })).outcome).toBe('replayed')
  })

  test('what has expired is gone, also in numbers beyond one batch; the numbers of changes go on', async () => {
    const store = await fresh()
    const user = await addUser(store)
    for (let count = 0; count < 20; count += 1) {
      const { token } = await makeToken(store)
      let last = token
      for (let depth = 0; depth < 30; depth += 1) {
        const next = id()
        await rotate(store, last, next)
        last = next
      }
      await rotate(store, token, id(), { graceMs: 0 })
    }
    const session = { hash: id(), userId: user, signedInAt: start, expiresAt: start + hour }
    await store.sessions.create({ ...session, now: start })
    await store.clients.saveDocument({
      url: 'u',
      body: '',
      etag: undefined,
      fetchedAt: start,
      freshUntil: start,
    })
    await store.users.createOwnerLink({ hash: 'link', expiresAt: start + minute, now: start })
    const number = await store.changes.lastNumber()
    expect(number).toBe(41)

    await store.sweep(start + 31 * day)
    expect(await store.grants.list({})).toEqual([])
    expect(await store.changes.listAfter(0, 1000)).toEqual([])
    expect(await store.changes.lastNumber()).toBe(number)
    expect(await store.sessions.load(session.hash, start)).toBeUndefined()
    expect(await store.clients.loadDocument('u')).toBeUndefined()
    expect(await store.users.isOwnerLinkAlive('link', start)).toBe(false)
    expect(await store.users.list()).toHaveLength(21)
    await store.users.setDisabled(user, true, start + 31 * day)
    expect(await store.changes.listAfter(0, 10)).toMatchObject([{ number: number + 1, subject: user }])
  })

  test('V15 sweeping again and again while tokens are refreshed loses none and revives none', async () => {
    const store = await fresh()
    const { token } = await makeToken(store)
    const dead = await makeToken(store)
    await store.grants.revoke(dead.grant, 'test', start)
    let last = token
    for (let step = 1; step <= 40; step += 1) {
      const now = start + step * day
      const next = id()
      const [rotation] = await Promise.all([rotate(store, last, next, { now }), store.sweep(now)])
      expect(rotation.outcome).toBe('rotated')
      expect(['revoked', 'unknown']).toContain((await rotate(store, dead.token, id(), { now })).outcome)
      last = next
    }
  })

  test('ping answers while the store is open, and fails after it was closed', async () => {
    const store = await fresh()
    await store.ping()
    await store.close()
    await store.close()
    await expect(store.ping()).rejects.toThrow()
  })
}
