import { hash } from '@node-rs/argon2'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Shown } from './browser.ts'
import {
  authorizeUrl,
  notes,
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
  w = await startWarder()
  client = await registerClient(w)
})

const isLogin = (page: Shown): boolean => page.html.includes('name="password"')
const isConsent = (page: Shown): boolean => page.html.includes('name="decision"')

test('the positive twin: sign-in leads to the consent page, consent to a code with iss and state', async () => {
  const browser = w.browser()
  const login = await browser.open(authorizeUrl(w, client))
  expect(isLogin(login)).toBe(true)
  const consent = await signIn(browser, login)
  expect(isConsent(consent)).toBe(true)
  const { left, status } = await browser.submit(consent, { decision: 'allow' })
  expect(status).toBe(303)
  expect(left?.searchParams.get('code')).toMatch(/^wac_/)
  expect(left?.searchParams.get('state')).toBe('the-state')
  expect(left?.searchParams.get('iss')).toBe(w.issuer)
  // On http loopback nothing but the transaction is signed in.
  expect(await w.store.sessions.list('wus_owner', w.clock.now)).toEqual([])
})

test('the form of a step that is not reached yet does nothing, with the right token too', async () => {
  const browser = w.browser()
  const login = await browser.open(authorizeUrl(w, client))
  const early = { ...login, html: login.html.replace('/login"', '/consent"') }
  const answer = await browser.submit(early, { decision: 'allow' })
  expect([answer.status, answer.left]).toEqual([403, undefined])
  expect(isConsent(await signIn(browser, login))).toBe(true)
})

test('an e-mail address is read without spaces and case, a password to its last character', async () => {
  const longest = 'p'.repeat(1024)
  const email = 'long@example.test'
  await w.store.users.add({ id: 'wus_long', email, passwordHash: await hash(longest), now: w.clock.now })
  const attempt = async (typed: string, as = email): Promise<Shown> => {
    const browser = w.browser('192.0.2.210')
    return await browser.submit(await browser.open(authorizeUrl(w, client)), { email: as, password: typed })
  }
  for (const wrong of [`${longest}p`, longest.slice(1)]) expect((await attempt(wrong)).status).toBe(403)
  // Such a user may do nothing here; that the sign-in went well is what the answer shows.
  expect((await attempt(longest)).left?.searchParams.get('error')).toBe('access_denied')
  expect((await attempt(longest, ' Long@Example.test ')).left?.searchParams.get('error')).toBe(
    'access_denied',
  )
})

describe.each(['login', 'consent'])('the %s form', (step) => {
  async function openForm(): Promise<{
    page: Shown
    send: (token?: string | null, headers?: Record<string, string | null>) => Promise<Shown>
  }> {
    const browser = w.browser()
    const login = await browser.open(authorizeUrl(w, client))
    const page = step === 'login' ? login : await signIn(browser, login)
    const fields = step === 'login' ? { email: ownerEmail, password } : { decision: 'allow' }
    return {
      page,
      send: (token, headers) =>
        browser.submit(page, token === undefined ? fields : { ...fields, form_token: token }, headers),
    }
  }

  test('PX-09 F01 without, with a foreign, or with an earlier form token', async () => {
    const { page, send } = await openForm()
    const elsewhere = await openForm()
    const foreign = /name="form_token" value="([^"]+)"/.exec(elsewhere.page.html)?.[1] ?? ''
    for (const token of [null, '', 'x', foreign]) {
      const answer = await send(token)
      expect(answer.status).toBe(403)
      expect(answer.left).toBeUndefined()
    }
    expect(page.status).toBe(200)
    expect((await send()).status).toBeLessThan(400)
  })

  test('F02 from another site, with Origin null, or without Origin across sites', async () => {
    const { send } = await openForm()
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://localhost:9999' },
      { origin: 'http://127.0.0.1:8765' },
      { origin: null },
      { origin: null, 'sec-fetch-site': 'cross-site' },
      { origin: null, 'sec-fetch-site': 'same-site' },
      { origin: null, 'sec-fetch-site': 'none' },
    ]) {
      expect((await send(undefined, headers)).status).toBe(403)
    }
    expect((await send(undefined, { origin: null, 'sec-fetch-site': 'same-origin' })).status).toBeLessThan(
      400,
    )
  })

  test('A34 answers with 303, so that credentials are never posted again', async () => {
    const { page, send } = await openForm()
    expect(page.hops.every((status) => status === 303)).toBe(true)
    const { hops, status, left } = await send()
    expect(step === 'login' ? hops : [status]).toEqual([303])
    expect(left?.href ?? '').not.toContain(password)
  })
})

