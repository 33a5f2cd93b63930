import { beforeAll, describe, expect, test } from 'vitest'
import type { Shown } from './browser.ts'
import { makeDocuments } from './documents.ts'
import {
  authorizeUrl,
  callback,
  claimsOf,
  exchange,
  getTokens,
  notes,
  notesResource,
  openConsent,
  ownerEmail,
  policyText,
  readerEmail,
  registerClient,
  signIn,
  startWarder,
  type Tokens,
  type Warder,
} from './start.ts'

const appCallback = 'https://app.example/cb'
const all = 'notes:read notes:write notes:admin'

let w: Warder
let client: string
let app: string

beforeAll(async () => {
  const documents = await makeDocuments()
  w = await startWarder({ fetch: documents.fetch })
  client = await registerClient(w)
  app = documents.add('app', {
    redirect_uris: [appCallback, 'https://app.example/other', 'https://other.example/cb', callback],
  })
})

const isConsent = (page: Shown): boolean => page.html.includes('name="decision"')

/** Whether the switch of a scope is on; undefined without one. */
function switchOf(page: Shown, scope: string): boolean | undefined {
  const input = new RegExp(`<input[^>]*value="${scope}"[^>]*>`).exec(page.html)?.[0]
  return input?.includes(' checked')
}

/** What a browser that went back with a code was granted. */
async function granted(id: string, { left }: Shown): Promise<string> {
  const answer = await exchange(w, id, left?.searchParams.get('code') ?? '')
  return ((await answer.json()) as Tokens).scope
}

test('F25 AS-27 the page shows who asks, where the answer goes, for which server, and each scope in words', async () => {
  const { page } = await openConsent(w, client, { scope: all })
  for (const shown of [
    'Test client',
    '127.0.0.1:33418',
    'Notes',
    notes,
    'Read notes',
    'Change notes',
    'Remove everything',
    'Nobody can bring it back.',
    'search_notes',
    'create_note',
    'wipe',
    ownerEmail,
    '30 days',
    '10 minutes',
  ]) {
    expect(page.html).toContain(shown)
  }
  expect(page.html).toMatch(/unverified|not verified|cannot be verified|nobody has/i)
  expect(page.html).toContain('Whichever program listens there gets the access')
  // Under the one scope that opens it, and marked where it is risky.
  expect(page.html.match(/search_notes/g)).toHaveLength(1)
  expect(page.html.match(/<li[^>]*><code><bdi>\w+<\/bdi><\/code>.*?<\/li>/g)).toEqual([
    expect.not.stringContaining('class'),
    expect.not.stringContaining('class'),
    expect.stringMatching(/wipe.*class/),
  ])
})

test('E26 a yes of a client that nobody vouches for is forgotten: high risk is off again', async () => {
  const id = await registerClient(w)
  for (let at = 0; at < 2; at += 1) {
    const { browser, page } = await openConsent(w, id, { scope: 'notes:admin' })
    expect(switchOf(page, 'notes:admin')).toBe(false)
    await browser.submit(page, { decision: 'allow', scope: 'notes:admin' })
  }
  expect((await w.store.grants.list({ clientId: id })).map(({ scopes }) => scopes)).toEqual([
    ['notes:admin'],
    ['notes:admin'],
  ])
})

test('basic scopes have no switch, others are on, high risk is off', async () => {
  const { browser, page } = await openConsent(w, client, { scope: all })
  expect(switchOf(page, 'notes:read')).toBeUndefined()
  expect(switchOf(page, 'notes:write')).toBe(true)
  expect(switchOf(page, 'notes:admin')).toBe(false)
  const end = await browser.submit(page, { decision: 'allow', scope: ['notes:write'] })
  expect(await granted(client, end)).toBe('notes:read notes:write')
})

test('without scope in the request, the basic scopes of the resource', async () => {
  const { browser, page } = await openConsent(w, client, { scope: null })
  const end = await browser.submit(page, { decision: 'allow', scope: ['notes:write', 'notes:admin'] })
  expect(await granted(client, end)).toBe('notes:read')
})

