import { beforeEach, expect, test } from 'vitest'
import type { Browser, Shown } from './browser.ts'
import {
  authorizeUrl,
  ownerEmail,
  password,
  readerEmail,
  registerClient,
  startWarder,
  type Warder,
} from './start.ts'

const cookieName = '__Host-warder-device'
const isConsent = (page: Shown): boolean => page.html.includes('name="decision"')

let w: Warder
let client: string
beforeEach(async () => {
  w = await startWarder({ issuer: 'https://auth.example.test' })
  client = await registerClient(w)
})

/** Signs in with the password that is typed; `prompt=login`, so that no session answers instead. */
async function attempt(browser: Browser, typed: string, email = ownerEmail): Promise<Shown> {
  const login = await browser.open(authorizeUrl(w, client, { prompt: 'login' }))
  return await browser.submit(login, { email, password: typed })
}

/** The value of the device cookie in a browser. */
function deviceOf(browser: Browser): string {
  const value = new RegExp(`${cookieName}=([^;]*)`).exec(browser.cookies(`${w.issuer}/authorize`))?.[1]
  if (value === undefined) throw new Error('the browser has no device cookie')
  return value
}

/** A stranger's browser with a device cookie in it. */
function thiefWith(value: string, address = '203.0.113.200'): Browser {
  const thief = w.browser(address)
  thief.setCookie({ name: cookieName, value, path: '/' })
  return thief
}

let attackers = 0

/** Many addresses guess at one account. */
async function besiege(email = ownerEmail): Promise<void> {
  for (let at = 0; at < 12; at += 1) {
    attackers += 1
    await attempt(w.browser(`198.51.100.${attackers}`), 'wrong', email)
    w.clock.now += 1
  }
}

/** A browser in which the user has signed in once, and where the session has ended since. */
async function knownBrowser(email = ownerEmail, address = '203.0.113.1'): Promise<Browser> {
  const browser = w.browser(address)
  expect(isConsent(await attempt(browser, password, email))).toBe(true)
  return browser
}