test('F10 the stored request decides: fields of a form that are not choices change nothing', async () => {
  const id = await registerClient(w)
  const { browser, page } = await openConsent(w, id, { scope: 'notes:read' })
  const { left } = await browser.submit(page, {
    decision: 'allow',
    scope: ['notes:read', 'notes:admin', 'no:such'],
    redirect_uri: 'https://evil.example/cb',
    client_id: 'other',
    resource: 'https://evil.example/mcp',
    state: 'changed',
  })
  expect(left?.href.startsWith('http://127.0.0.1:33418/callback?')).toBe(true)
  expect(left?.searchParams.get('state')).toBe('the-state')
  const [grant, ...others] = await w.store.grants.list({ clientId: id })
  expect(others).toEqual([])
  expect(grant).toMatchObject({ clientId: id, resource: notes, scopes: ['notes:read'] })
})

test('F10 A33 approving in one tab never approves the other', async () => {
  const second = await registerClient(w)
  const browser = w.browser()
  const one = await signIn(browser, await browser.open(authorizeUrl(w, client)))
  const two = await signIn(browser, await browser.open(authorizeUrl(w, second)))
  const token = /name="form_token" value="([^"]+)"/.exec(one.html)?.[1] ?? ''
  expect((await browser.submit(two, { decision: 'allow', form_token: token })).status).toBe(403)
  expect(await w.store.grants.list({ clientId: second })).toEqual([])
  expect((await browser.submit(one, { decision: 'allow' })).left?.searchParams.has('code')).toBe(true)
  expect(await w.store.grants.list({ clientId: second })).toEqual([])
  expect((await browser.submit(two, { decision: 'allow' })).left?.searchParams.has('code')).toBe(true)
})

test('F08 another browser cannot go on with a transaction', async () => {
  const { page } = await openConsent(w, client)
  const stranger = w.browser()
  const seen = await stranger.open(page.url)
  expect(seen.status).toBe(403)
  expect(seen.html).not.toContain('form_token')
  expect((await stranger.submit(page, { decision: 'allow' })).status).toBe(403)
})

test('F13 of two clicks on Allow one gets the code', async () => {
  const { browser, page } = await openConsent(w, client)
  const answers = await Promise.all([
    browser.submit(page, { decision: 'allow' }),
    browser.submit(page, { decision: 'allow' }),
    browser.submit(page, { decision: 'allow' }),
  ])
  expect(answers.filter(({ left }) => left?.searchParams.has('code')).length).toBe(1)
  const late = answers.find(({ left }) => left === undefined)
  expect(late?.status).toBe(400)
  expect(late?.html).toContain('This sign-in has ended')
  expect((await browser.submit(page, { decision: 'allow' })).status).toBe(400)
})

test('F14 Deny goes back with access_denied, iss and state, and nothing is granted or remembered', async () => {
  const { browser, page } = await openConsent(w, client, { scope: 'notes:read notes:write' })
  const before = (await w.store.grants.list({ clientId: client })).length
  const { left } = await browser.submit(page, { decision: 'deny', scope: ['notes:write'] })
  expect(left?.searchParams.get('error')).toBe('access_denied')
  expect(left?.searchParams.get('iss')).toBe(w.issuer)
  expect(left?.searchParams.get('state')).toBe('the-state')
  expect((await w.store.grants.list({ clientId: client })).length).toBe(before)
  const again = await openConsent(w, client, { scope: 'notes:read notes:write' })
  expect(again.page.html).toMatch(/value="notes:write"[^>]* checked/)
  expect((await browser.submit(page, { decision: 'allow' })).status).toBe(400)
  expect((await again.browser.submit(again.page, { decision: 'maybe' })).status).toBe(400)
})

