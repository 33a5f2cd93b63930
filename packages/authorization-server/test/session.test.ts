import { beforeAll, expect, test } from 'vitest'
import type { Shown } from './browser.ts'
import {
  authorizeUrl,
  openConsent,
  ownerEmail,
  password,
  readerEmail,
  registerClient,
  signIn,
  startWarder,
  type Warder,
} from './start.ts'

let w: Warder
let client: string

beforeAll(async () => {
  w = await startWarder({ issuer: 'https://auth.example.test' })
  client = await registerClient(w)
})

const isLogin = (page: Shown): boolean => page.html.includes('name="password"')
const isConsent = (page: Shown): boolean => page.html.includes('name="decision"')
const hasCode = (page: Shown): boolean => page.left?.searchParams.has('code') === true

test('PX-11 PX-12 PX-13 decision 10: on https there is one __Host- cookie, and the sign-in lasts for eight hours', async () => {
  const answer = await w.get(authorizeUrl(w, client))
  expect(answer.headers.getSetCookie()).toEqual([
    expect.stringMatching(
      /^__Host-warder=[A-Za-z0-9_-]{43}; Path=\/; Max-Age=28800; HttpOnly; Secure; SameSite=Lax$/,
    ),
  ])
  const { browser, page } = await openConsent(w, client)
  expect(hasCode(await browser.submit(page, { decision: 'allow' }))).toBe(true)
  const again = await browser.open(authorizeUrl(w, client))
  expect(isConsent(again)).toBe(true)
  expect(hasCode(await browser.submit(again, { decision: 'allow' }))).toBe(true)
  w.clock.now += 8 * 3_600_000 + 1
  expect(isLogin(await browser.open(authorizeUrl(w, client)))).toBe(true)
})

test.each(['login', 'select_account', 'consent login'])(
  'prompt=%s asks for the password again',
  async (prompt) => {
    const { browser, page } = await openConsent(w, client)
    await browser.submit(page, { decision: 'deny' })
    const login = await browser.open(authorizeUrl(w, client, { prompt }))
    expect(isLogin(login)).toBe(true)
    expect(isConsent(await signIn(browser, login))).toBe(true)
  },
)

test('F06 a cookie that somebody knew before the sign-in shares nothing of it', async () => {
  const victim = w.browser()
  const attacker = w.browser()
  const planted = { name: '__Host-warder', value: 'A'.repeat(43), path: '/' }
  victim.setCookie(planted)
  attacker.setCookie(planted)
  const bait = await attacker.open(authorizeUrl(w, client))
  const login = await victim.open(authorizeUrl(w, client))
  const consent = await signIn(victim, login)
  expect(isConsent(consent)).toBe(true)
  expect(isLogin(await attacker.open(authorizeUrl(w, client)))).toBe(true)
  expect((await attacker.open(consent.url)).status).toBe(403)
  expect((await attacker.submit(consent, { decision: 'allow' })).status).toBe(403)
  // Even after the victim opens the transaction that the attacker began.
  expect(isConsent(await victim.open(bait.url))).toBe(true)
  expect((await attacker.open(bait.url)).status).toBe(403)
})

test('F06 the session from before a second sign-in is over', async () => {
  const { browser, page } = await openConsent(w, client)
  const old = browser.cookies(page.url).split('=')[1] ?? ''
  await signIn(browser, await browser.open(authorizeUrl(w, client, { prompt: 'login' })))
  const thief = w.browser()
  thief.setCookie({ name: '__Host-warder', value: old, path: '/' })
  expect(isLogin(await thief.open(authorizeUrl(w, client)))).toBe(true)
  // Nor does the transaction that was signed in with it go on.
  expect(isLogin(await thief.open(page.url))).toBe(true)
  expect((await thief.submit(page, { decision: 'allow' })).status).toBe(403)
})

test('a request that began with a session goes on with a live one only, and not at all where a sign-in is asked for', async () => {
  const { browser, page } = await openConsent(w, client)
  const cookie = browser.cookies(page.url)
  const begin = async (more: Record<string, string> = {}) =>
    (await w.get(authorizeUrl(w, client, more), { cookie })).headers.get('location') ?? ''
  const show = async (path: string) => (await w.get(path, { cookie })).text()
  const [one, two, again] = [await begin(), await begin(), await begin({ prompt: 'login' })]
  expect(await show(again)).toContain('name="password"')
  expect(await show(one)).toContain('name="decision"')
  w.clock.now += 8 * 3_600_000 - 300_000
  const late = await begin()
  expect(await show(late)).toContain('name="decision"')
  w.clock.now += 300_001
  expect(await show(late)).toContain('name="password"')
  expect(await show(two)).not.toContain('name="decision"')
})

