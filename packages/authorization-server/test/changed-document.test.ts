import type { Store } from '@warder/store'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Browser, Shown } from './browser.ts'
import { type Documents, makeDocuments } from './documents.ts'
import {
  authorizeUrl,
  errorOf,
  exchange,
  openConsent,
  refresh,
  signIn,
  startWarder,
  type Tokens,
  type Warder,
} from './start.ts'

const redirectUri = 'https://app.example/cb'
const asked = { redirect_uri: redirectUri, scope: 'notes:read' }
const first = {
  client_name: 'Notes for you',
  redirect_uris: [redirectUri, 'https://app.example/other'],
  logo_uri: 'https://app.example/logo.png',
  jwks_uri: 'https://app.example/jwks',
  software_version: '1',
}
const changedWords = 'describes itself otherwise'

let documents: Documents
let w: Warder
beforeAll(async () => {
  documents = await makeDocuments()
})
beforeEach(async () => {
  w = await startWarder({ issuer: 'https://auth.example.test', fetch: documents.fetch })
})

const isConsent = (page: Shown): boolean => page.html.includes('name="decision"')
const hasCode = (page: Shown): boolean => page.left?.searchParams.has('code') === true

/** A browser whose user has allowed the client of this document. */
async function allowed(id: string): Promise<Browser> {
  const { browser, page } = await openConsent(w, id, asked)
  expect(isConsent(page)).toBe(true)
  expect(page.html).not.toContain(changedWords)
  expect(hasCode(await browser.submit(page, { decision: 'allow' }))).toBe(true)
  // The positive twin of everything below: the same document, and nobody is asked.
  expect(hasCode(await browser.open(authorizeUrl(w, id, asked)))).toBe(true)
  return browser
}