test('what a scope implies is offered with it, so that the smaller part can be granted alone', async () => {
  const { browser, page } = await openConsent(w, client, { scope: 'notes:write' })
  expect(page.html).toContain('Read notes')
  const end = await browser.submit(page, { decision: 'allow', scope: [] })
  expect(await granted(client, end)).toBe('notes:read')
})

describe('the matrix decides what is offered', () => {
  test('a user who may only read is not offered more', async () => {
    const { browser, page } = await openConsent(w, client, { scope: all }, readerEmail)
    expect(switchOf(page, 'notes:write')).toBeUndefined()
    const end = await browser.submit(page, { decision: 'allow', scope: ['notes:write', 'notes:admin'] })
    expect(await granted(client, end)).toBe('notes:read')
  })

  test('a request for nothing that is allowed goes back with access_denied', async () => {
    const browser = w.browser()
    const login = await browser.open(authorizeUrl(w, client, { scope: 'notes:admin' }))
    const { left } = await signIn(browser, login, readerEmail)
    expect(left?.searchParams.get('error')).toBe('access_denied')
    expect(left?.searchParams.get('iss')).toBe(w.issuer)
    expect(left?.searchParams.get('error_description')).toContain('access rules')
  })

  test('a self-registered client is not covered by a row without a client', async () => {
    const strict = await startWarder({ policy: policyText.replaceAll('client: any, ', '') })
    const web = await registerClient(strict, [appCallback])
    const local = await registerClient(strict)
    const browser = strict.browser()
    const { left } = await signIn(
      browser,
      await browser.open(authorizeUrl(strict, web, { redirect_uri: appCallback })),
    )
    expect(left?.searchParams.get('error')).toBe('access_denied')
    expect(isConsent((await openConsent(strict, local)).page)).toBe(true)
  })
})

test('Allow with every switch off is a no, and what was switched off stays off next time', async () => {
  const id = await registerClient(w)
  const { browser, page } = await openConsent(w, id, { scope: 'notes:admin' })
  const { left } = await browser.submit(page, { decision: 'allow', scope: [] })
  expect(left?.searchParams.get('error')).toBe('access_denied')
  expect(await w.store.grants.list({ clientId: id })).toEqual([])
  const declined = await w.store.transactions.listDeclined({ userId: 'wus_owner', since: 0 })
  expect(declined.filter(({ clientId }) => clientId === id)).toMatchObject([{ scope: 'notes:admin' }])
})

test.each(['http://127.0.0.1:33418/callback', 'http://[::1]:33418/callback', 'http://localhost/callback'])(
  'declined scopes are remembered for a local client at %s too, whatever port it listens on',
  async (registered) => {
    const id = await registerClient(w, [registered])
    const asked = { scope: 'notes:read notes:write', redirect_uri: registered }
    const first = await openConsent(w, id, asked)
    expect(switchOf(first.page, 'notes:write')).toBe(true)
    await first.browser.submit(first.page, { decision: 'allow', scope: [] })
    const port = registered.replace(/(?::33418)?\/callback/, ':40404/callback')
    const second = await openConsent(w, id, { ...asked, redirect_uri: port })
    expect(switchOf(second.page, 'notes:write')).toBe(false)
    const others = await openConsent(w, await registerClient(w, [registered]), asked)
    expect(switchOf(others.page, 'notes:write')).toBe(true)
  },
)

test('a program that opens links of its own scheme is shown by that scheme', async () => {
  const uri = 'cursor://anysphere/cb/https://app.example'
  const { page } = await openConsent(w, await registerClient(w, [uri]), { redirect_uri: uri })
  expect(page.html).toContain('>cursor</bdi>:</strong> links')
})

test('a scope is shown with the titles of those that it includes', async () => {
  const { page } = await openConsent(w, client, { scope: 'notes:write' })
  expect(page.html).toContain('<p>Includes: <bdi>Read notes</bdi>.</p>')
})

