import { expect, test } from 'vitest'
import type { Subject } from '../conformance.ts'
import { id, makeCode, minute, readTrail, redeem, rotate, start } from '../scene.ts'

export function codeConformance({ store }: Subject): void {
  test('a code is redeemed once, for its first refresh token', async () => {
    const { user, grant, code } = await makeCode(store())
    const token = id()
    expect(await store().grants.loadCode(code)).toEqual({
      hash: code,
      grant: {
        id: grant,
        userId: user,
        clientId: 'client',
        clientClass: 'document',
        resource: 'https://mcp.example/notes/mcp',
        scopes: ['notes:read', 'notes:write'],
        clientName: '',
        redirectHost: '',
        signedInAt: start,
        createdAt: start,
        revokedAt: undefined,
        revokedBecause: undefined,
      },
      redirectUri: 'https://client.example/callback',
      challenge: 'challenge',
      expiresAt: start + minute,
      redeemedAt: undefined,
      wrongVerifiers: 0,
    })
    const redeemed = await redeem(store(), code, token)
    expect(redeemed).toEqual({ outcome: 'redeemed', grant: await store().grants.load(grant) })
    expect((await store().grants.loadCode(code))?.redeemedAt).toBe(start)
    expect(await store().grants.loadRefreshToken(token)).toMatchObject({ hash: token, usedAt: undefined })
  })

  test('a code may be redeemed without a refresh token', async () => {
    const { code } = await makeCode(store())
    const redemption = { codeHash: code, refreshToken: undefined, now: start }
    expect((await store().grants.redeemCode(redemption)).outcome).toBe('redeemed')
    expect((await store().grants.redeemCode(redemption)).outcome).toBe('replayed')
  })

  test('C01 the replay of a code kills what the first redemption got', async () => {
    const { grant, code } = await makeCode(store())
    const token = id()
    const second = id()
    await redeem(store(), code, token)
    const replayed = await redeem(store(), code, second, start + 1000)
    expect(replayed).toMatchObject({
      outcome: 'replayed',
      grant: { id: grant, revokedBecause: 'code-replayed' },
    })
    expect(await rotate(store(), token)).toEqual({ outcome: 'revoked' })
    expect(await store().grants.loadRefreshToken(second)).toBeUndefined()
    const trail = await readTrail(store())
    expect(trail.changes.at(-1)).toBe(`grant-revoked ${grant}`)
    expect(trail.events.slice(-2)).toEqual(['code.replayed', 'grant.revoked'])
    expect((await redeem(store(), code)).outcome).toBe('revoked')
    expect(await readTrail(store())).toEqual(trail)
  })

  test('C01 a replay is one also after the lifetime of the code', async () => {
    const { code } = await makeCode(store())
    const token = id()
    await redeem(store(), code, token)
    expect((await redeem(store(), code, id(), start + 60 * minute)).outcome).toBe('replayed')
    expect(await rotate(store(), token)).toEqual({ outcome: 'revoked' })
  })

  test('C02 of 50 redemptions at once exactly one gets a token', async () => {
    const { code } = await makeCode(store())
    const tokens = Array.from({ length: 50 }, id)
    const outcomes = await Promise.all(tokens.map((token) => redeem(store(), code, token)))
    expect(outcomes.filter(({ outcome }) => outcome === 'redeemed')).toHaveLength(1)
    const stored = await Promise.all(tokens.map((token) => store().grants.loadRefreshToken(token)))
    expect(stored.filter(Boolean)).toHaveLength(1)
  })

  test('C03 a code that nobody issued touches nothing', async () => {
    const { grant, code } = await makeCode(store())
    const before = await readTrail(store())
    for (const forged of [`${code}x`, code.slice(0, -1), grant, '', code.toUpperCase()]) {
      expect(await redeem(store(), forged)).toEqual({ outcome: 'unknown' })
      expect(await store().grants.loadCode(forged)).toBeUndefined()
      await store().grants.countWrongVerifier(forged, start)
    }
    expect(await readTrail(store())).toEqual(before)
    expect((await redeem(store(), code)).outcome).toBe('redeemed')
  })

  test('C05 the fifth wrong verifier kills the code, the fourth does not', async () => {
    const alive = await makeCode(store())
    const dead = await makeCode(store())
    for (let count = 1; count <= 4; count += 1) await store().grants.countWrongVerifier(alive.code, start)
    for (let count = 1; count <= 5; count += 1) await store().grants.countWrongVerifier(dead.code, start)
    expect((await store().grants.loadCode(dead.code))?.wrongVerifiers).toBe(5)
    expect((await redeem(store(), dead.code)).outcome).toBe('expired')
    expect((await redeem(store(), alive.code)).outcome).toBe('redeemed')
  })

  test('C07 an expired code is refused and its grant left alone', async () => {
    const { grant, code } = await makeCode(store())
    const before = await readTrail(store())
    expect((await redeem(store(), code, id(), start + minute)).outcome).toBe('expired')
    expect(await readTrail(store())).toEqual(before)
    expect((await store().grants.load(grant))?.revokedAt).toBeUndefined()
    expect((await redeem(store(), code, id(), start + minute - 1)).outcome).toBe('redeemed')
  })

  test('C31 a code of a revoked grant is refused', async () => {
    const { grant, code } = await makeCode(store())
    expect(await store().grants.revoke(grant, 'by the user', start)).toBe(true)
    expect((await redeem(store(), code)).outcome).toBe('revoked')
    expect((await store().grants.loadCode(code))?.redeemedAt).toBeUndefined()
  })

  test('what fails half-way leaves the code unused', async () => {
    const first = await makeCode(store())
    const second = await makeCode(store())
    const token = id()
    await redeem(store(), first.code, token)
    const before = await readTrail(store())
    await expect(redeem(store(), second.code, token)).rejects.toThrow()
    expect(await readTrail(store())).toEqual(before)
    expect((await redeem(store(), second.code)).outcome).toBe('redeemed')
  })
}
