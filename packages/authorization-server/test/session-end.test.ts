import { beforeEach, describe, expect, test } from 'vitest'
import type { Browser, Shown } from './browser.ts'
import {
  authorizeUrl,
  errorOf,
  exchange,
  getTokens,
  openConsent,
  ownerEmail,
  password,
  refresh,
  registerClient,
  startWarder,
  type Tokens,
  type Warder,
} from './start.ts'

const isLogin = (page: Shown): boolean => page.html.includes('name="password"')
const isConsent = (page: Shown): boolean => page.html.includes('name="decision"')

let w: Warder
let client: string
let tokens: Tokens
beforeEach(async () => {
  w = await startWarder({ issuer: 'https://auth.example.test' })
  client = await registerClient(w)
  tokens = await getTokens(w, client)
})

const formsOf = (page: Shown, action: string): Shown[] =>
  (page.html.match(/<form.*?<\/form>/gs) ?? [])
    .filter((form) => form.includes(`${action}"`))
    .map((html) => ({ ...page, html }))

/** Two tabs of one browser: a consent page that waits, and the account page. */
async function openBoth(): Promise<{ browser: Browser; waiting: Shown; account: Shown }> {
  const { browser, page } = await openConsent(w, client)
  return { browser, waiting: page, account: await browser.open(`${w.issuer}/account`) }
}

describe('C51 S11 what ends with a sign-in', () => {
  test('signing out ends what waits in other tabs, and no grant: the page says so', async () => {
    const { browser, waiting, account } = await openBoth()
    const grants = (await w.store.grants.list({ clientId: client })).length
    const cookie = browser.cookies(waiting.url)
    const [form] = formsOf(account, '/sign-out')
    const end = await browser.submit(form as Shown, {})
    expect(end.html).toContain('Applications that you allowed keep their access')
    // The browser's own cookie is gone; whoever kept a copy has nothing either.
    const thief = w.browser()
    for (const pair of cookie.split('; ')) {
      const [name = '', value = ''] = pair.split('=', 2)
      thief.setCookie({ name, value, path: '/' })
    }
    for (const each of [browser, thief])
      expect((await each.submit(waiting, { decision: 'allow' })).left).toBeUndefined()
    expect(isLogin(await thief.open(authorizeUrl(w, client)))).toBe(true)
    expect((await w.store.grants.list({ clientId: client })).length).toBe(grants)
    expect((await refresh(w, client, tokens.refresh_token)).status).toBe(200)
  })

  test('a sign-in that is ended from another browser is over at once', async () => {
    const first = await openBoth()
    const second = await openBoth()
    for (const form of formsOf(second.account, '/session')) {
      const session = /name="session" value="([^"]+)"/.exec(form.html)?.[1] ?? ''
      await second.browser.submit(form, { session })
    }
    expect((await first.browser.submit(first.waiting, { decision: 'allow' })).status).toBe(403)
    expect(isLogin(await first.browser.open(authorizeUrl(w, client)))).toBe(true)
    expect((await second.browser.submit(second.waiting, { decision: 'allow' })).left).toBeDefined()
  })

  test('eight hours after the sign-in it is over, however busy it was', async () => {
    const { browser } = await openBoth()
    for (let hours = 1; hours < 8; hours += 1) {
      w.clock.now += 3_600_000
      expect(isConsent(await browser.open(authorizeUrl(w, client)))).toBe(true)
    }
    const waiting = await browser.open(authorizeUrl(w, client))
    w.clock.now += 3_600_000
    expect((await browser.submit(waiting, { decision: 'allow' })).left).toBeUndefined()
    expect(isLogin(await browser.open(authorizeUrl(w, client)))).toBe(true)
    expect(isLogin(await browser.open(`${w.issuer}/account`))).toBe(true)
  })

  test.each<[string, (w: Warder) => Promise<unknown>]>([
    ['a new password', (at) => at.store.users.setPassword('wus_owner', 'argon', at.clock.now)],
    ['disabled', (at) => at.store.users.setDisabled('wus_owner', true, at.clock.now)],
    ['everything revoked', (at) => at.store.grants.revokeAll({ because: 'restore', now: at.clock.now })],
  ])('%s: sign-ins in all browsers, what waits in them, and all grants', async (_name, end) => {
    const open = [await openBoth(), await openBoth()]
    const { browser, page } = await openConsent(w, client)
    const { left } = await browser.submit(page, { decision: 'allow' })
    await end(w)
    for (const { browser: each, waiting, account } of open) {
      expect((await each.submit(waiting, { decision: 'allow' })).left).toBeUndefined()
      expect(isLogin(await each.open(authorizeUrl(w, client)))).toBe(true)
      expect(isLogin(await each.open(account.url))).toBe(true)
    }
    expect(await errorOf(await refresh(w, client, tokens.refresh_token))).toBe('400 invalid_grant')
    const code = left?.searchParams.get('code') ?? ''
    expect(await errorOf(await exchange(w, client, code))).toBe('400 invalid_grant')
  })

  test('two browsers have two sign-ins: what one does is not seen in the other', async () => {
    const [a, b] = [await openBoth(), await openBoth()]
    expect(a.browser.cookies(a.waiting.url)).not.toBe(b.browser.cookies(b.waiting.url))
    const [form] = formsOf(a.account, '/sign-out')
    await a.browser.submit(form as Shown, {})
    expect(isLogin(await a.browser.open(`${w.issuer}/account`))).toBe(true)
    expect((await b.browser.open(`${w.issuer}/account`)).html).toContain('Applications with access')
  })
})

test('S11 signing in again on the account page ends the sign-in of before', async () => {
  const browser = w.browser()
  const login = await browser.open(`${w.issuer}/account`)
  await browser.submit(login, { email: ownerEmail, password })
  const before = browser.cookies(`${w.issuer}/account`)
  expect(await w.store.sessions.list('wus_owner', w.clock.now)).toHaveLength(2)
  const again = await browser.open(authorizeUrl(w, client, { prompt: 'login' }))
  expect(isConsent(await browser.submit(again, { email: ownerEmail, password }))).toBe(true)
  // One of the set-up of this test, one of this browser.
  expect(await w.store.sessions.list('wus_owner', w.clock.now)).toHaveLength(2)
  expect(browser.cookies(`${w.issuer}/account`)).not.toBe(before)
})
