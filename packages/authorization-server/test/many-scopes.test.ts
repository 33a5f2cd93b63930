import { beforeAll, expect, test } from 'vitest'
import {
  exchange,
  notesResource,
  openConsent,
  ownerEmail,
  password,
  registerClient,
  startWarder,
  type Tokens,
  type Warder,
} from './start.ts'

/** As many as a request may ask for, and as long as they may then be, with characters that a form writes as three. */
const scopes = Array.from({ length: 100 }, (_, at) => `notes:${'/'.repeat(31)}:${at}`)

let w: Warder
let client: string
beforeAll(async () => {
  const lines = scopes.map((scope, at) => `      "${scope}": { title: Scope ${at} }`)
  const policy = `
version: 1
servers:
  notes:
    url: http://127.0.0.1:3001/mcp
    scopes:
${lines.join('\n')}
    tools:
      - { match: search_notes, scopes: ["${scopes[0]}"] }
access:
  - { who: { user: owner }, client: any, may: ${JSON.stringify(scopes)} }
`
  w = await startWarder({ policy, resources: () => [notesResource] })
  client = await registerClient(w)
})

const scopeOf = async (code: string | null | undefined): Promise<string> =>
  ((await (await exchange(w, client, code ?? '')).json()) as Tokens).scope

test('Allow grants a hundred scopes with long names, as the page proposes them, and Save changes them', async () => {
  const { browser, page } = await openConsent(w, client, { scope: scopes.join(' ') })
  const on = [...page.html.matchAll(/name="scope" value="([^"]+)"[^>]* checked/g)].map(
    ([, name = '']) => name,
  )
  expect(on).toEqual(scopes)
  const { left } = await browser.submit(page, { decision: 'allow', scope: on })
  expect(await scopeOf(left?.searchParams.get('code'))).toBe(scopes.join(' '))

  const account = w.browser()
  const login = await account.open(`${w.issuer}/account`)
  const shown = await account.submit(login, { email: ownerEmail, password })
  const form =
    (shown.html.match(/<form.*?<\/form>/gs) ?? []).find((one) => one.includes('value="save"')) ?? ''
  const grant = /name="grant" value="([^"]+)"/.exec(form)?.[1] ?? ''
  const fewer = scopes.slice(0, 90)
  const saved = await account.submit({ ...shown, html: form }, { grant, decision: 'save', scope: fewer })
  expect([saved.status, saved.html.includes('Saved.')]).toEqual([200, true])
  expect((await w.store.grants.list({ clientId: client, live: true }))[0]?.scopes).toEqual(fewer)
})

test('C42 a form of a page that is larger than any page of ours is refused', async () => {
  const { browser, page } = await openConsent(w, client, { scope: scopes.join(' ') })
  const much = await browser.submit(page, { decision: 'allow', scope: 'x'.repeat(65_536) })
  expect([much.status, much.left]).toEqual([413, undefined])
  const many = await browser.submit(page, {
    decision: 'allow',
    scope: Array.from({ length: 4_096 }, () => 'x'),
  })
  expect([many.status, many.left]).toEqual([400, undefined])
  expect(
    (await browser.submit(page, { decision: 'allow', scope: scopes })).left?.searchParams.has('code'),
  ).toBe(true)
})
