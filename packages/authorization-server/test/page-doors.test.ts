import { beforeAll, expect, test } from 'vitest'
import {
  authorizeUrl,
  openConsent,
  ownerEmail,
  password,
  registerClient,
  startWarder,
  type Warder,
} from './start.ts'

let w: Warder
let client: string
beforeAll(async () => {
  w = await startWarder()
  client = await registerClient(w)
})

test('F09 nothing that a browser holds before the approval stands for it', async () => {
  const { browser, page } = await openConsent(w, client)
  expect(page.html).toContain('name="decision"')
  const again = await browser.open(authorizeUrl(w, client))
  expect(again.left).toBeUndefined()
  expect(again.html).toMatch(/name="(?:password|decision)"/)
  const allowed = await browser.submit(page, { decision: 'allow' })
  expect(allowed.left?.searchParams.get('code')).toEqual(expect.any(String))
})

test('F23 a locale or a template from the request chooses nothing', async () => {
  const plain = await w.browser().open(authorizeUrl(w, client))
  const shownWith = async (extra: Record<string, string>): Promise<string> => {
    const page = await w.browser().open(authorizeUrl(w, client, extra))
    expect(page.status).toBe(200)
    return withoutIds(page.html)
  }
  for (const value of ['../../etc/passwd', '..%2f..%2fetc%2fpasswd', 'de', '<script>']) {
    expect(await shownWith({ ui_locales: value, template: value })).toBe(withoutIds(plain.html))
  }
})

test('F29 S02 no form takes anything without our Origin and its token, whatever the content type', async () => {
  const { browser, page } = await openConsent(w, client)
  const action = /<form[^>]*action="([^"]+)"/.exec(page.html)?.[1] ?? ''
  const cookie = browser.cookies(new URL(action, w.issuer).href)
  const account = await w.browser().open(`${w.issuer}/account`)
  const visit = new URL(account.url).pathname
  const places = [
    action,
    action.replace(/consent$/, 'login'),
    ...['login', 'grant', 'session', 'sign-out'].map((name) => `${visit}/${name}`),
  ]
  for (const place of places) {
    for (const type of ['application/x-www-form-urlencoded', 'application/json', 'text/plain']) {
      const answer = await w.post(place, 'decision=allow', { cookie, 'content-type': type })
      expect([place, type, answer.status >= 400, answer.headers.get('location')]).toEqual([
        place,
        type,
        true,
        null,
      ])
    }
  }
  const allowed = await browser.submit(page, { decision: 'allow' })
  expect(allowed.left?.searchParams.get('code')).toEqual(expect.any(String))
})

test('F33 an account page opened by another person than the one who signed in there is refused', async () => {
  const browser = w.browser()
  const page = await browser.submit(await browser.open(`${w.issuer}/account`), {
    email: ownerEmail,
    password,
  })
  expect(page.html).toContain('Applications with access')
  const other = await w.browser().open(page.url)
  expect(other.html).not.toContain('Applications with access')
  expect(other.html).not.toContain(ownerEmail)
  expect((await browser.open(page.url)).html).toContain('Applications with access')
})

/** A page without what differs at each visit. */
function withoutIds(html: string): string {
  return html.replace(/authorize\/[\w-]+/g, 'authorize/ID').replace(/value="[\w-]{43}"/g, 'value="TOKEN"')
}
