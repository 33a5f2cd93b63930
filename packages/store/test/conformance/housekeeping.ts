import { expect, test } from 'vitest'
import type { Subject } from '../conformance.ts'
import {
  addUser,
  beginSession,
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
    const session = await beginSession(store, user)
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
    expect(await store.users.loadLoginBlock('key', start)).toBe(1000)

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
    const session = await beginSession(store, user)
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

  test('a grant goes with its last refresh token or unused code, whenever sweeps passed it before', async () => {
    const store = await fresh()
    const kept = await makeToken(store)
    const unused = await makeCode(store)
    const ending = await makeToken(store)
    const plain = await makeCode(store)
    const redeemed = await store.grants.redeemCode({
      codeHash: plain.code,
      refreshToken: undefined,
      now: start,
    })
    expect(redeemed.outcome).toBe('redeemed')
    await store.sweep(start + hour)
    expect(await store.grants.load(unused.grant)).toBeDefined()
    expect(await store.grants.load(plain.grant)).toBeDefined()

    await store.sweep(start + 2 * hour)
    expect(await store.grants.load(unused.grant)).toBeUndefined()
    expect(await store.grants.load(plain.grant)).toBeUndefined()
    expect(await store.grants.load(ending.grant)).toBeDefined()
    await rotate(store, kept.token, id(), { now: start + day })

    await store.sweep(start + 30 * day + 2 * hour)
    expect(await store.grants.load(ending.grant)).toBeUndefined()
    expect(await store.grants.load(kept.grant)).toBeDefined()
    await store.sweep(start + 32 * day)
    expect(await store.grants.load(kept.grant)).toBeUndefined()
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

  test('a self-registered client that nobody uses is forgotten after 30 days; all others stay', async () => {
    const store = await fresh()
    const register = async (kind: 'self-registered' | 'pre-registered', now = start): Promise<string> => {
      const client = id()
      await store.clients.add({ id: client, kind, metadata: '{}', now })
      return client
    }
    const unused = await register('self-registered')
    const kept = [await register('pre-registered'), await register('self-registered', start + 1)]
    const [granted, declined, asking] = [
      await register('self-registered'),
      await register('self-registered'),
      await register('self-registered'),
    ]
    const { code } = await makeCode(store, granted)
    await redeem(store, code, id())
    const user = await addUser(store)
    const key = { userId: user, clientId: declined, redirectHost: 'h', resource: 'r' }
    const transaction = await beginTransaction(store, user, declined)
    const consents = [{ key, scope: 's', decision: 'declined' as const }]
    await store.transactions.finishWithDenial({ id: transaction, consents, now: start })
    await store.transactions.create({
      id: id(),
      clientId: asking,
      request: '{}',
      browserHash: id(),
      formHash: id(),
      expiresAt: start + 31 * day,
      now: start,
    })
    const remaining = async () => new Set((await store.clients.list()).map((client) => client.id))
    await store.sweep(start + 29 * day)
    expect(await remaining()).toEqual(new Set([unused, ...kept, granted, declined, asking]))
    await store.sweep(start + 30 * day)
    expect(await remaining()).toEqual(new Set([...kept, granted, declined, asking]))
    // With the end of its grant and its request, those too.
    await store.sweep(start + 31 * day)
    expect(await remaining()).toEqual(new Set([kept[0], declined]))
  })

  test('ping answers while the store is open, and fails after it was closed', async () => {
    const store = await fresh()
    await store.ping()
    await store.close()
    await store.close()
    await expect(store.ping()).rejects.toThrow()
  })
}
