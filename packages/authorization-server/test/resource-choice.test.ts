import { beforeEach, describe, expect, test } from 'vitest'
import { type Documents, makeDocuments } from './documents.ts'
import {
  authorizeUrl,
  callback,
  notesResource,
  openConsent,
  ownerEmail,
  policyText,
  readerEmail,
  registerClient,
  signIn,
  startWarder,
  type Warder,
} from './start.ts'

const files = {
  ...notesResource,
  resource: 'http://localhost:8765/files/mcp',
  server: 'files',
  title: 'Files',
  tools: [],
}
const unknown = 'http://localhost:8765/secret/mcp'
// The owner may use both servers, the reader the notes alone.
const policy = policyText
  .replace(
    'access:',
    `  files:
    url: http://127.0.0.1:3002/mcp
    scopes: { files:read: { title: Read files, basic: true } }
    tools: [{ match: read, scopes: [files:read] }]
access:`,
  )
  .replace('notes:write, notes:admin] }', 'notes:write, notes:admin, files:read] }')

let documents: Documents
let w: Warder
let client: string
beforeEach(async () => {
  documents = await makeDocuments()
  w = await startWarder({ policy, fetch: documents.fetch, resources: () => [notesResource, files] })
  client = await registerClient(w)
})

/** A page or a redirect without what differs at each visit. */
const plain = (text: string): string =>
  text
    .replace(/authorize\/[\w-]+/g, 'authorize/ID')
    .replace(/value="[\w-]{43}"/g, 'value="TOKEN"')
    .replaceAll('/files/mcp', '/NAME/mcp')
    .replaceAll('/notes/mcp', '/NAME/mcp')
    .replaceAll(/Files|Notes/g, 'TITLE')

describe('A25 a resource that the user may not use', () => {
  test('before the sign-in nothing tells it from one that the user may use', async () => {
    const [mine, other] = await Promise.all(
      [notesResource, files].map(({ resource }) => w.browser().open(authorizeUrl(w, client, { resource }))),
    )
    expect(mine?.status).toBe(200)
    expect(plain(other?.html ?? '')).toBe(plain(mine?.html ?? 'x'))
  })

  test('after the sign-in it is access_denied, with no scope, server or user in it; who may use it is asked', async () => {
    const browser = w.browser()
    const login = await browser.open(authorizeUrl(w, client, { resource: files.resource }))
    const { left } = await signIn(browser, login, readerEmail)
    expect([...(left?.searchParams ?? [])]).toEqual([
      ['error', 'access_denied'],
      ['error_description', 'Your access rules allow this application nothing of what it asks for.'],
      ['state', 'the-state'],
      ['iss', w.issuer],
    ])
    expect(await w.store.grants.list({ clientId: client })).toEqual([])
    const { page } = await openConsent(w, client, { resource: files.resource }, ownerEmail)
    expect(page.html).toContain('Read files')
  })

  test('an unknown one is invalid_target, signed in or not, by the same words for every name', async () => {
    const answers = new Set<string>()
    const { browser, page } = await openConsent(w, client, {}, readerEmail)
    expect(page.html).toContain('name="decision"')
    for (const resource of [
      unknown,
      `${files.resource}/x`,
      `${files.resource}x`,
      'https://elsewhere.example/mcp',
    ]) {
      for (const each of [browser, w.browser()]) {
        const { left } = await each.open(authorizeUrl(w, client, { resource }))
        answers.add(`${left?.origin} ${left?.search}`)
      }
    }
    expect([...answers]).toEqual([
      `${new URL(callback).origin} ?${new URLSearchParams({
        error: 'invalid_target',
        error_description: 'The requested resource is not served here.',
        state: 'the-state',
        iss: w.issuer,
      })}`,
    ])
  })

  test('the page of another server does not offer it, and its name in the form does nothing', async () => {
    const app = documents.add('app', { redirect_uris: ['https://app.example/cb'] })
    const asked = { redirect_uri: 'https://app.example/cb' }
    const { browser, page } = await openConsent(w, app, asked, readerEmail)
    expect(page.html).not.toContain(files.resource)
    await browser.submit(page, { decision: 'allow', server: [files.resource, unknown] })
    const key = { userId: 'wus_reader', clientId: app, redirectHost: 'app.example', resource: files.resource }
    expect(await w.store.transactions.loadConsents(key)).toEqual([])
    const owner = await openConsent(w, app, asked, ownerEmail)
    expect(owner.page.html).toContain(files.resource)
  })
})
