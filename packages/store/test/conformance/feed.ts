import { expect, test } from 'vitest'
import type { Subject } from '../conformance.ts'
import { hour, id, makeToken, minute, start } from '../scene.ts'

export function feedConformance({ store, fresh }: Subject): void {
  test('changes are numbered without a gap and read in order from any place', async () => {
    const own = await fresh()
    expect(await own.changes.lastNumber()).toBe(0)
    expect(await own.changes.listAfter(0, 10)).toEqual([])
    const made = await Promise.all(Array.from({ length: 5 }, () => makeToken(own)))
    await Promise.all(made.map(({ grant }) => own.grants.revoke(grant, 'test', start + 7)))
    const all = await own.changes.listAfter(0, 100)
    expect(all.map(({ number }) => number)).toEqual(Array.from({ length: 10 }, (_, index) => index + 1))
    expect(await own.changes.lastNumber()).toBe(10)
    expect(await own.changes.listAfter(3, 2)).toEqual(all.slice(3, 5))
    expect(await own.changes.listAfter(10, 2)).toEqual([])
    const revoked = all.slice(5)
    expect(revoked.map(({ subject }) => subject).toSorted()).toEqual(
      made.map(({ grant }) => grant).toSorted(),
    )
    for (const change of revoked) {
      expect(change).toMatchObject({ kind: 'grant-revoked', at: start + 7, until: start + 7 + hour })
    }
  })

  test('V09 an access token is revoked once, for longer than any guard would accept it', async () => {
    const { grant } = await makeToken(store())
    const token = { id: id(), grantId: grant, expiresAt: start + 10 * minute, now: start }
    const before = await store().changes.lastNumber()
    await store().grants.revokeAccessToken(token)
    await store().grants.revokeAccessToken({ ...token, now: start + 1 })
    const changes = await store().changes.listAfter(before, 10)
    expect(changes).toMatchObject([{ kind: 'token-revoked', subject: token.id, at: start }])
    expect(changes[0]!.until).toBeGreaterThan(token.expiresAt + minute)
    expect((await store().grants.load(grant))?.revokedAt).toBeUndefined()
  })

  test('events carry what they are given, and are read in order', async () => {
    const before = (await store().events.listAfter(0, 100_000)).at(-1)?.number ?? 0
    await store().events.record('login.failed', { address: '::1', odd: '"\0\u{1F512}' }, start)
    await store().events.record('login.failed', {}, start + 1)
    const events = await store().events.listAfter(before, 10)
    expect(events.map(({ at, kind, details }) => [at, kind, JSON.parse(details)])).toEqual([
      [start, 'login.failed', { address: '::1', odd: '"\0\u{1F512}' }],
      [start + 1, 'login.failed', {}],
    ])
    expect(await store().events.listAfter(before, 1)).toEqual(events.slice(0, 1))
    expect(await store().events.listAfter(events[0]!.number, 10)).toEqual(events.slice(1))
  })

  test('the first signing key is the only one, whoever comes second', async () => {
    const own = await fresh()
    const key = (kid: string) => ({
      kid,
      algorithm: 'ES256' as const,
      publicJwk: '{}',
      sealedPrivateJwk: 'sealed',
      createdAt: start,
    })
    expect(await own.keys.list()).toEqual([])
    expect(await own.keys.addFirst(key('first'))).toEqual([key('first')])
    expect(await own.keys.addFirst(key('second'))).toEqual([key('first')])
    expect(await own.keys.list()).toEqual([key('first')])
  })

  test('clients and documents are kept as they were given', async () => {
    const client = { id: id(), kind: 'self-registered' as const, metadata: '{"client_name":"\u{1F512}"}' }
    await store().clients.add({ ...client, now: start })
    const stored = { ...client, createdAt: start, disabledAt: undefined }
    expect(await store().clients.load(client.id)).toEqual(stored)
    expect(await store().clients.list()).toContainEqual(stored)
    expect(await store().clients.load('nobody')).toBeUndefined()
    await expect(store().clients.add({ ...client, now: start })).rejects.toThrow()

    const document = {
      url: `https://client.example/${id()}`,
      body: '{}',
      fetchedAt: start,
      freshUntil: start + 1,
    }
    await store().clients.saveDocument({ ...document, etag: '"1"' })
    expect(await store().clients.loadDocument(document.url)).toEqual({ ...document, etag: '"1"' })
    await store().clients.saveDocument({
      ...document,
      body: '{"b":1}',
      etag: undefined,
      freshUntil: start + 9,
    })
    expect(await store().clients.loadDocument(document.url)).toEqual({
      ...document,
      body: '{"b":1}',
      etag: undefined,
      freshUntil: start + 9,
    })
    expect(await store().clients.loadDocument('https://nobody.example/')).toBeUndefined()
  })
}