describe('F11 a remembered consent', () => {
  async function openAgain(overrides: Record<string, string | null>): Promise<Shown> {
    return (await openConsent(w, app, { redirect_uri: appCallback, ...overrides })).page
  }

  beforeAll(async () => {
    const { browser, page } = await openConsent(w, app, { redirect_uri: appCallback, scope: 'notes:read' })
    expect((await browser.submit(page, { decision: 'allow' })).left?.searchParams.has('code')).toBe(true)
  })

  test('counts for the same request: no page, a code', async () => {
    const { left } = await openAgain({ scope: 'notes:read' })
    expect(left?.searchParams.has('code')).toBe(true)
    expect((await openAgain({ scope: null })).left?.searchParams.has('code')).toBe(true)
    expect(
      (await openAgain({ scope: null, redirect_uri: 'https://app.example/other' })).left?.searchParams.has(
        'code',
      ),
    ).toBe(true)
  })

  test('is not said again where it counts: what was forgotten meanwhile would come back', async () => {
    const user = await w.store.users.loadByEmail(ownerEmail)
    const standing = () =>
      w.store.transactions.loadConsents({
        userId: user?.id ?? '',
        clientId: app,
        redirectHost: 'app.example',
        resource: notes,
      })
    const before = await standing()
    w.clock.now += 1000
    const { left } = await openAgain({ scope: 'notes:read' })
    expect(left?.searchParams.has('code')).toBe(true)
    expect(before.map(({ scope, decision }) => [scope, decision])).toEqual([['notes:read', 'granted']])
    expect(await standing()).toEqual(before)
  })

  test('PX-03 does not count for a wider scope, another redirect host, another user, or prompt=consent', async () => {
    expect(isConsent(await openAgain({ scope: 'notes:read notes:write' }))).toBe(true)
    expect(
      isConsent(await openAgain({ scope: 'notes:read', redirect_uri: 'https://other.example/cb' })),
    ).toBe(true)
    expect(isConsent(await openAgain({ scope: 'notes:read', prompt: 'consent' }))).toBe(true)
    expect(
      isConsent(
        (await openConsent(w, app, { redirect_uri: appCallback, scope: 'notes:read' }, readerEmail)).page,
      ),
    ).toBe(true)
  })

  test('E26 never counts where the answer goes to a program on this computer', async () => {
    const loopback = { scope: 'notes:read', redirect_uri: callback }
    for (let at = 0; at < 2; at += 1) {
      const { browser, page } = await openConsent(w, app, loopback)
      expect(isConsent(page)).toBe(true)
      expect((await browser.submit(page, { decision: 'allow' })).left?.searchParams.has('code')).toBe(true)
    }
  })

  test('PX-01 PX-02 never counts for a self-registered client', async () => {
    const web = await registerClient(w, [appCallback])
    for (let at = 0; at < 2; at += 1) {
      const { browser, page } = await openConsent(w, web, { redirect_uri: appCallback, scope: 'notes:read' })
      expect(isConsent(page)).toBe(true)
      await browser.submit(page, { decision: 'allow' })
    }
  })

  test('of a pre-registered client counts on the web, and never on loopback', async () => {
    const id = 'operator-app'
    const metadata = {
      clientName: 'Operator app',
      redirectUris: [appCallback, callback],
      native: true,
      grantTypes: [],
    }
    await w.store.clients.add({
      id,
      kind: 'pre-registered',
      metadata: JSON.stringify(metadata),
      now: w.clock.now,
    })
    for (const redirectUri of [appCallback, callback]) {
      const request = { redirect_uri: redirectUri, scope: 'notes:read' }
      const { browser, page } = await openConsent(w, id, request)
      expect(isConsent(page)).toBe(true)
      await browser.submit(page, { decision: 'allow' })
      const again = await openConsent(w, id, request)
      expect(isConsent(again.page)).toBe(redirectUri === callback)
    }
    const classes = (await w.store.grants.list({ clientId: id })).map(({ clientClass }) => clientClass)
    expect(new Set(classes)).toEqual(new Set(['pre-registered']))
  })

  test('does not count for another resource', async () => {
    const documents = await makeDocuments()
    const files = { ...notesResource, resource: 'http://localhost:8765/files/mcp', title: 'Files' }
    const two = await startWarder({ fetch: documents.fetch, resources: () => [notesResource, files] })
    const id = documents.add('app', { redirect_uris: [appCallback] })
    const request = { redirect_uri: appCallback, scope: 'notes:read' }
    const { browser, page } = await openConsent(two, id, request)
    await browser.submit(page, { decision: 'allow' })
    expect((await openConsent(two, id, request)).page.left?.searchParams.has('code')).toBe(true)
    expect(isConsent((await openConsent(two, id, { ...request, resource: files.resource })).page)).toBe(true)
  })
})

