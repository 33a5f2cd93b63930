import type { Store } from '@warder/store'
import { expect, test } from 'vitest'
import type { Subject } from '../conformance.ts'
import {
  addUser,
  beginTransaction,
  id,
  makeCode,
  makeFinish,
  readTrail,
  redeem,
  rotate,
  start,
} from '../scene.ts'

export function clientConformance({ store, fresh }: Subject): void {
  const register = async (): Promise<string> => {
    const client = id()
    await store().clients.add({ id: client, kind: 'self-registered', metadata: '{}', now: start })
    return client
  }

  test('D17 revoking a client disables it and ends its grants, codes, tokens and sign-ins, and nobody else’s', async () => {
    const [client, other] = [await register(), await register()]
    const unused = await makeCode(store(), client)
    const used = await makeCode(store(), client)
    const kept = await makeCode(store(), other)
    const [token, keptToken] = [id(), id()]
    await redeem(store(), used.code, token)
    await redeem(store(), kept.code, keptToken)
    const user = await addUser(store())
    const transaction = await beginTransaction(store(), user, client)

    expect(await store().clients.revoke(client, start + 1)).toEqual({ isDisabled: true, endedGrants: 2 })

    expect((await store().clients.load(client))?.disabledAt).toBe(start + 1)
    expect((await redeem(store(), unused.code)).outcome).not.toBe('redeemed')
    expect((await rotate(store(), token)).outcome).not.toBe('rotated')
    expect(await store().transactions.finishWithCode(makeFinish(transaction, user, client))).toBe(false)
    expect(await store().grants.list({ clientId: client, live: true })).toEqual([])
    const { changes } = await readTrail(store())
    for (const { grant } of [unused, used]) expect(changes).toContain(`grant-revoked ${grant}`)
    // The twin: another client of the same moment goes on.
    expect((await store().clients.load(other))?.disabledAt).toBeUndefined()
    expect((await rotate(store(), keptToken)).outcome).toBe('rotated')
  })

  test('a client that a document describes is not disabled, but loses what it has', async () => {
    const url = 'https://client.example/metadata.json'
    const { grant } = await makeCode(store(), url)
    expect(await store().clients.revoke(url, start)).toEqual({ isDisabled: false, endedGrants: 1 })
    expect((await store().grants.load(grant))?.revokedAt).toBe(start)
  })

  test('revoking again, or a client that nobody knows, changes nothing', async () => {
    const own = await fresh()
    await own.clients.add({ id: 'client', kind: 'self-registered', metadata: '{}', now: start })
    await own.clients.revoke('client', start)
    const before = await readTrail(own)
    expect(await own.clients.revoke('client', start + 1)).toEqual({ isDisabled: true, endedGrants: 0 })
    expect(await own.clients.revoke('nobody', start + 1)).toEqual({ isDisabled: false, endedGrants: 0 })
    expect(await readTrail(own)).toEqual(before)
    expect((await own.clients.load('client'))?.disabledAt).toBe(start)
  })

  const addMany = async (own: Store, count: number, now = start): Promise<string[]> => {
    const ids = Array.from({ length: count }, id)
    for (let at = 0; at < count; at += 100) {
      await Promise.all(
        ids
          .slice(at, at + 100)
          .map((client) => own.clients.add({ id: client, kind: 'self-registered', metadata: '{}', now })),
      )
    }
    return ids
  }

  test('D14 of clients that nobody consented to 2,000 stay, the newest; what somebody uses is never dropped', async () => {
    const own = await fresh()
    const [granted = '', asking = '', declined = '', unused = ''] = await addMany(own, 4)
    const entered = id()
    await own.clients.add({ id: entered, kind: 'pre-registered', metadata: '{}', now: start })
    await makeCode(own, granted)
    const user = await addUser(own)
    await beginTransaction(own, user, asking)
    const key = { userId: user, clientId: declined, redirectHost: 'h', resource: 'r' }
    const transaction = await beginTransaction(own, user, declined)
    const consents = [{ key, scope: 's', decision: 'declined' as const }]
    await own.transactions.finishWithDenial({ id: transaction, consents, now: start })
    const before = await readTrail(own)
    await addMany(own, 1_999, start + 1)
    expect((await own.clients.load(unused))?.id).toBe(unused)
    const [newest = ''] = await addMany(own, 1, start + 2)
    expect(await own.clients.load(unused)).toBeUndefined()
    for (const kept of [granted, asking, declined, entered, newest]) {
      expect((await own.clients.load(kept))?.id).toBe(kept)
    }
    expect(await own.clients.list()).toHaveLength(2_004)
    expect(await readTrail(own)).toEqual(before)
  })

  test('a client that registered itself is an event with its first grant, and with no other', async () => {
    const own = await fresh()
    const [client = ''] = await addMany(own, 1)
    const added = async () =>
      (await own.events.listAfter(0, 100)).filter(({ kind }) => kind === 'client.added')
    expect(await added()).toEqual([])
    await makeCode(own, client)
    await makeCode(own, client)
    const details = { client, kind: 'self-registered' }
    expect((await added()).map((event) => JSON.parse(event.details))).toEqual([details])
    await own.clients.add({ id: 'entered', kind: 'pre-registered', metadata: '{}', now: start })
    expect(await added()).toHaveLength(2)
  })
}
