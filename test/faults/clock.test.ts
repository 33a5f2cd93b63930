import { beforeEach, describe, expect, test } from 'vitest'
import {
  authorizeUrl,
  claimsOf,
  errorOf,
  exchange,
  getCode,
  getTokens,
  ownerEmail,
  password,
  refresh,
  registerClient,
  startWarder,
  type Warder,
} from '../../packages/authorization-server/test/start.ts'

const [second, minute, day] = [1_000, 60_000, 86_400_000]

/**
 * A clock that jumps, forward and back. What lives by the guard's own clock (access tokens: ten seconds of skew, no more) stands
 * in packages/guard/test. A refresh token or a session lives longer by as much as the clock was set back; a code does not.
 */
describe('clock', () => {
  let w: Warder
  let client: string
  beforeEach(async () => {
    w = await startWarder()
    client = await registerClient(w)
  })
  const jump = (ms: number): void => {
    w.clock.now += ms
  }

  test.each([
    ['a minute and a second forward', [minute + second]],
    ['a day forward', [day]],
    ['a minute back', [-minute]],
    ['a day back', [-day]],
    ['a day forward and beyond the end back', [day, -day + minute]],
  ])('C05 a code is worth nothing after a clock went %s', async (_, jumps) => {
    const code = await getCode(w, client)
    for (const ms of jumps) jump(ms)
    expect(await errorOf(await exchange(w, client, code))).toBe('400 invalid_grant')
  })

  test.each([
    ['half a minute forward', [30 * second]],
    ['seconds back, as when a clock is set right', [-9 * second]],
    ['a day forward and back to where it was', [day, -day]],
  ])('C05 a code is good for its minute after a clock went %s', async (_, jumps) => {
    const code = await getCode(w, client)
    for (const ms of jumps) jump(ms)
    expect((await exchange(w, client, code)).status).toBe(200)
    expect((await exchange(w, client, code)).status).toBe(400)
  })

  test('C05 a code that was used is known for a replay, whatever the clock says', async () => {
    for (const ms of [-day, day]) {
      const code = await getCode(w, client)
      const { refresh_token: token } = (await (await exchange(w, client, code)).json()) as {
        refresh_token: string
      }
      jump(ms)
      expect((await exchange(w, client, code)).status).toBe(400)
      expect((await refresh(w, client, token)).status).toBe(400)
    }
  })

  test.each([
    ['a minute forward', [minute]],
    ['a day back', [-day]],
    ['a minute back', [-minute]],
  ])('V02 the time for a retry is over after a clock went %s: a replay ends the grant', async (_, jumps) => {
    const { refresh_token: old } = await getTokens(w, client)
    const child = (await (await refresh(w, client, old)).json()) as { refresh_token: string }
    for (const ms of jumps) jump(ms)
    expect((await refresh(w, client, old)).status).toBe(400)
    expect((await refresh(w, client, child.refresh_token)).status).toBe(400)
  })

  test('V02 the time for a retry does not begin again when a clock goes back into it', async () => {
    const { refresh_token: old } = await getTokens(w, client)
    expect((await refresh(w, client, old)).status).toBe(200)
    jump(minute)
    await w.store.sweep(w.clock.now)
    jump(-50 * second)
    expect((await refresh(w, client, old)).status).toBe(400)
  })

  test('V02 a retry within its time works, also when the clock went back by seconds', async () => {
    const { refresh_token: old } = await getTokens(w, client)
    const first = (await (await refresh(w, client, old)).json()) as { refresh_token: string }
    jump(-5 * second)
    const again = (await (await refresh(w, client, old)).json()) as { refresh_token: string }
    expect(again.refresh_token).toBe(first.refresh_token)
  })

  test('an access token lives for ten minutes from whatever the clock says, never for less or more', async () => {
    const { refresh_token: first } = await getTokens(w, client)
    let token = first
    for (const ms of [-day, day, -second, minute]) {
      jump(ms)
      const answer = await refresh(w, client, token)
      expect(answer.status).toBe(200)
      const body = (await answer.json()) as {
        access_token: string
        refresh_token: string
        expires_in: number
      }
      const claims = claimsOf(body.access_token)
      expect([claims['iat'], claims['exp']]).toEqual([w.clock.now / 1000, w.clock.now / 1000 + 600])
      expect(body.expires_in).toBe(600)
      token = body.refresh_token
    }
  })

  test('a refresh token ends after thirty days without use, and a day forward is not thirty', async () => {
    const { refresh_token: one } = await getTokens(w, client)
    jump(day)
    const next = (await (await refresh(w, client, one)).json()) as { refresh_token: string }
    jump(31 * day)
    expect((await refresh(w, client, next.refresh_token)).status).toBe(400)
  })

  /** What a browser sees of a sign-in with this password. */
  async function tryPassword(typed: string): Promise<{ status: number; wait: number }> {
    const browser = w.browser('192.0.2.7')
    const login = await browser.open(authorizeUrl(w, client))
    const shown = await browser.submit(login, { email: ownerEmail, password: typed })
    return { status: shown.status, wait: Number(shown.headers.get('retry-after') ?? 0) }
  }

  test('U01 a block of sign-ins ends when the clock passes it, and none is ever longer than fifteen minutes', async () => {
    for (let failure = 0; failure < 6; failure += 1) {
      await tryPassword('wrong')
      jump(failure < 5 ? 20 * minute : 0)
    }
    const blocked = await tryPassword(password)
    expect(blocked.status).toBe(429)
    expect(blocked.wait).toBeGreaterThan(0)
    expect(blocked.wait).toBeLessThanOrEqual(15 * 60)
    // The clock had been wrong by a day, and is set right: the block must not stand until that day comes.
    jump(-day)
    expect((await tryPassword(password)).status).toBe(200)
  })

  test('U01 seconds back do not open a block', async () => {
    for (let failure = 0; failure < 5; failure += 1) await tryPassword('wrong')
    expect((await tryPassword(password)).status).toBe(429)
    jump(-10 * second)
    const blocked = await tryPassword(password)
    expect(blocked.status).toBe(429)
    expect(blocked.wait).toBeGreaterThan(0)
    jump(12 * second)
    expect((await tryPassword(password)).status).toBe(200)
  })
})
