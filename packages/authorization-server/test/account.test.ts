import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Browser, Shown } from './browser.ts'
import { makeDocuments } from './documents.ts'
import {
  authorizeUrl,
  claimsOf,
  errorOf,
  exchange,
  getTokens,
  notes,
  notesResource,
  openConsent,
  ownerEmail,
  password,
  policyText,
  readerEmail,
  refresh,
  registerClient,
  startWarder,
  type Tokens,
  type Warder,
} from './start.ts'

const isLogin = (page: Shown): boolean => page.html.includes('name="password"')
const isAccount = (page: Shown): boolean => page.html.includes('Applications with access')

/** The page with one of its forms only, as somebody who uses that one sees it. */
function formOf(page: Shown, action: string, text = ''): Shown {
  const forms = page.html.match(/<form.*?<\/form>/gs) ?? []
  const html = forms.find((form) => form.includes(`${action}"`) && form.includes(text))
  if (html === undefined) throw new Error(`no form ${action} with ${text}`)
  return { ...page, html }
}

const grantOf = (form: Shown): string => /name="grant" value="([^"]+)"/.exec(form.html)?.[1] ?? ''

async function save(browser: Browser, page: Shown, scopes: readonly string[]): Promise<Shown> {
  const form = formOf(page, '/grant', 'value="save"')
  return await browser.submit(form, { grant: grantOf(form), decision: 'save', scope: scopes })
}

async function revoke(browser: Browser, page: Shown): Promise<Shown> {
  const form = formOf(page, '/grant', 'value="revoke"')
  return await browser.submit(form, { grant: grantOf(form), decision: 'revoke' })
}

async function visit(w: Warder, email = ownerEmail): Promise<{ browser: Browser; page: Shown }> {
  const browser = w.browser()
  const login = await browser.open(`${w.issuer}/account`)
  return { browser, page: await browser.submit(login, { email, password }) }
}

const scopeOf = async (answer: Response): Promise<string> => ((await answer.json()) as Tokens).scope