describe('decision 7: how sure is the client', () => {
  test.each([
    ['a registered client on loopback', 'local', callback],
    ['a registered client on the web', 'self-registered', appCallback],
  ])('%s is %s', async (_name, expected, redirectUri) => {
    const id = await registerClient(w, [redirectUri])
    const { browser, page } = await openConsent(w, id, { redirect_uri: redirectUri })
    const { left } = await browser.submit(page, { decision: 'allow' })
    const answer = await exchange(w, id, left?.searchParams.get('code') ?? '', { redirect_uri: redirectUri })
    expect(claimsOf(((await answer.json()) as Tokens).access_token)['client_class']).toBe(expected)
  })

  test.each([
    ['document', appCallback],
    ['local', callback],
  ])('a client with a document is %s when the answer goes to %s', async (expected, redirectUri) => {
    const { browser, page } = await openConsent(w, app, { redirect_uri: redirectUri, prompt: 'consent' })
    const { left } = await browser.submit(page, { decision: 'allow' })
    const answer = await exchange(w, app, left?.searchParams.get('code') ?? '', { redirect_uri: redirectUri })
    const tokens = (await answer.json()) as Tokens
    expect(claimsOf(tokens.access_token)).toMatchObject({ client_class: expected, client_id: app })
  })

  test.each([
    'localhost:9443',
    'a.localhost',
    '127.0.0.1',
    '127.8.9.1:8443',
    '[::1]:8443',
    '[::ffff:7f00:1]',
    '0.0.0.0',
  ])(
    'E26 https changes nothing about a redirect to %s: any program there could have put itself there',
    async (host) => {
      const redirectUri = `https://${host}/cb`
      const documents = await makeDocuments()
      const own = await startWarder({ issuer: 'https://auth.example.test', fetch: documents.fetch })
      const id = documents.add('own', { redirect_uris: [redirectUri, appCallback] })
      const opened = await openConsent(own, id, { redirect_uri: redirectUri })
      expect(opened.page.html).toContain('Whichever program listens there gets the access')
      expect((await opened.browser.submit(opened.page, { decision: 'allow' })).left?.host).toBe(host)
      expect((await own.store.grants.list({ clientId: id })).map((grant) => grant.clientClass)).toEqual([
        'local',
      ])
      expect(isConsent(await opened.browser.open(authorizeUrl(own, id, { redirect_uri: redirectUri })))).toBe(
        true,
      )
      // The twin: to its website, the same client needs to ask once.
      const web = { redirect_uri: appCallback }
      await opened.browser.submit(await opened.browser.open(authorizeUrl(own, id, web)), {
        decision: 'allow',
      })
      expect((await opened.browser.open(authorizeUrl(own, id, web))).left?.searchParams.has('code')).toBe(
        true,
      )
      const alone = await registerClient(own, [redirectUri])
      const { browser, page } = await openConsent(own, alone, { redirect_uri: redirectUri })
      await browser.submit(page, { decision: 'allow' })
      expect((await own.store.grants.list({ clientId: alone })).map((grant) => grant.clientClass)).toEqual([
        'local',
      ])
    },
  )
})

test('AS-32 the token says what was granted, not what was asked for', async () => {
  expect((await getTokens(w, client, ['notes:read'])).scope).toBe('notes:read')
})
