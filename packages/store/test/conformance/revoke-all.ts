import { expect, test } from 'vitest'
import type { Subject } from '../conformance.ts'
import {
  addUser,
  beginSession,
  beginTransaction,
  makeCode,
  makeFinish,
  makeToken,
  minute,
  redeem,
  rotate,
  start,
} from '../scene.ts'

export function revokeAllConformance({ fresh }: Subject): void {
  test('V11 everything that could be used is ended: codes, tokens, sign-ins, sessions, links, every remembered yes', async () => {
    const store = await fresh()
    const used = await makeToken(store)
    const unused = await makeCode(store)
    const user = await addUser(store)
    const key = { userId: user, clientId: 'client', redirectHost: 'client.example', resource: 'r' }
    await store.transactions.finishWithCode({
      ...makeFinish(await beginTransaction(store, user), user),
      consents: [
        { key, scope: 'notes:read', decision: 'granted' },
        { key, scope: 'notes:write', decision: 'declined' },
      ],
    })
    const session = await beginSession(store, user)
    await store.users.createOwnerLink({ hash: 'link', expiresAt: start + minute, now: start })
    const finish = makeFinish(await beginTransaction(store, user), user)
    const ended = (await store.grants.list({ live: true })).map((grant) => grant.id)
    const number = await store.changes.lastNumber()

    expect(await store.grants.revokeAll({ because: 'restored', now: start })).toBe(3)

    expect(await store.grants.list({ live: true })).toEqual([])
    expect((await store.grants.load(used.grant))?.revokedBecause).toBe('restored')
    expect(await rotate(store, used.token)).toEqual({ outcome: 'revoked' })
    expect((await redeem(store, unused.code)).outcome).toBe('revoked')
    expect(await store.transactions.finishWithCode(finish)).toBe(false)
    expect(await store.sessions.load(session.hash, start)).toBeUndefined()
    expect(await store.users.isOwnerLinkAlive('link', start)).toBe(false)
    expect(await store.transactions.loadConsents(key)).toMatchObject([
      { scope: 'notes:write', decision: 'declined' },
    ])
    const changes = await store.changes.listAfter(number, 10)
    expect(changes.map(({ subject }) => subject).toSorted()).toEqual(ended.toSorted())

    // The twin: what is made afterwards lives, and ending all again ends only that.
    const next = await makeToken(store)
    expect((await rotate(store, next.token)).outcome).toBe('rotated')
    expect(await store.grants.revokeAll({ because: 'again', now: start })).toBe(1)
    expect((await store.grants.load(used.grant))?.revokedBecause).toBe('restored')
  })

  test('V11 it ends more than one batch', async () => {
    const store = await fresh()
    for (let count = 0; count < 401; count += 1) await makeCode(store)
    expect(await store.grants.revokeAll({ because: 'restored', now: start })).toBe(401)
    expect(await store.grants.list({ live: true })).toEqual([])
  })
}