test('F06 the cookie and the form token change at sign-in; what was known before is nothing after', async () => {
  const browser = w.browser()
  const login = await browser.open(authorizeUrl(w, client))
  const before = browser.cookies(login.url)
  const consent = await signIn(browser, login)
  expect(browser.cookies(consent.url)).not.toBe(before)
  const attacker = w.browser()
  const [name = '', value = ''] = before.split('=')
  attacker.setCookie({ name, value, path: new URL(login.url).pathname })
  expect((await attacker.open(consent.url)).status).toBe(403)
  expect((await attacker.submit(consent, { decision: 'allow' })).status).toBe(403)
  expect((await browser.submit(consent, { decision: 'allow' })).left?.searchParams.has('code')).toBe(true)
})

test('F15 a login form from before the sign-in cannot switch the account', async () => {
  const browser = w.browser()
  const login = await browser.open(authorizeUrl(w, client))
  const consent = await signIn(browser, login)
  expect((await browser.submit(login, { email: readerEmail, password })).status).toBe(403)
  expect((await browser.open(consent.url)).html).toContain(ownerEmail)
})

test('decision 10: on http loopback the cookie goes to the transaction only, never to a callback on another port', async () => {
  const { browser, page } = await openConsent(w, client)
  expect(browser.cookies(page.url)).toMatch(/^warder-transaction=/)
  for (const url of [
    'http://127.0.0.1:33418/callback',
    'http://localhost:33418/callback',
    'http://localhost:8765/',
    'http://localhost:8765/notes/mcp',
    'http://localhost:8765/authorize',
  ]) {
    expect(browser.cookies(url)).toBe('')
  }
  const answer = await w.get(authorizeUrl(w, client))
  const [cookie = ''] = answer.headers.getSetCookie()
  expect(cookie).toMatch(
    /^warder-transaction=[A-Za-z0-9_-]{43}; Path=\/authorize\/[A-Za-z0-9_-]{22}; Max-Age=600; HttpOnly; SameSite=Lax$/,
  )
  await browser.submit(page, { decision: 'allow' })
  expect(browser.cookies(page.url)).toBe('')
  const again = await browser.open(authorizeUrl(w, client))
  expect(isLogin(again)).toBe(true)
})

test('a sign-in takes ten minutes at most', async () => {
  const { browser, page } = await openConsent(w, client)
  w.clock.now += 10 * 60_000 + 1
  expect((await browser.submit(page, { decision: 'allow' })).status).toBe(400)
  expect((await browser.open(page.url)).html).toContain('This sign-in has ended')
})

test('F17 unknown addresses, disabled users and wrong passwords get the same answer', async () => {
  await w.store.users.add({
    id: 'wus_gone',
    email: 'gone@example.test',
    passwordHash: (await w.store.users.loadById('wus_owner'))?.passwordHash ?? '',
    now: w.clock.now,
  })
  await w.store.users.setDisabled('wus_gone', true, w.clock.now)
  const seen = new Set<string>()
  for (const fields of [
    { email: ownerEmail, password: 'wrong' },
    { email: 'unknown@example.test', password },
    { email: 'gone@example.test', password },
    { email: '', password: '' },
    { email: ownerEmail, password: null },
  ]) {
    const browser = w.browser(`192.0.2.${seen.size + 10}`)
    const login = await browser.open(authorizeUrl(w, client))
    const answer = await browser.submit(login, fields)
    expect(isLogin(answer)).toBe(true)
    const anonymous = answer.html.replaceAll(/value="[^"]*"/g, '').replaceAll(/action="[^"]*"/g, '')
    seen.add(`${answer.status} ${answer.headers.get('set-cookie')} ${anonymous}`)
    expect(answer.html).not.toContain('wrong"')
  }
  expect(seen.size).toBe(1)
  expect([...seen][0]).toMatch(/^403 null /)
})

