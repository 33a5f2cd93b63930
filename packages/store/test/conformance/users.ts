import { expect, test } from 'vitest'
import type { Subject } from '../conformance.ts'
import {
  addUser,
  beginSession,
  beginTransaction,
  hour,
  id,
  makeCode,
  makeToken,
  minute,
  passwordHash,
  readTrail,
  redeem,
  rotate,
  start,
} from '../scene.ts'

export function userConformance({ store, fresh }: Subject): void {
  const newUser = (email = `${id()}@example.com`) => ({ id: id(), email, passwordHash: 'argon' })

  test('owner link: claimed once, and the owner stays the only one', async () => {
    const own = await fresh()
    expect(await own.users.hasOwner()).toBe(false)
    await own.users.createOwnerLink({ hash: 'first', expiresAt: start + minute, now: start })
    expect(await own.users.isOwnerLinkAlive('first', start)).toBe(true)
    const user = newUser()
    expect(await own.users.claimOwner({ linkHash: 'first', user, now: start })).toBe('made')
    expect(await own.users.claimOwner({ linkHash: 'first', user: newUser(), now: start })).toBe(
      'link-invalid',
    )
    expect(await own.users.isOwnerLinkAlive('first', start)).toBe(false)
    await own.users.createOwnerLink({ hash: 'second', expiresAt: start + minute, now: start })
    expect(await own.users.claimOwner({ linkHash: 'second', user: newUser(), now: start })).toBe(
      'owner-exists',
    )
    expect((await own.users.list()).map(({ id, role }) => [id, role])).toEqual([[user.id, 'owner']])
    expect(await own.users.hasOwner()).toBe(true)
  })

  test('owner link: expired, replaced or unknown links make nobody', async () => {
    const own = await fresh()
    const claim = (linkHash: string, now: number) => own.users.claimOwner({ linkHash, user: newUser(), now })
    await own.users.createOwnerLink({ hash: 'replaced', expiresAt: start + minute, now: start })
    await own.users.createOwnerLink({ hash: 'alive', expiresAt: start + minute, now: start })
    expect(await claim('replaced', start)).toBe('link-invalid')
    expect(await claim('unknown', start)).toBe('link-invalid')
    expect(await claim('alive', start + minute)).toBe('link-invalid')
    expect(await own.users.list()).toEqual([])
    expect(await claim('alive', start + minute - 1)).toBe('made')
  })

  test('owner link: a taken e-mail does not cost the link', async () => {
    const own = await fresh()
    await own.users.add({ ...newUser('taken@example.com'), now: start })
    await own.users.createOwnerLink({ hash: 'link', expiresAt: start + minute, now: start })
    const claim = (linkHash: string, email: string) =>
      own.users.claimOwner({ linkHash, user: newUser(email), now: start })
    expect(await claim('unknown', 'taken@example.com')).toBe('link-invalid')
    expect(await claim('link', 'taken@example.com')).toBe('email-taken')
    expect(await claim('link', 'free@example.com')).toBe('made')
  })

  test('an e-mail belongs to one user', async () => {
    const user = newUser()
    expect(await store().users.add({ ...user, now: start })).toBe(true)
    expect(await store().users.add({ ...newUser(user.email), now: start })).toBe(false)
    expect(await store().users.loadByEmail(user.email)).toEqual({
      ...user,
      role: 'user',
      createdAt: start,
      disabledAt: undefined,
    })
    expect(await store().users.loadById(user.id)).toEqual(await store().users.loadByEmail(user.email))
    expect(await store().users.loadById('nobody')).toBeUndefined()
  })

  test('C31 disabling a user ends grants, codes, sessions and sign-ins; enabling brings nothing back', async () => {
    const { user, grant, token } = await makeToken(store())
    const other = await makeToken(store())
    const transaction = await beginTransaction(store(), user)
    const session = await beginSession(store(), user)
    expect(await store().sessions.load(session.hash, start)).toEqual(session)
    const owner = await store().users.loadById(user)
    expect(await store().sessions.loadWithUser(session.hash, start)).toEqual({ session, user: owner })

    expect(await store().users.setDisabled(user, true, start + 1)).toBe(true)
    expect((await store().users.loadById(user))?.disabledAt).toBe(start + 1)
    const isEverythingDead = async () => {
      expect((await store().grants.load(grant))?.revokedBecause).toBe('user-disabled')
      expect(await rotate(store(), token)).toEqual({ outcome: 'revoked' })
      expect(await store().sessions.load(session.hash, start)).toBeUndefined()
      expect(await store().sessions.loadWithUser(session.hash, start)).toBeUndefined()
      expect(await store().transactions.load(transaction, start)).toBeUndefined()
    }
    await isEverythingDead()
    const { changes } = await readTrail(store())
    expect(changes).toContain(`user-disabled ${user}`)
    expect(changes).toContain(`grant-revoked ${grant}`)

    const late = { ...session, hash: 'while disabled', passwordHash, now: start }
    expect(await store().sessions.create(late)).toBe(false)
    expect(await store().users.setDisabled(user, false, start + 2)).toBe(true)
    expect((await store().users.loadById(user))?.disabledAt).toBeUndefined()
    await isEverythingDead()
    expect(await store().sessions.load('while disabled', start)).toBeUndefined()
    expect((await readTrail(store())).changes.at(-1)).toBe(`user-enabled ${user}`)
    expect((await rotate(store(), other.token)).outcome).toBe('rotated')
  })

  test('C31 a code that was not yet redeemed dies with its user', async () => {
    const { user, code } = await makeCode(store())
    await store().users.setDisabled(user, true, start)
    expect((await redeem(store(), code)).outcome).toBe('revoked')
    await store().users.setDisabled(user, false, start)
    expect((await redeem(store(), code)).outcome).toBe('revoked')
  })

  test('a session lives until its end, or until it is ended', async () => {
    const user = await addUser(store())
    const session = await beginSession(store(), user)
    expect(await store().sessions.load(session.hash, start + hour - 1)).toEqual(session)
    expect(await store().sessions.load(session.hash, start + hour)).toBeUndefined()
    expect(await store().sessions.load(id(), start)).toBeUndefined()
    const signedIn = { session, user: await store().users.loadById(user) }
    expect(await store().sessions.loadWithUser(session.hash, start + hour - 1)).toEqual(signedIn)
    expect(await store().sessions.loadWithUser(session.hash, start + hour)).toBeUndefined()
    expect(await store().sessions.loadWithUser(id(), start)).toBeUndefined()
    await store().sessions.end(session.hash, start)
    expect(await store().sessions.load(session.hash, start)).toBeUndefined()
    expect(await store().sessions.loadWithUser(session.hash, start)).toBeUndefined()
    expect((await readTrail(store())).events.slice(-2)).toEqual(['session.begun', 'session.ended'])
    await store().sessions.end(session.hash, start)
    expect((await readTrail(store())).events.slice(-2)).toEqual(['session.begun', 'session.ended'])
  })

  test('C31 a new password ends what the old one had opened', async () => {
    const { user, grant, token } = await makeToken(store())
    const other = await makeToken(store())
    const session = await beginSession(store(), user)
    expect(await store().users.setPassword(user, 'new argon', start)).toBe(true)
    expect((await store().users.loadById(user))?.passwordHash).toBe('new argon')
    expect(await rotate(store(), token)).toEqual({ outcome: 'revoked' })
    expect(await store().sessions.load(session.hash, start)).toBeUndefined()
    expect((await readTrail(store())).changes).toContain(`grant-revoked ${grant}`)
    expect((await rotate(store(), other.token)).outcome).toBe('rotated')
  })

  test('whoever showed a password that is no longer the user’s gets neither a sign-in nor a session', async () => {
    const user = await addUser(store())
    await store().users.setPassword(user, 'new argon', start)
    const session = { hash: id(), userId: user, signedInAt: start, expiresAt: start + hour, now: start }
    const before = await readTrail(store())
    expect(await store().sessions.create({ ...session, passwordHash })).toBe(false)
    expect(await store().sessions.load(session.hash, start)).toBeUndefined()
    expect(await readTrail(store())).toEqual(before)
    expect(await store().sessions.create({ ...session, passwordHash: 'new argon' })).toBe(true)
    expect(await store().sessions.load(session.hash, start)).toBeDefined()
  })

  test('what is already so is not written again, and nobody can be disabled who is not there', async () => {
    const user = await addUser(store())
    const before = await readTrail(store())
    expect(await store().users.setDisabled(user, false, start)).toBe(true)
    expect(await store().users.setDisabled('nobody', true, start)).toBe(false)
    expect(await store().users.setPassword('nobody', 'argon', start)).toBe(false)
    expect(await readTrail(store())).toEqual(before)
  })

  test('login failures: four are free, then the block doubles up to 15 minutes', async () => {
    const key = id()
    const blocks: number[] = []
    for (let count = 1; count <= 18; count += 1) {
      expect(await store().users.countLoginFailure(key, start)).toBe(count)
      blocks.push(await store().users.loadLoginBlock(key, start))
    }
    expect(blocks.slice(0, 8)).toEqual([0, 0, 0, 0, 1000, 2000, 4000, 8000])
    expect(blocks.slice(13)).toEqual([512_000, 15 * minute, 15 * minute, 15 * minute, 15 * minute])
    expect(await store().users.loadLoginBlock(id(), start)).toBe(0)
    expect(await store().users.loadLoginBlock(key, start + 15 * minute - 1)).toBe(1)
    expect(await store().users.loadLoginBlock(key, start + 15 * minute)).toBe(0)
    // A clock that was ahead when it was counted, by however much, keeps nobody out for longer than a block lasts.
    expect(await store().users.loadLoginBlock(key, start - 1)).toBe(0)
  })

  test('login failures: forgotten an hour after the last one, and by a success', async () => {
    const key = id()
    for (let count = 1; count <= 6; count += 1) await store().users.countLoginFailure(key, start)
    expect(await store().users.countLoginFailure(key, start + hour - 1)).toBe(7)
    expect(await store().users.countLoginFailure(key, start + 2 * hour - 1)).toBe(1)
    expect(await store().users.loadLoginBlock(key, start + 2 * hour - 1)).toBe(0)
    for (let count = 2; count <= 6; count += 1) await store().users.countLoginFailure(key, start + 2 * hour)
    await store().users.clearLoginFailures(key)
    expect(await store().users.loadLoginBlock(key, start + 2 * hour)).toBe(0)
    expect(await store().users.countLoginFailure(key, start + 2 * hour)).toBe(1)
  })
}