test('F18 while strangers block an account, its user signs in with a browser that did before, and with no other', async () => {
  const known = await knownBrowser()
  await besiege()
  const stranger = await attempt(w.browser('203.0.113.9'), password)
  expect(stranger.status).toBe(429)
  expect(Number(stranger.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(isConsent(await attempt(known, password))).toBe(true)
  // That sign-in gives those who guess nothing back.
  expect((await attempt(w.browser('203.0.113.9'), password)).status).toBe(429)
  // The account page has the same door.
  const account = await known.open(`${w.issuer}/account`)
  expect(account.html).toContain('Applications with access')
})

test('F18 the address of the attacker is no obstacle for a known browser behind it', async () => {
  const known = await knownBrowser(ownerEmail, '198.51.100.250')
  for (let at = 0; at < 6; at += 1)
    await attempt(w.browser('198.51.100.250'), 'wrong', `guess${at}@example.test`)
  expect((await attempt(w.browser('198.51.100.250'), password)).status).toBe(429)
  expect(isConsent(await attempt(known, password))).toBe(true)
})

test('F18 a stolen device cookie is a count of its own, and no sign-in', async () => {
  const known = await knownBrowser()
  await besiege()
  const thief = thiefWith(deviceOf(known))
  const login = await thief.open(authorizeUrl(w, client))
  expect(login.html).toContain('name="password"')
  const statuses: number[] = []
  for (let at = 0; at < 7; at += 1) statuses.push((await attempt(thief, 'wrong')).status)
  expect(statuses).toEqual([403, 403, 403, 403, 403, 429, 429])
  // The real browser shares the cookie that was stolen, until the block ends; then it gets a new one.
  expect((await attempt(known, password)).status).toBe(429)
  w.clock.now += 2_000
  expect(isConsent(await attempt(known, password))).toBe(true)
  for (let at = 0; at < 4; at += 1) await attempt(thief, 'wrong')
  expect(isConsent(await attempt(known, password))).toBe(true)
})

test('F18 a device cookie of another user, of another server, changed, or too old is none', async () => {
  const known = await knownBrowser()
  const value = deviceOf(known)
  const reader = deviceOf(await knownBrowser(readerEmail))
  const other = await startWarder({ issuer: 'https://auth.example.test' })
  const elsewhere = other.browser()
  const page = await elsewhere.open(authorizeUrl(other, await registerClient(other)))
  expect(isConsent(await elsewhere.submit(page, { email: ownerEmail, password }))).toBe(true)
  await besiege()
  const [since = '', id = '', signature = ''] = value.split('~')
  for (const wrong of [
    reader,
    deviceOf(elsewhere),
    `${since}~${id}~${'A'.repeat(43)}`,
    `${since}~${'A'.repeat(22)}~${signature}`,
    `${(Number.parseInt(since, 36) + 1).toString(36)}~${id}~${signature}`,
    `${id}~${signature}`,
    '~~',
    'zzzzzzzzzz~x~y',
    '%00',
  ]) {
    expect([wrong, (await attempt(thiefWith(wrong), password)).status]).toEqual([wrong, 429])
  }
  expect(isConsent(await attempt(thiefWith(value), password))).toBe(true)
  w.clock.now += 180 * 24 * 3_600_000
  await besiege()
  expect((await attempt(thiefWith(value), password)).status).toBe(429)
})

test('F18 a new password makes every device cookie void', async () => {
  const value = deviceOf(await knownBrowser())
  const owner = await w.store.users.loadById('wus_owner')
  const reader = await w.store.users.loadById('wus_reader')
  expect(owner?.passwordHash).toBe(reader?.passwordHash)
  await w.store.users.setPassword(
    'wus_owner',
    `${owner?.passwordHash}`.replace('$v=19', '$v=16'),
    w.clock.now,
  )
  await besiege()
  expect((await attempt(thiefWith(value), password)).status).toBe(429)
})

test('F18 several users of one browser are known; the cookie does not grow without end', async () => {
  const browser = await knownBrowser()
  expect(isConsent(await attempt(browser, password, readerEmail))).toBe(true)
  expect(isConsent(await attempt(browser, password, ownerEmail))).toBe(true)
  expect(deviceOf(browser).split('.')).toHaveLength(2)
  await besiege(ownerEmail)
  await besiege(readerEmail)
  for (const email of [ownerEmail, readerEmail])
    expect(isConsent(await attempt(browser, password, email))).toBe(true)
})

test('F18 the cookie is for our pages on https alone, and says nothing of the user', async () => {
  const answer = await signInRaw(w)
  const cookie = answer.find((one) => one.startsWith(cookieName)) ?? ''
  expect(cookie).toMatch(
    /^__Host-warder-device=[0-9a-z]+~[\w-]{22}~[\w-]{43}; Path=\/; Max-Age=15552000; HttpOnly; Secure; SameSite=Strict$/,
  )
})

test('F18 decision 10: on http loopback no browser is known, since another port would get the cookie', async () => {
  w = await startWarder()
  client = await registerClient(w)
  expect((await signInRaw(w)).map((one) => one.split('=')[0])).toEqual(['warder-transaction'])
  const value = `${w.clock.now.toString(36)}~${'A'.repeat(22)}~${'A'.repeat(43)}`
  await besiege()
  expect((await attempt(thiefWith(value), password)).status).toBe(429)
})

test('U10 a crowd of strangers that waits for the hash of a password keeps no known browser out', async () => {
  const known = await knownBrowser()
  const login = await known.open(authorizeUrl(w, client, { prompt: 'login' }))
  const crowd = await Promise.all(
    Array.from({ length: 60 }, async (_, at) => {
      const browser = w.browser(`192.0.2.${at}`)
      return { browser, page: await browser.open(authorizeUrl(w, client)) }
    }),
  )
  const ended: string[] = []
  const strangers = crowd.map(async ({ browser, page }, at) => {
    const { status } = await browser.submit(page, { email: `crowd${at}@example.test`, password })
    ended.push(`stranger ${status}`)
  })
  // The first one that is sent away says that the queue is full.
  await Promise.race(strangers)
  expect(new Set(ended)).toEqual(new Set(['stranger 429']))
  expect(isConsent(await known.submit(login, { email: ownerEmail, password }))).toBe(true)
  ended.push('known')
  await Promise.all(strangers)
  // It was full, and the known browser came before nearly all of those who waited.
  expect(ended.filter((one) => one === 'stranger 429').length).toBeGreaterThan(20)
  expect(ended.slice(ended.indexOf('known')).filter((one) => one === 'stranger 403').length).toBeGreaterThan(
    20,
  )
})

/** The cookies of a sign-in, whole. */
async function signInRaw(server: Warder): Promise<readonly string[]> {
  const browser = server.browser()
  const login = await browser.open(authorizeUrl(server, client))
  const action = /<form[^>]*action="([^"]+)"/.exec(login.html)?.[1] ?? ''
  const token = /name="form_token" value="([^"]+)"/.exec(login.html)?.[1] ?? ''
  const { pathname } = new URL(action, server.issuer)
  const answer = await server.post(
    pathname,
    { form_token: token, email: ownerEmail, password },
    { cookie: browser.cookies(login.url), origin: new URL(server.issuer).origin },
  )
  return answer.headers.getSetCookie()
}