test('F17 F18 a wrong password marks both fields, a block marks none, and the operator reads of both', async () => {
  const address = '192.0.2.200'
  const browser = w.browser(address)
  const login = await browser.open(authorizeUrl(w, client))
  w.logs.length = 0
  const wrong = await browser.submit(login, { email: 'marked@example.test', password })
  expect(wrong.html.match(/aria-invalid="true"/g)).toHaveLength(2)
  expect(w.logs).toContainEqual(
    expect.objectContaining({ event: 'refused', reason: 'login.wrong', route: 'login', peer: address }),
  )
  let blocked = wrong
  for (let at = 0; at < 9 && blocked.status === 403; at += 1)
    blocked = await browser.submit(login, { email: 'marked@example.test', password })
  expect(blocked.status).toBe(429)
  expect(blocked.html).not.toContain('aria-invalid="true"')
  expect(w.logs.at(-1)).toMatchObject({ event: 'refused', reason: 'login.throttled', peer: address })
})

describe('F18 throttling', () => {
  let w: Warder
  let client: string
  beforeAll(async () => {
    w = await startWarder()
    client = await registerClient(w)
  })

  async function fail(fields: Record<string, string>, address: string): Promise<number> {
    const browser = w.browser(address)
    return (await browser.submit(await browser.open(authorizeUrl(w, client)), fields)).status
  }

  test('many failures for one account block it from everywhere, for a while, and others go on', async () => {
    for (let at = 0; at < 5; at += 1)
      expect(await fail({ email: ownerEmail, password: 'wrong' }, `198.51.100.${at}`)).toBe(403)
    const browser = w.browser('203.0.113.1')
    const blocked = await signIn(browser, await browser.open(authorizeUrl(w, client)))
    expect(blocked.status).toBe(429)
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(0)
    const other = w.browser('203.0.113.2')
    expect(isConsent(await signIn(other, await other.open(authorizeUrl(w, client)), readerEmail))).toBe(true)
    w.clock.now += 60_000
    expect(isConsent(await signIn(browser, await browser.open(authorizeUrl(w, client))))).toBe(true)
  })

  test('many failures from one address block it for all accounts, also when a right password came between', async () => {
    const address = '198.51.100.77'
    for (let at = 0; at < 4; at += 1) await fail({ email: `user${at}@example.test`, password }, address)
    expect(await fail({ email: readerEmail, password }, address)).toBe(200)
    await fail({ email: 'user5@example.test', password }, address)
    expect(await fail({ email: ownerEmail, password }, address)).toBe(429)
    expect(await fail({ email: ownerEmail, password }, '198.51.100.78')).toBe(200)
  })

  test('a block lasts 15 minutes at most; one of a clock that was ahead and was set back is no block', async () => {
    const w = await startWarder()
    const client = await registerClient(w)
    const attempt = async (typed: string): Promise<Shown> => {
      const browser = w.browser()
      const login = await browser.open(authorizeUrl(w, client))
      return await browser.submit(login, { email: ownerEmail, password: typed })
    }
    const waits: number[] = []
    for (let at = 0; at < 40; at += 1) {
      const { status, headers } = await attempt('wrong')
      if (status !== 429) continue
      waits.push(Number(headers.get('retry-after')))
      w.clock.now += Number(headers.get('retry-after')) * 1000
    }
    expect(Math.max(...waits)).toBe(900)
    for (let at = 0; at < 9 && (await attempt('wrong')).status !== 429; at += 1);
    expect((await attempt(password)).status).toBe(429)
    w.clock.now -= 3_600_000
    expect(isConsent(await attempt(password))).toBe(true)
  })

  test('attempts at once are counted too', async () => {
    const address = '198.51.100.99'
    const statuses = await Promise.all(
      Array.from({ length: 12 }, (_, at) => fail({ email: `many${at}@example.test`, password }, address)),
    )
    expect(statuses.filter((status) => status === 403).length).toBeLessThanOrEqual(6)
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(6)
  })
})

