import { beforeEach, expect, test } from 'vitest'
import { makeDocuments } from './documents.ts'
import { authorizeUrl, callback, registerClient, signIn, startWarder, type Warder } from './start.ts'

let w: Warder
let client: string
let strangers: string[]
beforeEach(async () => {
  const documents = await makeDocuments()
  w = await startWarder({ fetch: documents.fetch })
  client = await registerClient(w)
  const kept = { 'cache-control': 'max-age=600' }
  // Enough of them that the bound of one client is not met before that of the address.
  strangers = Array.from({ length: 11 }, (_, at) =>
    documents.add(`stranger-${at}`, { redirect_uris: [callback] }, kept),
  )
})

const load = (at: number, headers: Record<string, string>): Promise<Response> =>
  w.get(authorizeUrl(w, strangers[at % strangers.length] ?? ''), headers)

async function loadOften(headers: Record<string, string>): Promise<Set<number>> {
  const statuses = new Set<number>()
  for (let at = 0; at < 501; at += 1) statuses.add((await load(at, headers)).status)
  return statuses
}

test('U09 what a page of another site loads by itself begins no sign-in, ends none, and fetches nothing', async () => {
  const browser = w.browser()
  const page = await browser.open(authorizeUrl(w, client))
  const image = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }
  expect(await loadOften(image)).toEqual(new Set([403]))
  expect(w.fetched).toEqual([])
  expect((await signIn(browser, page)).html).toContain('name="decision"')
})

test.each(['iframe', 'frame', 'embed', 'object', 'empty', 'script', 'audio', ''])(
  'nor as %j',
  async (destination) => {
    const answer = await load(0, { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': destination })
    expect([answer.status, answer.headers.get('location')]).toEqual([403, null])
    expect(answer.headers.get('set-cookie')).toBeNull()
    expect(w.fetched).toEqual([])
  },
)

test.each([
  ['a link on another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' }],
  [
    'an address that was typed or opened by a program',
    { 'sec-fetch-site': 'none', 'sec-fetch-dest': 'document' },
  ],
  ['a program of a desktop that asks first', { 'sec-fetch-site': 'none', 'sec-fetch-dest': 'empty' }],
  ['an old browser, or a program', {}],
])('%s begins a sign-in', async (_name, headers) => {
  expect((await load(0, headers as Record<string, string>)).headers.get('location')).toMatch(/^\/authorize\//)
})
