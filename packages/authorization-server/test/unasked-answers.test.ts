import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeDocuments } from './documents.ts'
import { authorizeUrl, callback, openConsent, registerClient, startWarder, type Warder } from './start.ts'

const evil = 'https://evil.example/phish'
const link = 'vscode://vscode.git/clone?url=https://evil.example/x.git'
const refused: readonly (readonly [string, Record<string, string>])[] = [
  ['response_type=token', { response_type: 'token' }],
  ['an unknown scope', { scope: 'no:such' }],
  ['prompt=none', { prompt: 'none' }],
]

let w: Warder
let document: string
beforeAll(async () => {
  const documents = await makeDocuments()
  w = await startWarder({ fetch: documents.fetch })
  document = documents.add('anybody', { redirect_uris: [evil, callback, 'https://localhost:9443/cb'] })
})

/** The answer of the authorization endpoint to a browser that holds nothing of ours. */
const ask = (id: string, redirect_uri: string, over: Record<string, string>): Promise<Response> =>
  w.get(authorizeUrl(w, id, { redirect_uri, ...over }), { accept: 'text/html' })

/** The words of a page, without its style sheet and its tags. */
const wordsOf = (html: string): string => html.replace(/<style>.*<\/style>/s, '').replaceAll(/<[^>]+>/g, '')

describe.each([
  ['a document', evil, 'evil.example'],
  ['a registration', evil, 'evil.example'],
  ['a registration with a private scheme', link, 'vscode:'],
])('the client of %s, which anybody can make', (kind, redirectUri, shown) => {
  let id: string
  beforeEach(async () => {
    id = kind === 'a document' ? document : await registerClient(w, [redirectUri])
  })

  test.each(refused)(
    'AS-16 AS-17 %s sends nobody there who has not signed in: a page',
    async (_name, over) => {
      const answer = await ask(id, redirectUri, over)
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
      expect(answer.headers.get('set-cookie')).toBeNull()
      const html = await answer.text()
      expect(wordsOf(html)).toContain(`The answer would have gone to ${shown}. Nothing was sent there.`)
      expect(wordsOf(html)).toContain('If you did not start this yourself just now, close this page.')
      expect(html).not.toMatch(/<a\b|<form|http-equiv|<script/i)
      expect(w.logs.at(-1)).toMatchObject({
        event: 'refused',
        detail: expect.stringContaining(`client ${id}`),
      })
    },
  )

  test.each([
    ['', { response_type: 'token' }],
    ['response_type, ', { response_type: null }],
  ])('the log says %jand whose it is', async (detail, over) => {
    await w.get(authorizeUrl(w, id, { redirect_uri: redirectUri, ...over }), { accept: 'text/html' })
    expect(w.logs.at(-1)).toMatchObject({ event: 'refused', detail: `${detail}client ${id}` })
  })

  test('its twin: a request without a defect begins a sign-in, and No goes back there', async () => {
    const { browser, page } = await openConsent(w, id, { redirect_uri: redirectUri })
    const { left } = await browser.submit(page, { decision: 'deny' })
    expect(left?.href.startsWith(redirectUri)).toBe(true)
    expect(left?.searchParams.get('error')).toBe('access_denied')
  })
})

describe.each(refused)('%s', (_name, over) => {
  test.each([callback, 'https://localhost:9443/cb'])(
    'goes back to a program on the computer of the user, at %s',
    async (redirectUri) => {
      for (const id of [document, await registerClient(w, [redirectUri])]) {
        const answer = await ask(id, redirectUri, over)
        expect(answer.status).toBe(303)
        expect(answer.headers.get('location')).toMatch(new RegExp(`^${redirectUri}\\?error=`))
      }
    },
  )

  test('goes back to a client that the operator entered, wherever it is', async () => {
    const id = `entered-${Object.keys(over)[0]}`
    const metadata = { clientName: 'Entered', redirectUris: [evil], native: false, grantTypes: [] }
    const client = { id, kind: 'pre-registered' as const, metadata: JSON.stringify(metadata) }
    await w.store.clients.add({ ...client, now: w.clock.now })
    const answer = await ask(id, evil, over)
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      expect.stringMatching(/^https:\/\/evil\.example\/phish\?error=/),
    ])
  })
})

test('a program that looks at the URL first reads the error itself', async () => {
  const url = authorizeUrl(w, document, { redirect_uri: evil, response_type: 'token' })
  const answer = await w.get(url, { accept: 'application/json' })
  expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
  expect(await answer.json()).toMatchObject({ error: 'unsupported_response_type' })
})
