import { beforeAll, expect, test } from 'vitest'
import { authorizeUrl, openConsent, registerClient, startWarder, type Warder } from './start.ts'

const one = 'A'.repeat(43)
const two = 'b'.repeat(43)

let web: Warder
let local: Warder
let clients: Map<Warder, string>
beforeAll(async () => {
  web = await startWarder({ issuer: 'https://auth.example.test' })
  local = await startWarder()
  clients = new Map([
    [web, await registerClient(web)],
    [local, await registerClient(local)],
  ])
})

/** The secrets that a browser has after it began a sign-in with these cookies. */
async function secretsAfter(w: Warder, cookie: string): Promise<string> {
  const answer = await w.get(authorizeUrl(w, clients.get(w) ?? ''), { cookie })
  return /^[^=]+=([^;]*);/.exec(answer.headers.get('set-cookie') ?? '')?.[1] ?? ''
}

test('on https the secrets that came go on, wherever their cookie stands among others', async () => {
  expect(await secretsAfter(web, `__Host-warder=${one}`)).toBe(one)
  expect(await secretsAfter(web, `x=y; __Host-warder=${one}.${two}; z=${two}`)).toBe(`${one}.${two}`)
  expect(await secretsAfter(web, `__Host-warder=short.${two}`)).toBe(two)
})

test.each([
  ['of another length', `__Host-warder=${one}A`],
  ['of another length', `__Host-warder=${one.slice(1)}`],
  ['of other characters', `__Host-warder=${one.slice(1)}!`],
  ['under another name', `__Host-wardeR=${one}`],
  ['under a longer name', `__Host-warder-x=${one}`],
  ['absent', ''],
])('F06 a secret %s is none: the browser gets a new one', async (_name, cookie) => {
  const given = await secretsAfter(web, cookie)
  expect(given).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(given).not.toContain(one.slice(1))
})

test('decision 10: on http loopback each sign-in has a new secret, whatever cookie another port has set', async () => {
  const given = await secretsAfter(local, `warder-transaction=${one}`)
  expect(given).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(given).not.toBe(one)
})

test.each([
  ['http://localhost:8765', 'warder-transaction'],
  ['https://auth.example.test', '__Host-warder'],
])('F08 at %s the right secret counts in the cookie %s alone', async (issuer, name) => {
  const w = issuer.startsWith('https:') ? web : local
  const { browser, page } = await openConsent(w, clients.get(w) ?? '')
  const [, secret = ''] = new RegExp(`${name}=([^;.]*)`).exec(browser.cookies(page.url)) ?? []
  const { pathname } = new URL(page.url)
  expect((await w.get(pathname, { cookie: `a=b; ${name}=${secret}` })).status).toBe(200)
  const other = name === '__Host-warder' ? 'warder-transaction' : '__Host-warder'
  for (const wrong of [other, name.replace('r', 'R'), `${name}2`, `x${name}`])
    expect((await w.get(pathname, { cookie: `${wrong}=${secret}` })).status).toBe(403)
})
