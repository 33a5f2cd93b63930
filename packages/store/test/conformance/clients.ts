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
}