test('the other tabs of the browser go on after a sign-in changed the cookie', async () => {
  const browser = w.browser()
  const one = await browser.open(authorizeUrl(w, client, { state: 'one' }))
  const two = await browser.open(authorizeUrl(w, client, { state: 'two' }))
  expect(isLogin(one) && isLogin(two)).toBe(true)
  const consentOne = await signIn(browser, one)
  const consentTwo = await browser.open(two.url)
  expect(isConsent(consentTwo)).toBe(true)
  const endOne = await browser.submit(consentOne, { decision: 'allow' })
  const endTwo = await browser.submit(consentTwo, { decision: 'allow' })
  expect([endOne, endTwo].map(({ left }) => left?.searchParams.get('state'))).toEqual(['one', 'two'])
  expect(hasCode(endOne) && hasCode(endTwo)).toBe(true)
})

test('the cookie holds four secrets at most, and of a longer one no more than eight are looked at', async () => {
  const browser = w.browser()
  const secretsOf = (url: string): string[] =>
    /__Host-warder=([^;]*)/.exec(browser.cookies(url))?.[1]?.split('.') ?? []
  const counts: number[] = []
  for (let at = 0; at < 6; at += 1) {
    const login = await browser.open(authorizeUrl(w, client, { prompt: 'login' }))
    counts.push(secretsOf((await signIn(browser, login)).url).length)
  }
  expect(counts).toEqual([2, 3, 4, 4, 4, 4])

  const { browser: owner, page } = await openConsent(w, client)
  const [secret = ''] = /__Host-warder=([^;.]*)/.exec(owner.cookies(page.url))?.slice(1) ?? []
  const statusWith = async (others: number): Promise<number> => {
    const padded = w.browser()
    const value = [...Array.from({ length: others }, () => 'A'.repeat(43)), secret].join('.')
    padded.setCookie({ name: '__Host-warder', value, path: '/' })
    return (await padded.open(page.url)).status
  }
  expect([await statusWith(7), await statusWith(8)]).toEqual([200, 403])
})

test.each([null, 'login'])(
  'F15 when another account signed in since the page was shown, its form is out of date (prompt %s)',
  async (prompt) => {
    const browser = w.browser()
    const id = await registerClient(w)
    const asOwner = await signIn(browser, await browser.open(authorizeUrl(w, id, { prompt })))
    expect(asOwner.html).toContain(ownerEmail)
    const login = await browser.open(authorizeUrl(w, id, { prompt: 'login' }))
    await browser.submit(login, { email: readerEmail, password })
    expect((await browser.submit(asOwner, { decision: 'allow' })).status).toBe(403)
    const reloaded = await browser.open(asOwner.url)
    expect(reloaded.html).toContain(readerEmail)
    expect(await w.store.grants.list({ userId: 'wus_reader', clientId: id })).toEqual([])
    expect(hasCode(await browser.submit(reloaded, { decision: 'allow' }))).toBe(true)
    expect((await w.store.grants.list({ userId: 'wus_reader', clientId: id })).length).toBe(1)
  },
)

test('a page that is loaded again after its user signed in elsewhere leaves its open form as good as it was', async () => {
  const { browser, page } = await openConsent(w, client)
  await signIn(browser, await browser.open(authorizeUrl(w, client, { prompt: 'login' })))
  const again = await browser.open(page.url)
  expect(isConsent(again)).toBe(true)
  expect(hasCode(await browser.submit(page, { decision: 'allow' }))).toBe(true)
})

test('a disabled user is signed out', async () => {
  const { browser, page } = await openConsent(w, client, {}, readerEmail)
  await w.store.users.setDisabled('wus_reader', true, w.clock.now)
  expect((await browser.submit(page, { decision: 'allow' })).left).toBeUndefined()
  expect(isLogin(await browser.open(authorizeUrl(w, client)))).toBe(true)
  await w.store.users.setDisabled('wus_reader', false, w.clock.now)
})