describe.each(['http://localhost:8765', 'https://auth.example.test'])('at %s', (issuer) => {
  const secure = issuer.startsWith('https:')
  let w: Warder
  let client: string
  let tokens: Tokens

  beforeAll(async () => {
    w = await startWarder({ issuer })
  })

  beforeEach(async () => {
    for (const { id } of await w.store.grants.list({ live: true }))
      await w.store.grants.revoke(id, 'test', w.clock.now)
    client = await registerClient(w)
    tokens = await getTokens(w, client, ['notes:read', 'notes:write'])
  })

  test('the page shows who may do what, where and since when, after a sign-in', async () => {
    w.clock.now += 60_000
    await refresh(w, client, tokens.refresh_token)
    const browser = w.browser()
    const login = await browser.open(`${w.issuer}/account`)
    expect(isLogin(login)).toBe(true)
    expect((await browser.submit(login, { email: ownerEmail, password: 'wrong' })).status).toBe(403)
    const page = await browser.submit(login, { email: ownerEmail, password })
    expect(isAccount(page)).toBe(true)
    for (const shown of [
      'Test client',
      'unverified',
      'Notes',
      notes,
      'Read notes',
      'Change notes',
      ownerEmail,
    ])
      expect(page.html).toContain(shown)
    expect(page.html).toContain(`<time datetime="${new Date(w.clock.now).toISOString()}"`)
  })

  test('decision 10: the cookie is bound to the visit on http, and the session is worth nothing elsewhere', async () => {
    const { browser, page } = await visit(w)
    const elsewhere = [`${w.issuer}/authorize/${'a'.repeat(22)}`, `${w.issuer}/account/${'a'.repeat(22)}`]
    for (const url of elsewhere) expect(browser.cookies(url) !== '').toBe(secure)
    const [, value = ''] = browser.cookies(page.url).split('=')
    const other = w.browser()
    const login = await other.open(`${w.issuer}/account`)
    other.setCookie({
      name: secure ? '__Host-warder' : 'warder-transaction',
      value,
      path: secure ? '/' : new URL(login.url).pathname,
    })
    expect(isAccount(await other.open(login.url))).toBe(secure)
    w.clock.now += 600_000
    expect(isLogin(await browser.open(page.url))).toBe(!secure)
  })

  test('F21 nothing is cached, and F26 after signing out the page asks for the password again', async () => {
    const { browser, page } = await visit(w)
    expect(page.headers.get('cache-control')).toBe('no-store')
    const out = formOf(page, '/sign-out')
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { origin: null }])
      expect((await browser.submit(out, {}, headers)).status).toBe(403)
    expect((await browser.submit(out, { form_token: 'A'.repeat(43) })).status).toBe(403)
    expect(isAccount(await browser.open(page.url))).toBe(true)
    const [cookie = ''] = [browser.cookies(page.url)]
    const end = await browser.submit(out, {})
    expect(end.html).toContain('You are signed out')
    const thief = w.browser()
    const [name = '', value = ''] = cookie.split('=')
    thief.setCookie({ name, value, path: secure ? '/' : new URL(page.url).pathname })
    expect(isLogin(await thief.open(page.url))).toBe(true)
    expect((await refresh(w, client, tokens.refresh_token)).status).toBe(200)
  })

  test('C31 what is revoked there refreshes nothing any more, and other grants go on', async () => {
    const otherClient = await registerClient(w)
    const others = await getTokens(w, otherClient, ['notes:read'])
    const { browser, page } = await visit(w)
    const form = formOf(page, '/grant', 'value="revoke"')
    const [newest] = await w.store.grants.listInUse('wus_owner', w.clock.now)
    const own = (await w.store.grants.list({ clientId: client })).find(
      ({ revokedAt }) => revokedAt === undefined,
    )
    expect(newest).toBeDefined()
    const after = await browser.submit(form, { grant: own?.id ?? '', decision: 'revoke' })
    expect(after.html).toContain('Revoked.')
    expect(await errorOf(await refresh(w, client, tokens.refresh_token))).toBe('400 invalid_grant')
    expect((await refresh(w, otherClient, others.refresh_token)).status).toBe(200)
  })

  test('narrowed: the next refresh brings less, the feed says so, and the scope counts as declined', async () => {
    const { browser, page } = await visit(w)
    expect((await save(browser, page, [])).html).toContain('Saved.')
    const [grant] = await w.store.grants.listInUse('wus_owner', w.clock.now)
    expect(grant?.scopes).toEqual(['notes:read'])
    const changes = await w.store.changes.listAfter(0, 1000)
    expect(changes.slice(-2).map(({ kind, subject }) => `${kind} ${subject}`)).toEqual([
      'consents-changed wus_owner',
      `grant-changed ${grant?.id}`,
    ])
    expect(
      await w.store.transactions.listDeclined({ userId: 'wus_owner', since: w.clock.now - 1 }),
    ).toContainEqual(expect.objectContaining({ clientId: client, resource: notes, scope: 'notes:write' }))
    expect(await scopeOf(await refresh(w, client, tokens.refresh_token))).toBe('notes:read')
  })

  test('widened: the decline is forgotten, and the next refresh brings more, but never what the rules do not offer', async () => {
    const { browser, page } = await visit(w)
    const narrowed = await save(browser, page, [])
    await save(browser, narrowed, ['notes:write', 'notes:admin', 'notes:everything'])
    const declined = await w.store.transactions.listDeclined({ userId: 'wus_owner', since: 0 })
    expect(declined.filter(({ clientId }) => clientId === client)).toEqual([])
    expect(await scopeOf(await refresh(w, client, tokens.refresh_token))).toBe(
      'notes:read notes:write notes:admin',
    )
  })

  test('nobody changes what is not theirs, and C31 not after being disabled', async () => {
    const { browser, page } = await visit(w)
    const form = formOf(page, '/grant', 'value="revoke"')
    const reader = await visit(w, readerEmail)
    expect(reader.page.html).not.toContain('Test client')
    const token = /name="form_token" value="([^"]+)"/.exec(reader.page.html)?.[1] ?? ''
    const path = new URL(reader.page.url).pathname
    const forged = { ...form, html: form.html.replace(/action="[^"]+"/, `action="${path}/grant"`) }
    const answer = await reader.browser.submit(forged, {
      form_token: token,
      grant: grantOf(form),
      decision: 'revoke',
    })
    expect(answer.html).toContain('Nothing was changed')
    expect((await refresh(w, client, tokens.refresh_token)).status).toBe(200)
    // F15, F27: the token of another visit, or of nobody.
    expect(
      (await browser.submit(form, { form_token: token, grant: grantOf(form), decision: 'revoke' })).status,
    ).toBe(403)
    expect((await w.browser().submit(form, { grant: grantOf(form), decision: 'revoke' })).status).toBe(400)
    await w.store.users.setDisabled('wus_reader', true, w.clock.now)
    expect(isLogin(await reader.browser.open(reader.page.url))).toBe(true)
    await w.store.users.setDisabled('wus_reader', false, w.clock.now)
  })

  test('S11 another sign-in is listed and can be ended', async () => {
    const first = await visit(w)
    const second = await visit(w)
    const form = formOf(second.page, '/session')
    const session = /name="session" value="([^"]+)"/.exec(form.html)?.[1] ?? ''
    const sessions = await w.store.sessions.list('wus_owner', w.clock.now)
    expect(sessions.map(({ hash }) => hash)).toContain(session)
    for (const { hash } of sessions.slice()) {
      if (second.page.html.includes(hash)) await second.browser.submit(form, { session: hash })
    }
    expect(isLogin(await first.browser.open(first.page.url))).toBe(true)
    expect(isAccount(await second.browser.open(second.page.url))).toBe(true)
    expect((await second.browser.submit(form, { session: 'A'.repeat(43) })).html).toContain(
      'Nothing was changed',
    )
  })

  test('F06 a cookie that somebody planted before the sign-in shares nothing of it', async () => {
    const [victim, attacker] = [w.browser(), w.browser()]
    const planted = {
      name: secure ? '__Host-warder' : 'warder-transaction',
      value: 'A'.repeat(43),
      path: '/',
    }
    victim.setCookie(planted)
    attacker.setCookie(planted)
    const page = await victim.submit(await victim.open(`${w.issuer}/account`), {
      email: ownerEmail,
      password,
    })
    expect(isAccount(page)).toBe(true)
    expect(isLogin(await attacker.open(page.url))).toBe(true)
    expect((await attacker.submit(formOf(page, '/sign-out'), {})).status).toBe(403)
  })
})

