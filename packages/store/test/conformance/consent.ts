import type { ConsentKey } from '@warder/store'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Subject } from '../conformance.ts'
import {
  addUser,
  beginSession,
  beginTransaction,
  id,
  makeFinish,
  minute,
  passwordHash,
  readTrail,
  start,
} from '../scene.ts'

export function consentConformance({ store }: Subject): void {
  const create = (transaction: string, clientId: string, expiresAt = start + minute, peer = 'peer') =>
    store().transactions.create({
      id: transaction,
      clientId,
      peer,
      request: '{"a":1}',
      browserHash: 'browser',
      formHash: 'form',
      expiresAt,
      now: start,
    })

  test('a transaction is alive until it ends or expires', async () => {
    const transaction = id()
    await create(transaction, id())
    expect(await store().transactions.load(transaction, start + minute - 1)).toEqual({
      id: transaction,
      request: '{"a":1}',
      browserHash: 'browser',
      formHash: 'form',
      userId: undefined,
      signedInAt: undefined,
      createdAt: start,
      expiresAt: start + minute,
    })
    expect(await store().transactions.load(transaction, start + minute)).toBeUndefined()
    expect(await store().transactions.finishWithDenial({ id: transaction, consents: [], now: start })).toBe(
      true,
    )
    expect(await store().transactions.load(transaction, start)).toBeUndefined()
    expect(await store().transactions.finishWithDenial({ id: transaction, consents: [], now: start })).toBe(
      false,
    )
  })

  test('a client has at most 50 live transactions of a peer: the oldest are dropped, other clients keep theirs', async () => {
    const client = id()
    const [other, busy] = [id(), id()]
    await create(other, id())
    const ids = Array.from({ length: 53 }, id)
    for (const transaction of ids) await create(transaction, client)
    for (let count = 0; count < 50; count += 1) await create(id(), busy)
    const last = id()
    await create(last, client)
    ids.push(last)
    const alive: boolean[] = []
    for (const transaction of ids) {
      alive.push((await store().transactions.load(transaction, start)) !== undefined)
    }
    expect(alive).toEqual(ids.map((_, index) => index >= 4))
    expect(await store().transactions.load(other, start)).toBeDefined()
  })

  test('U09 whoever floods a client drops his own transactions, also with clients that he made up', async () => {
    const client = id()
    const honest = id()
    await create(honest, client, start + minute, 'honest peer')
    for (let count = 0; count < 60; count += 1) await create(id(), client, start + minute, 'flood')
    expect(await store().transactions.load(honest, start)).toBeDefined()
    const ids = Array.from({ length: 502 }, id)
    for (const [at, transaction] of ids.entries())
      await create(transaction, `client ${at % 20}`, start + minute, 'busy')
    const alive = await Promise.all(
      ids.map(async (one) => (await store().transactions.load(one, start)) !== undefined),
    )
    expect(alive).toEqual(ids.map((_, at) => at >= 2))
    expect(await store().transactions.load(honest, start)).toBeDefined()
  })

  test('signing in changes both secrets, and only for the browser that began', async () => {
    const user = await addUser(store())
    const disabled = await addUser(store())
    await store().users.setDisabled(disabled, true, start)
    const transaction = id()
    await create(transaction, id())
    const change = {
      id: transaction,
      userId: user,
      browserHash: 'browser',
      newBrowserHash: 'new browser',
      newFormHash: 'new form',
      now: start + 1,
    }
    expect(await store().transactions.signIn({ ...change, browserHash: 'other' })).toBe(false)
    expect(await store().transactions.signIn({ ...change, now: start + minute })).toBe(false)
    expect(await store().transactions.signIn({ ...change, userId: disabled })).toBe(false)
    expect(await store().transactions.signIn({ ...change, passwordHash: 'another' })).toBe(false)
    expect((await store().transactions.load(transaction, start))?.userId).toBeUndefined()
    expect(await store().transactions.signIn({ ...change, passwordHash })).toBe(true)
    expect(await store().transactions.load(transaction, start)).toMatchObject({
      userId: user,
      signedInAt: start + 1,
      browserHash: 'new browser',
      formHash: 'new form',
    })
    expect(await store().transactions.signIn(change)).toBe(false)
  })

  test('a transaction begins with the user of a live session, unless that user is disabled', async () => {
    const begin = async (session: string, now = start) => {
      const transaction = id()
      await store().transactions.create({
        id: transaction,
        clientId: 'client',
        request: '{}',
        browserHash: 'browser',
        formHash: 'form',
        session,
        expiresAt: now + minute,
        now,
      })
      return store().transactions.load(transaction, now)
    }
    const bound = { browserHash: 'browser', formHash: 'form' }
    const nobody = { ...bound, userId: undefined, signedInAt: undefined }
    const user = await addUser(store())
    const session = await beginSession(store(), user)
    const { hash, signedInAt, expiresAt } = session
    expect(await begin(hash)).toMatchObject({ ...bound, userId: user, signedInAt })
    expect((await readTrail(store())).events.at(-1)).toBe('transaction.signed-in')
    expect(await begin(hash, expiresAt - 1)).toMatchObject({ ...bound, userId: user, signedInAt })
    expect(await begin(hash, expiresAt)).toMatchObject(nobody)
    expect(await begin(id())).toMatchObject(nobody)
    await store().sessions.end(hash, start)
    expect(await begin(hash)).toMatchObject(nobody)
    const again = await beginSession(store(), user)
    await store().users.setDisabled(user, true, start)
    const { events } = await readTrail(store())
    expect(await begin(again.hash)).toMatchObject(nobody)
    expect((await readTrail(store())).events).toEqual(events)
  })

  test('F13 allow clicked twice makes one grant and one code', async () => {
    const user = await addUser(store())
    const transaction = await beginTransaction(store(), user)
    const finishes = Array.from({ length: 10 }, () => makeFinish(transaction, user))
    const outcomes = await Promise.all(finishes.map((finish) => store().transactions.finishWithCode(finish)))
    expect(outcomes.filter(Boolean)).toHaveLength(1)
    const winner = finishes[outcomes.indexOf(true)]!
    expect((await store().grants.list({ userId: user })).map((grant) => grant.id)).toEqual([winner.grant.id])
    for (const { code } of finishes) {
      const found = await store().grants.loadCode(code.hash)
      expect(found?.grant.id).toBe(code === winner.code ? winner.grant.id : undefined)
    }
  })

  test('F13 nothing is made without a signed-in user, for another user or client, after the end, for a disabled user', async () => {
    const user = await addUser(store())
    const stranger = await addUser(store())
    const anonymous = id()
    await create(anonymous, 'client')
    const signedIn = await beginTransaction(store(), user)
    const refused = [
      makeFinish(anonymous, user),
      makeFinish(signedIn, stranger),
      makeFinish(signedIn, user, 'other client'),
      { ...makeFinish(signedIn, user), now: start + 10 * minute },
    ]
    for (const finish of refused) expect(await store().transactions.finishWithCode(finish)).toBe(false)
    expect(await store().transactions.load(signedIn, start)).toBeDefined()
    await store().users.setDisabled(user, true, start)
    expect(await store().transactions.finishWithCode(makeFinish(signedIn, user))).toBe(false)
    expect(await store().grants.list({ userId: user })).toEqual([])
    expect(await store().grants.list({ userId: stranger })).toEqual([])
    const own = await beginTransaction(store(), stranger)
    expect(await store().transactions.finishWithCode(makeFinish(own, stranger))).toBe(true)
  })

  test('what fails half-way leaves nothing: the transaction lives, without grant, consent or event', async () => {
    const user = await addUser(store())
    const stranger = await addUser(store())
    const transaction = await beginTransaction(store(), user)
    const finish = makeFinish(transaction, user)
    const key = { userId: user, clientId: 'client', redirectHost: 'host', resource: 'resource' }
    const before = await readTrail(store())
    for (const foreign of [
      { ...key, userId: stranger },
      { ...key, clientId: 'other client' },
    ]) {
      const failing = store().transactions.finishWithCode({
        ...finish,
        consents: [
          { key, scope: 'a', decision: 'granted' },
          { key: foreign, scope: 'a', decision: 'granted' },
        ],
      })
      await expect(failing).rejects.toThrow('belongs to the user')
    }
    expect(await readTrail(store())).toEqual(before)
    expect(await store().grants.load(finish.grant.id)).toBeUndefined()
    expect(await store().transactions.loadConsents(key)).toEqual([])
    expect(await store().transactions.finishWithCode(finish)).toBe(true)
  })

  test('the last word on a scope is remembered, granted or declined', async () => {
    const user = await addUser(store())
    const key = { userId: user, clientId: 'client', redirectHost: 'host', resource: 'resource' }
    const first = makeFinish(await beginTransaction(store(), user), user)
    await store().transactions.finishWithCode({
      ...first,
      consents: [
        { key, scope: 'read', decision: 'granted' },
        { key, scope: 'write', decision: 'declined' },
      ],
    })
    const second = await beginTransaction(store(), user)
    await store().transactions.finishWithDenial({
      id: second,
      consents: [{ key, scope: 'read', decision: 'declined' }],
      now: start + 5,
    })
    expect(await store().transactions.loadConsents(key)).toEqual([
      { scope: 'read', decision: 'declined', at: start + 5, clientDigest: '' },
      { scope: 'write', decision: 'declined', at: start, clientDigest: '' },
    ])
  })

  test('E23 a consent keeps what the client was when it was said', async () => {
    const user = await addUser(store())
    const key = { userId: user, clientId: 'client', redirectHost: 'host', resource: 'resource' }
    for (const clientDigest of ['one', 'two']) {
      const finish = makeFinish(await beginTransaction(store(), user), user)
      const consents = [{ key, scope: 'read', decision: 'granted' as const, clientDigest }]
      expect(await store().transactions.finishWithCode({ ...finish, consents })).toBe(true)
      expect(await store().transactions.loadConsents(key)).toMatchObject([{ scope: 'read', clientDigest }])
    }
  })

  test('a new password, a disabled user, an ended client: every yes is forgotten, every no stays', async () => {
    const sayBoth = async () => {
      const user = await addUser(store())
      const clientId = id()
      const key = { userId: user, clientId, redirectHost: 'host', resource: 'resource' }
      const finish = makeFinish(await beginTransaction(store(), user, clientId), user, clientId)
      const consents = [
        { key, scope: 'read', decision: 'granted' as const },
        { key, scope: 'write', decision: 'declined' as const },
      ]
      expect(await store().transactions.finishWithCode({ ...finish, consents })).toBe(true)
      return key
    }
    const remembered = async (key: ConsentKey) =>
      (await store().transactions.loadConsents(key)).map(({ scope }) => scope)
    const [reset, disabled, ended, kept] = [
      await sayBoth(),
      await sayBoth(),
      await sayBoth(),
      await sayBoth(),
    ]
    await store().users.setPassword(reset.userId, 'new argon', start)
    await store().users.setDisabled(disabled.userId, true, start)
    await store().clients.revoke(ended.clientId, start)
    for (const key of [reset, disabled, ended]) expect(await remembered(key)).toEqual(['write'])
    expect(await remembered(kept)).toEqual(['read', 'write'])
  })

  test('PX-05 PX-14 V14 consents of different keys never meet, whatever the strings', async () => {
    const users = [await addUser(store()), await addUser(store())] as const
    const odd = fc.oneof(
      fc.constantFrom(
        '',
        ':',
        'a:b',
        'a',
        'b',
        '\u{1}',
        'a\u{1}b',
        '\u{1F512}',
        'é',
        'e\u0301',
        'A',
        "'",
        '%',
        '__proto__',
      ),
      fc.string({ unit: 'grapheme', maxLength: 4 }).map((text) => text.replaceAll('\0', '\u{1}')),
      fc.constant('x'.repeat(10_000)),
    )
    const keys = fc.record({
      userId: fc.constantFrom(...users),
      clientId: odd,
      redirectHost: odd,
      resource: odd,
    })
    const said = new Map<string, string>()
    const property = fc.asyncProperty(keys, keys, odd, async (key: ConsentKey, other: ConsentKey, scope) => {
      const transaction = await beginTransaction(store(), key.userId, key.clientId)
      await store().transactions.finishWithDenial({
        id: transaction,
        consents: [{ key, scope, decision: 'declined' }],
        now: start,
      })
      for (const one of [key, other]) {
        const name = JSON.stringify([one.userId, one.clientId, one.redirectHost, one.resource])
        if (one === key) said.set(JSON.stringify([name, scope]), scope)
        const expected = [...said]
          .filter(([composed]) => JSON.parse(composed)[0] === name)
          .map(([, word]) => word)
        const found = (await store().transactions.loadConsents(one)).map((consent) => consent.scope)
        expect(found.toSorted()).toEqual(expected.toSorted())
      }
    })
    await fc.assert(property, { numRuns: 60 })
  })

  test('V14 strings that UTF-8 cannot tell apart, or that a database would cut, are refused', async () => {
    for (const text of ['a\ud800', 'a\udfff', 'a\0', 'a\0b', '\0']) {
      await expect(store().users.countLoginFailure(text, start)).rejects.toThrow('well-formed')
      await expect(store().clients.load(text)).rejects.toThrow('well-formed')
    }
    expect(await store().users.countLoginFailure(`a\u{1F512}${id()}`, start)).toBe(1)
  })
}
