import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Subject } from '../conformance.ts'
import { day, id, makeToken, readTrail, rotate, start } from '../scene.ts'
import { familyModel } from './family-model.ts'

export function refreshTokenConformance({ store, reopen }: Subject): void {
  test('a refresh token is rotated, and its child is next', async () => {
    const { grant, token } = await makeToken(store())
    const [child, grandchild] = [id(), id()]
    expect(await rotate(store(), token, child)).toEqual({
      outcome: 'rotated',
      grant: await store().grants.load(grant),
    })
    expect((await store().grants.loadRefreshToken(token))?.usedAt).toBe(start)
    expect((await store().grants.loadRefreshToken(child))?.usedAt).toBeUndefined()
    expect((await rotate(store(), child, grandchild)).outcome).toBe('rotated')
    expect((await rotate(store(), grandchild)).outcome).toBe('rotated')
  })

  test('C22 a token that was rotated is replayed after its child was used: the family is dead', async () => {
    const { grant, token } = await makeToken(store())
    const [child, grandchild] = [id(), id()]
    await rotate(store(), token, child)
    await rotate(store(), child, grandchild)
    const replayed = await rotate(store(), token, id(), { now: start + 1 })
    expect(replayed).toMatchObject({
      outcome: 'replayed',
      grant: { id: grant, revokedBecause: 'refresh-token-replayed' },
    })
    const trail = await readTrail(store())
    expect(trail.changes.at(-1)).toBe(`grant-revoked ${grant}`)
    expect(trail.events.slice(-2)).toEqual(['token.replayed', 'grant.revoked'])
    for (const dead of [token, child, grandchild]) {
      expect(await rotate(store(), dead)).toEqual({ outcome: 'revoked' })
    }
    expect(await readTrail(store())).toEqual(trail)
  })

  test('C23 a lost response: within the grace time the retry gets the same child', async () => {
    const { grant, token } = await makeToken(store())
    const child = id()
    await rotate(store(), token, child)
    for (const now of [start, start + 1, start + 29_999, start - 1]) {
      const other = id()
      expect(await rotate(store(), token, other, { now })).toEqual({
        outcome: 'retried',
        grant: await store().grants.load(grant),
        sealedSuccessor: `sealed ${child}`,
      })
      expect(await store().grants.loadRefreshToken(other)).toBeUndefined()
    }
    expect((await rotate(store(), child)).outcome).toBe('rotated')
  })

  test.each([
    ['later', 30_000],
    ['with the clock set back', -30_000],
  ])('C23 outside of the grace time (%s) the retry is a replay', async (_, distance) => {
    const { token } = await makeToken(store())
    const child = id()
    await rotate(store(), token, child)
    expect((await rotate(store(), token, id(), { now: start + distance })).outcome).toBe('replayed')
    expect(await rotate(store(), child)).toEqual({ outcome: 'revoked' })
  })

  test('C24 a thief who comes first does not stay undetected', async () => {
    const { token } = await makeToken(store())
    const ofThief = id()
    await rotate(store(), token, ofThief)
    expect((await rotate(store(), token, id(), { now: start + day })).outcome).toBe('replayed')
    expect(await rotate(store(), ofThief)).toEqual({ outcome: 'revoked' })
  })

  test('C25 in a chain of 200 the replay of any ancestor kills the family', async () => {
    const ancestors = fc.asyncProperty(fc.nat({ max: 198 }), async (index) => {
      const { grant, token } = await makeToken(store())
      const chain = [token]
      for (let depth = 0; depth < 200; depth += 1) {
        chain.push(id())
        await rotate(store(), chain.at(-2)!, chain.at(-1))
      }
      expect((await rotate(store(), chain[index]!)).outcome).toBe('replayed')
      expect((await store().grants.load(grant))?.revokedAt).toBe(start)
      expect(await rotate(store(), chain.at(-1)!)).toEqual({ outcome: 'revoked' })
    })
    await fc.assert(ancestors, { numRuns: 3, examples: [[0], [198]] })
  })

  test('C26 of 50 refreshes at once exactly one rotates, and its child works', async () => {
    const { token } = await makeToken(store())
    const children = Array.from({ length: 50 }, id)
    const rotations = await Promise.all(children.map((child) => rotate(store(), token, child)))
    const winner = rotations.findIndex(({ outcome }) => outcome === 'rotated')
    rotations.forEach((rotation, index) => {
      if (index === winner) return
      expect(rotation).toMatchObject({ outcome: 'retried', sealedSuccessor: `sealed ${children[winner]}` })
    })
    const stored = await Promise.all(children.map((child) => store().grants.loadRefreshToken(child)))
    expect(stored.filter(Boolean)).toHaveLength(1)
    expect((await rotate(store(), children[winner]!)).outcome).toBe('rotated')
  })

  test('C26 without a grace time the second of two is a replay', async () => {
    const { token } = await makeToken(store())
    const both = await Promise.all([
      rotate(store(), token, id(), { graceMs: 0 }),
      rotate(store(), token, id(), { graceMs: 0 }),
    ])
    expect(both.map(({ outcome }) => outcome).toSorted()).toEqual(['replayed', 'rotated'])
  })

  test.each(['by the user', 'client deleted', 'revoke all'])(
    'C31 refresh after revocation: %s',
    async (because) => {
      const { user, token } = await makeToken(store())
      const other = await makeToken(store())
      for (const grant of await store().grants.list({ userId: user, clientId: 'client', live: true })) {
        expect(await store().grants.revoke(grant.id, because, start)).toBe(true)
        expect(await store().grants.revoke(grant.id, 'again', start + 1)).toBe(false)
      }
      expect(await rotate(store(), token)).toEqual({ outcome: 'revoked' })
      expect(await store().grants.list({ userId: user, live: true })).toEqual([])
      expect(await store().grants.list({ userId: user, live: false })).toMatchObject([
        { revokedBecause: because },
      ])
      expect((await rotate(store(), other.token)).outcome).toBe('rotated')
    },
  )

  test('C33 the last millisecond of a token counts, the next does not; neither touches the grant', async () => {
    const { grant, token } = await makeToken(store())
    expect(await rotate(store(), token, id(), { now: start + 30 * day })).toEqual({ outcome: 'expired' })
    expect((await store().grants.load(grant))?.revokedAt).toBeUndefined()
    expect((await rotate(store(), token, id(), { now: start + 30 * day - 1 })).outcome).toBe('rotated')
    expect(await rotate(store(), 'nobody issued this')).toEqual({ outcome: 'unknown' })
  })

  test('C34 V09 what was consumed or revoked stays so across a restart', async () => {
    const consumed = await makeToken(store())
    const revoked = await makeToken(store())
    const honest = await makeToken(store())
    const child = id()
    await rotate(store(), consumed.token, child)
    await store().grants.revoke(revoked.grant, 'by the user', start)
    await store().grants.revokeAccessToken({
      id: 'jti of C34',
      grantId: honest.grant,
      expiresAt: start + day,
      now: start,
    })
    const before = await readTrail(store())
    await reopen()
    expect(await readTrail(store())).toEqual(before)
    expect(before.changes).toContain('token-revoked jti of C34')
    expect(await rotate(store(), revoked.token)).toEqual({ outcome: 'revoked' })
    expect((await rotate(store(), consumed.token, id(), { now: start + 1 })).outcome).toBe('retried')
    expect((await rotate(store(), consumed.token, id(), { now: start + day })).outcome).toBe('replayed')
    expect(await rotate(store(), child)).toEqual({ outcome: 'revoked' })
    expect((await rotate(store(), honest.token)).outcome).toBe('rotated')
  })

  test('what fails half-way leaves the token unused', async () => {
    const first = await makeToken(store())
    const second = await makeToken(store())
    const before = await readTrail(store())
    await expect(rotate(store(), second.token, first.token)).rejects.toThrow()
    expect(await readTrail(store())).toEqual(before)
    expect((await rotate(store(), second.token)).outcome).toBe('rotated')
  })

  test('C22 C23 C24 any sequence of refreshes, replays, waits and revocations goes as the rules say', async () => {
    await fc.assert(familyModel(store), { numRuns: 60 })
  })
}
