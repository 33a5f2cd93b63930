import { beforeEach, expect, test } from 'vitest'
import type { ServedResource } from '../src/index.ts'
import { makeDocuments } from './documents.ts'
import { notesResource, openConsent, policyText, startWarder, type Warder } from './start.ts'

const redirect_uri = 'https://app.example/cb'
const placeOf = (server: string): string => `http://localhost:8765/${server}/mcp`
const serve = (server: string): ServedResource => ({
  resource: placeOf(server),
  server,
  title: server,
  tools: [],
})

const policy = policyText
  .replace(
    'access:',
    `  files:
    url: http://127.0.0.1:3002/mcp
    scopes: { files:read: { title: Read files, basic: true } }
  half:
    url: http://127.0.0.1:3003/mcp
    scopes: { half:one: { title: One, basic: true }, half:two: { title: Two, basic: true } }
  advanced:
    url: http://127.0.0.1:3004/mcp
    scopes: { advanced:all: { title: Everything } }
access:`,
  )
  .replace('notes:write, notes:admin] }', 'notes:write, notes:admin, files:read, half:one, advanced:all] }')

let w: Warder
let app: string
beforeEach(async () => {
  const documents = await makeDocuments()
  const resources = [notesResource, ...['files', 'half', 'advanced', 'not-in-the-rules'].map(serve)]
  w = await startWarder({ policy, fetch: documents.fetch, resources: () => resources })
  app = documents.add('app', { redirect_uris: [redirect_uri] })
})

/** The other servers that the page of this one offers; the page is left with Deny. */
async function offeredBeside(server: string): Promise<string[]> {
  const { browser, page } = await openConsent(w, app, { redirect_uri, resource: placeOf(server) })
  await browser.submit(page, { decision: 'deny' })
  return [...page.html.matchAll(/name="server" value="([^"]+)"/g)].map(([, resource = '']) => resource)
}

test('beside a server stand those whose basic scopes the rules offer, all of them', async () => {
  expect(await offeredBeside('notes')).toEqual([placeOf('files')])
  expect(await offeredBeside('files')).toEqual([placeOf('notes')])
})

test.each(['deny', 'allow'])(
  'after an earlier answer about a server (%s what has a switch) its own page alone asks',
  async (answer) => {
    const asked = { redirect_uri, resource: placeOf('notes'), scope: 'notes:read notes:write' }
    const { browser, page } = await openConsent(w, app, asked)
    const scope = answer === 'allow' ? ['notes:write'] : []
    await browser.submit(page, { decision: 'allow', scope })
    expect(await offeredBeside('files')).toEqual([])
  },
)
