import { expect, test } from 'vitest'
import type { Subject } from '../conformance.ts'
import {
  addUser,
  beginTransaction,
  day,
  hour,
  id,
  makeFinish,
  makeToken,
  readTrail,
  redeem,
  rotate,
  start,
} from '../scene.ts'

export function accountConformance({ store }: Subject): void {
  test('a no counts until the scope is granted, wherever the answer goes, and each time guards hear of it', async () => {
    const user = await addUser(store())
    const resource = 'https://mcp.example/notes/mcp'
    const key = { userId: user, clientId: 'client', redirectHost: 'host', resource }
    const before = await store().changes.lastNumber()
    const denied = await beginTransaction(store(), user)
    const consents = [{ key, scope: 'notes:write', decision: 'declined' as const }]
    await store().transactions.finishWithDenial({ id: denied, consents, now: start })
    const listed = { userId: user, clientId: 'client', resource, scope: 'notes:write', at: start }
    const list = store().transactions.listDeclined
    expect(await list({ userId: user, since: start - 1 })).toEqual([listed])
    expect(await list({ since: start - 1 })).toContainEqual(listed)
    expect(await list({ userId: user, since: start })).toEqual([])
    await store().transactions.finishWithCode(makeFinish(await beginTransaction(store(), user), user))
    expect(await list({ userId: user, since: start - 1 })).toEqual([])
    const changes = await store().changes.listAfter(before, 10)
    expect(changes.map(({ kind, subject, until }) => [kind, subject, until])).toEqual([
      ['consents-changed', user, start + day],
      ['consents-changed', user, start + day],
    ])
  })

  test('a grant gets other scopes: what goes counts as declined, what comes is no decline any more', async () => {
    const { user, grant } = await makeToken(store())
    const stranger = await addUser(store())
    const change = { id: grant, userId: user, now: start + 1 }
    const scopesOf = async (): Promise<readonly string[] | undefined> =>
      (await store().grants.load(grant))?.scopes
    const declined = async (): Promise<string[]> =>
      (await store().transactions.listDeclined({ userId: user, since: start })).map(({ scope }) => scope)

    const before = await readTrail(store())
    expect(await store().grants.changeScopes({ ...change, userId: stranger, scopes: [] })).toBe(false)
    expect(await store().grants.changeScopes({ ...change, scopes: ['notes:read', 'notes:write'] })).toBe(true)
    expect(await readTrail(store())).toEqual(before)

    expect(await store().grants.changeScopes({ ...change, scopes: ['notes:read', 'notes:share'] })).toBe(true)
    expect([await scopesOf(), await declined()]).toEqual([['notes:read', 'notes:share'], ['notes:write']])
    const after = await readTrail(store())
    expect(after.changes.slice(before.changes.length)).toEqual([
      `consents-changed ${user}`,
      `grant-changed ${grant}`,
    ])
    expect(after.events.slice(before.events.length)).toEqual(['grant.changed'])
    expect(await store().grants.changeScopes({ ...change, scopes: ['notes:write'] })).toBe(true)
    expect((await declined()).toSorted()).toEqual(['notes:read', 'notes:share'])

    await store().users.setDisabled(user, true, start)
    expect(await store().grants.changeScopes({ ...change, scopes: ['notes:read'] })).toBe(false)
    expect(await store().grants.revokeAndForget({ ...change, because: 'by the user' })).toBe(false)
  })

  test('C31 the user revokes a grant and with it every yes to its client; what is over is not listed', async () => {
    const user = await addUser(store())
    const stranger = await addUser(store())
    const key = { userId: user, clientId: 'client', redirectHost: 'host', resource: 'other resource' }
    const finish = makeFinish(await beginTransaction(store(), user), user)
    await store().transactions.finishWithCode({
      ...finish,
      consents: [{ key, scope: 'read', decision: 'granted' }],
    })
    const [token, successor] = [id(), id()]
    await redeem(store(), finish.code.hash, token)
    await rotate(store(), token, successor, { now: start + 5 })
    expect(await store().grants.listInUse(user, start + 2 * hour)).toMatchObject([
      { id: finish.grant.id, lastRefreshedAt: start + 5, signedInAt: start },
    ])
    expect(await store().grants.listInUse(user, start + 31 * day)).toEqual([])
    const revocation = { id: finish.grant.id, because: 'by the user', now: start + 6 }
    expect(await store().grants.revokeAndForget({ ...revocation, userId: stranger })).toBe(false)
    expect(await store().transactions.loadConsents(key)).toHaveLength(1)
    expect(await store().grants.revokeAndForget({ ...revocation, userId: user })).toBe(true)
    expect(await store().transactions.loadConsents(key)).toEqual([])
    expect(await store().grants.listInUse(user, start + 7)).toEqual([])
    expect((await rotate(store(), successor, id(), { now: start + 7 })).outcome).toBe('revoked')
    expect(await store().grants.revokeAndForget({ ...revocation, userId: user })).toBe(false)
  })
}
