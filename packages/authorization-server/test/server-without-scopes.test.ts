import { expect, test } from 'vitest'
import type { Shown } from './browser.ts'
import { makeDocuments } from './documents.ts'
import {
  authorizeUrl,
  exchange,
  openConsent,
  readerEmail,
  registerClient,
  signIn,
  startWarder,
  type Tokens,
} from './start.ts'

const policy = `
version: 1
servers:
  notes:
    url: http://127.0.0.1:3001/mcp
    tools: [{ match: search_notes, scopes: [] }]
access:
  - { who: { user: owner }, client: any, servers: [notes], may: [] }
`
const redirectUri = 'https://app.example/cb'
const isConsent = (page: Shown): boolean => page.html.includes('name="decision"')

test('where a server has no scopes, Allow grants access itself, to those whom the rules let in', async () => {
  const w = await startWarder({ policy })
  const client = await registerClient(w)
  const { browser, page } = await openConsent(w, client)
  const { left } = await browser.submit(page, { decision: 'allow' })
  const answer = await exchange(w, client, left?.searchParams.get('code') ?? '')
  expect(((await answer.json()) as Tokens).scope).toBe('')

  const reader = w.browser()
  const refused = await signIn(reader, await reader.open(authorizeUrl(w, client)), readerEmail)
  expect(refused.left?.searchParams.get('error')).toBe('access_denied')
})

test('F11 a yes without a scope is not remembered: the page is shown each time', async () => {
  const documents = await makeDocuments()
  const w = await startWarder({ policy, fetch: documents.fetch })
  const id = documents.add('app', { redirect_uris: [redirectUri] })
  for (let at = 0; at < 2; at += 1) {
    const { browser, page } = await openConsent(w, id, { redirect_uri: redirectUri })
    expect(isConsent(page)).toBe(true)
    expect((await browser.submit(page, { decision: 'allow' })).left?.searchParams.has('code')).toBe(true)
  }
})