test('an address without a visit says how to come back, and forms lead to the page', async () => {
  const w = await startWarder()
  const lost = await w.browser().open(`${w.issuer}/account/${'a'.repeat(22)}`)
  expect([lost.status, lost.html.includes('Open the account page again')]).toEqual([400, true])
  const { browser, page } = await visit(w)
  expect(isAccount(await browser.open(`${page.url}/grant`))).toBe(true)
  const form = formOf(page, '/sign-out')
  expect((await browser.submit({ ...form, html: form.html.replace('sign-out', 'grant') }, {})).status).toBe(
    400,
  )
})

test('RFC 9068 auth_time is when the password was shown, not when the token was made', async () => {
  const w = await startWarder({ issuer: 'https://auth.example.test' })
  const client = await registerClient(w)
  const start = Math.floor(w.clock.now / 1000)
  const { browser, page } = await openConsent(w, client)
  await browser.submit(page, { decision: 'deny' })
  w.clock.now += 3_600_000
  const again = await browser.open(authorizeUrl(w, client))
  const { left } = await browser.submit(again, { decision: 'allow' })
  const tokens = (await (await exchange(w, client, left?.searchParams.get('code') ?? '')).json()) as Tokens
  expect(claimsOf(tokens.access_token)).toMatchObject({ auth_time: start, iat: start + 3600 })
  const refreshed = (await (await refresh(w, client, tokens.refresh_token)).json()) as Tokens
  expect(claimsOf(refreshed.access_token)['auth_time']).toBe(start)
})

describe('one consent page for several servers', () => {
  const appCallback = 'https://app.example/cb'
  const files = {
    ...notesResource,
    resource: 'http://localhost:8765/files/mcp',
    server: 'files',
    title: 'Files',
    tools: [],
  }
  const policy = policyText
    .replace(
      'access:',
      `  files:
    url: http://127.0.0.1:3002/mcp
    scopes: { files:read: { title: Read files, basic: true }, files:write: { title: Change files } }
    tools: [{ match: read, scopes: [files:read] }]
access:`,
    )
    .replace('notes:write, notes:admin] }', 'notes:write, notes:admin, files:read, files:write] }')
  let w: Warder
  let app: string

  beforeEach(async () => {
    const documents = await makeDocuments()
    w = await startWarder({
      issuer: 'https://auth.example.test',
      policy,
      fetch: documents.fetch,
      resources: () => [notesResource, files],
    })
    app = documents.add('app', { redirect_uris: [appCallback] })
  })

  const ask = { redirect_uri: appCallback, scope: 'notes:read' }
  const next = { ...ask, resource: files.resource, scope: null }

  test('the yes to another server is off by default, and counts for its basic scopes alone', async () => {
    const { browser, page } = await openConsent(w, app, ask)
    const input = new RegExp(`<input[^>]*value="${files.resource}"[^>]*>`).exec(page.html)?.[0]
    expect(input).toBeDefined()
    expect(input).not.toContain('checked')
    await browser.submit(page, { decision: 'allow', server: files.resource })
    const { left } = await browser.open(authorizeUrl(w, app, next))
    const code = left?.searchParams.get('code') ?? ''
    const answer = await exchange(w, app, code, { redirect_uri: appCallback })
    expect(await scopeOf(answer)).toBe('files:read')
    const wider = await browser.open(authorizeUrl(w, app, { ...next, scope: 'files:read files:write' }))
    expect(wider.html).toContain('name="decision"')
  })

  test('left off, or denied, the next server has its own page', async () => {
    const { browser, page } = await openConsent(w, app, ask)
    await browser.submit(page, { decision: 'deny', server: files.resource })
    const again = await browser.open(authorizeUrl(w, app, ask))
    await browser.submit(again, { decision: 'allow', server: 'https://auth.example.test/other' })
    expect((await browser.open(authorizeUrl(w, app, next))).html).toContain('name="decision"')
  })

  test('E26 a client that nobody vouches for is never offered another server, whatever its form says', async () => {
    const local = await registerClient(w)
    const { browser, page } = await openConsent(w, local)
    expect(page.html).not.toContain(files.resource)
    await browser.submit(page, { decision: 'allow', server: files.resource })
    const other = await browser.open(authorizeUrl(w, local, { resource: files.resource }))
    expect(other.html).toContain('name="decision"')
  })

  test('a revoked grant takes the remembered yes with it', async () => {
    const { browser, page } = await openConsent(w, app, ask)
    await browser.submit(page, { decision: 'allow' })
    expect((await browser.open(authorizeUrl(w, app, ask))).left).toBeDefined()
    const account = await browser.open(`${w.issuer}/account`)
    await revoke(browser, account)
    expect((await browser.open(authorizeUrl(w, app, ask))).html).toContain('name="decision"')
  })
})
