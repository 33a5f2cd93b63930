import { type Policy, readPolicy } from '@warder/policy'
import { beforeEach, expect, test } from 'vitest'
import type { ServedResource } from '../src/index.ts'
import { makeDocuments } from './documents.ts'
import { authorizeUrl, notesResource, openConsent, policyText, startWarder, type Warder } from './start.ts'

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
let changed: Policy | undefined
beforeEach(async () => {
  changed = undefined
  const documents = await makeDocuments()
  const resources = [notesResource, ...['files', 'half', 'advanced', 'not-in-the-rules'].map(serve)]
  w = await startWarder({
    policy,
    betweenPolicy: (read) => changed ?? read,
    fetch: documents.fetch,
    resources: () => resources,
  })
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

test('a scope that becomes a basic one of another server while the page is open is shown before it is given', async () => {
  const asked = { redirect_uri, resource: placeOf('notes') }
  const more = { ...asked, resource: placeOf('files') }
  const { browser, page } = await openConsent(w, app, asked)
  changed = readPolicy(
    policy
      .replace(
        'Read files, basic: true }',
        'Read files, basic: true }, files:send: { title: Send files, basic: true }',
      )
      .replace('files:read, half:one', 'files:read, files:send, half:one'),
  )
  const again = await browser.submit(page, { decision: 'allow', server: placeOf('files') })
  expect([again.left, page.html.includes('Send files')]).toEqual([undefined, false])
  expect(again.html).toContain('Send files')
  expect(await browser.open(authorizeUrl(w, app, more))).toMatchObject({ left: undefined })
  // Allowed there, it counts.
  const { left } = await browser.submit(again, { decision: 'allow', server: placeOf('files') })
  expect(left?.searchParams.has('code')).toBe(true)
  const granted = await w.store.transactions.loadConsents({
    userId: 'wus_owner',
    clientId: app,
    redirectHost: 'app.example',
    resource: placeOf('files'),
  })
  expect(granted.map(({ scope, decision }) => [scope, decision])).toEqual([
    ['files:read', 'granted'],
    ['files:send', 'granted'],
  ])
})

test('its twin: what happens to another server that is not switched on keeps nobody from Allow', async () => {
  const { browser, page } = await openConsent(w, app, { redirect_uri, resource: placeOf('notes') })
  changed = readPolicy(policy.replace('files:read, half:one', 'half:one'))
  expect((await browser.submit(page, { decision: 'allow' })).left?.searchParams.has('code')).toBe(true)
})