describe('E23 a document that becomes another client between two sign-ins', () => {
  test.each<[string, Record<string, unknown>]>([
    ['name', { client_name: 'Notes for all' }],
    ['name in another language', { 'client_name#de': 'Notizen' }],
    ['logo', { logo_uri: 'https://app.example/other-logo.png' }],
    ['home page', { client_uri: 'https://app.example/new' }],
    ['keys by URL', { jwks_uri: 'https://app.example/other-jwks' }],
    ['keys by value', { jwks: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AA' }] } }],
    ['one redirect URI more', { redirect_uris: [...first.redirect_uris, 'https://app.example/third'] }],
    ['one redirect URI less', { redirect_uris: [redirectUri] }],
  ])('%s: consent is asked for again, with words, and the log and the record tell', async (name, change) => {
    const place = `changing-${name.replaceAll(' ', '-')}`
    const id = documents.add(place, first)
    const browser = await allowed(id)
    documents.add(place, { ...first, ...change })
    const page = await browser.open(authorizeUrl(w, id, asked))
    expect(isConsent(page)).toBe(true)
    expect(page.html).toContain(changedWords)
    expect(w.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', event: 'client_changed', client: id, user: 'wus_owner' }),
    )
    expect(hasCode(await browser.submit(page, { decision: 'allow' }))).toBe(true)
    expect(hasCode(await browser.open(authorizeUrl(w, id, asked)))).toBe(true)
    const digests = (await w.store.events.listAfter(0, 1_000))
      .filter(({ kind }) => kind === 'transaction.granted')
      .map(({ details }) => (JSON.parse(details) as { clientDigest?: string }).clientDigest)
    expect(digests).toHaveLength(4)
    expect(digests.slice(0, 2)).toEqual([digests[0], digests[0]])
    expect(digests.slice(2)).toEqual([digests[2], digests[2]])
    expect(digests[0]).not.toBe(digests[2])
  })

  test('denied, the old yes does not come back with the old document unasked', async () => {
    const id = documents.add('back', first)
    const browser = await allowed(id)
    documents.add('back', { ...first, client_name: 'Another' })
    const page = await browser.open(authorizeUrl(w, id, asked))
    expect((await browser.submit(page, { decision: 'deny' })).left?.searchParams.get('error')).toBe(
      'access_denied',
    )
    expect(isConsent(await browser.open(authorizeUrl(w, id, asked)))).toBe(true)
    // It is the client that was allowed, again.
    documents.add('back', first)
    expect(hasCode(await browser.open(authorizeUrl(w, id, asked)))).toBe(true)
  })

  test('a new version number, contact or order changes nobody', async () => {
    const id = documents.add('versions', first)
    const browser = await allowed(id)
    const { client_name, ...others } = first
    documents.add('versions', {
      ...others,
      client_name,
      redirect_uris: first.redirect_uris.toReversed(),
      software_version: '2',
      contacts: ['x@app.example'],
    })
    expect(hasCode(await browser.open(authorizeUrl(w, id, asked)))).toBe(true)
  })

  test('a no that was said before is no change of the client', async () => {
    const both = { ...asked, scope: 'notes:read notes:write' }
    const id = documents.add('declined', first)
    const { browser, page } = await openConsent(w, id, both)
    await browser.submit(page, { decision: 'allow', scope: [] })
    const again = await browser.open(authorizeUrl(w, id, both))
    expect(isConsent(again)).toBe(true)
    expect(again.html).not.toContain(changedWords)
    expect(w.logs.filter(({ event }) => event === 'client_changed')).toEqual([])
  })

  test('a yes to one scope of the new client is no yes to the others', async () => {
    const both = { ...asked, scope: 'notes:read notes:write' }
    const id = documents.add('scopes', first)
    const { browser, page } = await openConsent(w, id, both)
    await browser.submit(page, { decision: 'allow', scope: 'notes:write' })
    expect(hasCode(await browser.open(authorizeUrl(w, id, both)))).toBe(true)
    documents.add('scopes', { ...first, client_name: 'Another' })
    await browser.submit(await browser.open(authorizeUrl(w, id, asked)), { decision: 'allow' })
    expect(hasCode(await browser.open(authorizeUrl(w, id, asked)))).toBe(true)
    expect(isConsent(await browser.open(authorizeUrl(w, id, both)))).toBe(true)
  })
})

describe('a yes that is forgotten', () => {
  test('after a new password nobody gets a code without asking: an intruder may have said that yes', async () => {
    const id = documents.add('intruder', first)
    await allowed(id)
    const { passwordHash = '' } = (await w.store.users.loadById('wus_owner')) ?? {}
    await w.store.users.setPassword('wus_owner', passwordHash, w.clock.now)
    expect(isConsent((await openConsent(w, id, asked)).page)).toBe(true)
  })

  describe('while nobody is asked', () => {
    /** Happens once, between the look at what was said before and the code that follows from it. */
    let meanwhile: (() => Promise<unknown>) | undefined
    beforeEach(async () => {
      meanwhile = undefined
      const between = (store: Store): Store => ({
        ...store,
        transactions: {
          ...store.transactions,
          async loadConsents(key) {
            const said = await store.transactions.loadConsents(key)
            const happens = meanwhile
            meanwhile = undefined
            await happens?.()
            return said
          },
        },
      })
      w = await startWarder({ issuer: 'https://auth.example.test', fetch: documents.fetch, between })
    })
    const grantsOf = (clientId: string) => w.store.grants.list({ clientId, live: true })

    test('a yes that is taken back makes no code any more: the user is asked', async () => {
      const id = documents.add('taken-back', first)
      const browser = await allowed(id)
      const grants = await grantsOf(id)
      meanwhile = async () => {
        for (const grant of grants) {
          const revoked = { id: grant.id, userId: 'wus_owner', because: 'by the user', now: w.clock.now }
          await w.store.grants.revokeAndForget(revoked)
        }
      }
      const page = await browser.open(authorizeUrl(w, id, asked))
      expect([isConsent(page), page.left, await grantsOf(id)]).toEqual([true, undefined, []])
      expect(hasCode(await browser.submit(page, { decision: 'allow' }))).toBe(true)
    })

    test('nor one that was said when the document said something else', async () => {
      const id = documents.add('said-anew', first)
      const browser = await allowed(id)
      const before = (await grantsOf(id)).length
      meanwhile = async () => {
        documents.add('said-anew', { ...first, client_name: 'Another' })
        const other = await openConsent(w, id, asked)
        expect(hasCode(await other.browser.submit(other.page, { decision: 'allow' }))).toBe(true)
      }
      const page = await browser.open(authorizeUrl(w, id, asked))
      expect([isConsent(page), page.left]).toEqual([true, undefined])
      expect((await grantsOf(id)).length).toBe(before + 1)
    })

    test('their twin: what happens to another client changes nothing', async () => {
      const id = documents.add('stays', first)
      const other = documents.add('goes', first)
      await allowed(other)
      const browser = await allowed(id)
      meanwhile = () => w.store.clients.revoke(other, w.clock.now)
      expect(hasCode(await browser.open(authorizeUrl(w, id, asked)))).toBe(true)
    })
  })

  test('after the operator ended a client that is a document, its users are asked again', async () => {
    const id = documents.add('ended', first)
    const browser = await allowed(id)
    await w.store.clients.revoke(id, w.clock.now)
    expect(isConsent(await browser.open(authorizeUrl(w, id, asked)))).toBe(true)
  })
})

test('E19 nothing that a document points at is fetched, inside or outside', async () => {
  const inner = 'https://169.254.169.254/latest/meta-data'
  const id = documents.add('pointing', {
    ...first,
    logo_uri: inner,
    jwks_uri: inner,
    client_uri: 'https://localhost/',
    tos_uri: inner,
    policy_uri: inner,
    sector_identifier_uri: inner,
  })
  const { browser, page } = await openConsent(w, id, asked)
  expect(page.html).not.toContain('169.254')
  expect(page.html).not.toMatch(/<(?:img|link|script|iframe|object|embed)\b/)
  const { left } = await browser.submit(page, { decision: 'allow' })
  const code = left?.searchParams.get('code') ?? ''
  expect((await exchange(w, id, code, { redirect_uri: redirectUri })).status).toBe(200)
  expect(new Set(w.fetched)).toEqual(new Set([id]))
})

test('E27 an answer that goes to another host than the proven one is pointed out; below it, it is not', async () => {
  const words = 'another host than the one that publishes'
  const id = documents.add('hosts', {
    client_name: 'x',
    redirect_uris: [
      'https://app.example/cb',
      'https://login.app.example/cb',
      'https://app.example:8443/cb',
      'https://notapp.example/cb',
      'https://example/cb',
      'https://app.example.evil.example/cb',
    ],
  })
  const browser = w.browser()
  const open = async (redirect_uri: string): Promise<Shown> =>
    await browser.open(authorizeUrl(w, id, { redirect_uri }))
  expect(isConsent(await signIn(browser, await open('https://app.example/cb')))).toBe(true)
  for (const uri of ['https://app.example/cb', 'https://login.app.example/cb'])
    expect([uri, (await open(uri)).html.includes(words)]).toEqual([uri, false])
  for (const uri of [
    'https://app.example:8443/cb',
    'https://notapp.example/cb',
    'https://example/cb',
    'https://app.example.evil.example/cb',
  ]) {
    const { html } = await open(uri)
    expect([uri, html.includes(words)]).toEqual([uri, true])
    expect(html).toContain(`<bdi class="host" dir="ltr">${new URL(uri).host}</bdi>`)
  }
})

test('E34 two devices with the same document client: the theft of one ends the grant of that one alone', async () => {
  const id = documents.add('devices', first)
  const tokens: Tokens[] = []
  for (let device = 0; device < 2; device += 1) {
    const { browser, page } = await openConsent(w, id, asked)
    const { left } = isConsent(page) ? await browser.submit(page, { decision: 'allow' }) : page
    const code = left?.searchParams.get('code') ?? ''
    tokens.push((await (await exchange(w, id, code, { redirect_uri: redirectUri })).json()) as Tokens)
  }
  const [a, b] = tokens as [Tokens, Tokens]
  expect((await w.store.grants.list({ clientId: id, live: true })).length).toBe(2)
  const next = (await (await refresh(w, id, a.refresh_token)).json()) as Tokens
  expect((await refresh(w, id, next.refresh_token)).status).toBe(200)
  // The stolen token of device A, replayed.
  expect(await errorOf(await refresh(w, id, a.refresh_token))).toBe('400 invalid_grant')
  expect(await errorOf(await refresh(w, id, next.refresh_token))).toBe('400 invalid_grant')
  expect((await refresh(w, id, b.refresh_token)).status).toBe(200)
})

test.each(['https://APP.example/good', 'https://app.example:443/good', 'https://app.example./good'])(
  'E03 %s, another spelling of a host, is refused without a fetch',
  async (id) => {
    const good = documents.add('good', { redirect_uris: [redirectUri] })
    const answer = await w.get(authorizeUrl(w, id, asked))
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
    expect(w.fetched).toEqual([])
    expect(await errorOf(await exchange(w, id, 'x'))).toBe('400 invalid_client')
    expect((await w.get(authorizeUrl(w, good, asked))).status).toBe(303)
  },
)