test('U10 only so many wait for a password to be hashed; the others are told to come back', async () => {
  const crowd = await Promise.all(
    Array.from({ length: 50 }, async (_, at) => {
      const browser = w.browser(`203.0.113.${at + 50}`)
      const page = await browser.open(authorizeUrl(w, client))
      return { browser, page }
    }),
  )
  const statuses = await Promise.all(
    crowd.map(async ({ browser, page }, at) => {
      return (await browser.submit(page, { email: `crowd${at}@example.test`, password })).status
    }),
  )
  expect(new Set(statuses)).toEqual(new Set([403, 429]))
  const late = w.browser()
  expect(isConsent(await signIn(late, await late.open(authorizeUrl(w, client))))).toBe(true)
})

test('the address of a form leads back to the page of its transaction', async () => {
  const { browser, page } = await openConsent(w, client)
  expect((await browser.open(`${page.url}/login`)).html).toBe(page.html)
  expect((await browser.open(`${page.url}/consent`)).html).toBe(page.html)
})

test('F05 parameters that name another place to go are not looked at', async () => {
  const { browser, page } = await openConsent(w, client)
  for (const place of [
    '//evil.example',
    '/\\evil.example',
    'https:evil.example',
    '%2f%2fevil.example',
    'x\r\nLocation: https://evil.example',
  ]) {
    const shown = await browser.open(
      `${page.url}?return_to=${encodeURIComponent(place)}&next=${encodeURIComponent(place)}`,
    )
    expect(shown.status).toBe(200)
    expect(shown.html).not.toContain('evil.example')
  }
  for (const path of [
    '//evil.example/authorize',
    '/authorize/%2f%2fevil.example',
    '/authorize/..%2f..%2fetc',
  ]) {
    const answer = await w.server.handle(new Request(`${w.issuer}${path}`), { address: '::1' })
    expect(answer.status).toBe(404)
    expect(answer.headers.get('location')).toBeNull()
  }
})

test('AS-14 F22 an untrusted redirect URI is neither a link nor a redirect on the error page', async () => {
  const answer = await w.get(authorizeUrl(w, client, { redirect_uri: 'https://evil.example/cb"><a href=x>' }))
  const html = await answer.text()
  expect(answer.status).toBe(400)
  expect(html).not.toMatch(/<a\b|http-equiv|<script/i)
  expect(html).not.toContain('href="https://evil.example')
  expect(answer.headers.get('location')).toBeNull()
})

test('PX-10 F31 A35 every page, errors too, has the same headers: not cached, not framed, nothing from elsewhere', async () => {
  const { page } = await openConsent(w, client)
  const pages: Headers[] = [page.headers]
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  for (const [path, init] of [
    ['/authorize', {}],
    ['/authorize', { method: 'PUT' }],
    [`/authorize/${'x'.repeat(22)}`, {}],
    [`/authorize/${'x'.repeat(22)}/login`, { method: 'POST' }],
    ['/nothing', { headers: { accept: 'text/html' } }],
    ['/authorize', { method: 'POST', body: 'x'.repeat(20_000), headers: form }],
  ] as const) {
    const answer = await w.server.handle(new Request(`${w.issuer}${path}`, init), { address: '::1' })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    pages.push(answer.headers)
  }
  for (const headers of pages) {
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toMatch(
      headers === page.headers
        ? /^default-src 'none'; style-src 'sha256-[^']+'; frame-ancestors 'none'; base-uri 'none'$/
        : /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    )
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(headers.get('referrer-policy')).toBe('same-origin')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('permissions-policy')).not.toBeNull()
  }
})

test('the forms of the way to an application may end wherever it leads on; every other form ends here', async () => {
  const login = await w.browser().open(authorizeUrl(w, client))
  const { page } = await openConsent(w, client)
  const account = await w.browser().open(`${w.issuer}/account`)
  const hasLimit = ({ headers }: Shown): boolean =>
    headers.get('content-security-policy')?.includes("form-action 'self';") === true
  expect([login, page, account].map(hasLimit)).toEqual([false, false, true])
})
