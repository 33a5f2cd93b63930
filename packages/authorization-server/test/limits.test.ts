import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Documents, makeDocuments } from './documents.ts'
import { authorizeUrl, register, registerClient, startWarder, type Warder } from './start.ts'

const redirectUri = 'https://app.example/cb'

let documents: Documents
beforeAll(async () => {
  documents = await makeDocuments()
})

const ask = (w: Warder, id: string, address: string): Promise<Response> =>
  w.server.handle(new Request(authorizeUrl(w, id, { redirect_uri: redirectUri })), { address })

/** Thousands of rows, each durable by itself: where there is a disk in memory, on that one. */
const makeQuickDirectory = (): string =>
  mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'warder-as-'))

/** The server under test; `https://NAME.example/…` is answered with a document too. */
const startWithDocuments = (): Promise<Warder> =>
  startWarder({
    dir: makeQuickDirectory(),
    async fetch(url, request) {
      const { origin } = new URL(url)
      if (origin === 'https://app.example') return await documents.fetch(url, request)
      const body = JSON.stringify({ client_id: url, client_name: 'x', redirect_uris: [redirectUri] })
      const headers = new Headers({ 'content-type': 'application/json' })
      return { status: 200, headers, body: new TextEncoder().encode(body) }
    },
  })

/** The statuses of so many requests, and how many of them there were. */
async function countStatuses(
  count: number,
  send: (at: number) => Promise<Response>,
): Promise<Record<number, number>> {
  const counts: Record<number, number> = {}
  for (let at = 0; at < count; at += 1) {
    const { status } = await send(at)
    counts[status] = (counts[status] ?? 0) + 1
  }
  return counts
}

describe('E25 fetches of client documents', () => {
  test('one address may cause so many, whatever the ids; others go on, and it may go on later', async () => {
    const w = await startWithDocuments()
    const counts = await countStatuses(300, (at) => ask(w, `https://h${at}.example/client`, '192.0.2.1'))
    expect(counts).toEqual({ 303: 100, 429: 200 })
    expect(w.fetched.length).toBe(100)
    const refused = await ask(w, 'https://one.example/client', '192.0.2.1')
    expect(Number(refused.headers.get('retry-after'))).toBe(1)
    expect(refused.headers.get('location')).toBeNull()
    expect((await ask(w, 'https://one.example/client', '192.0.2.2')).status).toBe(303)
    w.clock.now += 1_000
    expect((await ask(w, 'https://one.example/client', '192.0.2.1')).status).toBe(303)
  })

  test('whoever has used up the own budget takes nobody along who asks for the same document', async () => {
    const w = await startWithDocuments()
    await countStatuses(100, (at) => ask(w, `https://h${at}.example/client`, '192.0.2.1'))
    const id = 'https://one.example/client'
    const both = await Promise.all([ask(w, id, '192.0.2.1'), ask(w, id, '192.0.2.2')])
    expect(both.map(({ status }) => status)).toEqual([429, 303])
  })

  test('U02 the addresses of one IPv6 network are one', async () => {
    const w = await startWithDocuments()
    const counts = await countStatuses(150, (at) =>
      ask(w, `https://h${at}.example/client`, `2001:db8:0:7::${at.toString(16)}`),
    )
    expect(counts).toEqual({ 303: 100, 429: 50 })
    expect((await ask(w, 'https://one.example/client', '2001:db8:0:8::1')).status).toBe(303)
  })

  test('one host is asked so often, whoever causes it; other hosts are asked still', async () => {
    const w = await startWithDocuments()
    const counts = await countStatuses(300, (at) =>
      ask(w, `https://victim.example/c${at}`, `10.1.${at % 256}.1`),
    )
    expect(counts).toEqual({ 303: 200, 429: 100 })
    expect((await ask(w, 'https://other.example/client', '192.0.2.2')).status).toBe(303)
    w.clock.now += 500
    expect((await ask(w, 'https://victim.example/client', '192.0.2.2')).status).toBe(303)
  })

  test('all together are so many; what is in the cache, and who is registered here, goes on', async () => {
    const w = await startWithDocuments()
    const cached = documents.add(
      'cached',
      { redirect_uris: [redirectUri] },
      { 'cache-control': 'max-age=600' },
    )
    expect((await ask(w, cached, '192.0.2.1')).status).toBe(303)
    const counts = await countStatuses(520, (at) =>
      ask(w, `https://h${at % 97}.example/c${at}`, `10.${at % 13}.${at % 251}.1`),
    )
    expect(counts).toEqual({ 303: 499, 429: 21 })
    expect((await ask(w, cached, '192.0.2.1')).status).toBe(303)
    const registered = await registerClient(w, [redirectUri])
    expect((await ask(w, registered, '192.0.2.1')).status).toBe(303)
    w.clock.now += 100
    expect((await ask(w, 'https://one.example/client', '192.0.2.1')).status).toBe(303)
  })

  test('one id asked for by many at once is one fetch, and costs only whoever came first', async () => {
    const w = await startWithDocuments()
    const id = documents.add('popular', { redirect_uris: [redirectUri] })
    const before = w.fetched.length
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask(w, id, '192.0.2.1')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([303]))
    expect(w.fetched.length).toBe(before + 1)
  })
})

test('D14 U05 one address registers 500 clients a day, whatever it calls itself', async () => {
  const w = await startWarder({ dir: makeQuickDirectory() })
  const counts = await countStatuses(520, (at) => {
    w.clock.now += 2_000
    return register(w, { client_name: `Client ${at}`, redirect_uris: [redirectUri] }, '192.0.2.1')
  })
  // While that takes, the day gives a few back.
  expect(counts[201]).toBe(506)
  expect(counts[429]).toBe(14)
  expect((await register(w, { redirect_uris: [redirectUri] }, '192.0.2.2')).status).toBe(201)
})

test('E25 U09 documents that are kept are bounded, and dropping one costs no more than a fetch', async () => {
  const w = await startWithDocuments()
  const id = documents.add('kept', { redirect_uris: [redirectUri] }, { 'cache-control': 'max-age=60' })
  expect((await ask(w, id, '192.0.2.1')).status).toBe(303)
  expect(await w.store.clients.loadDocument(id)).toBeDefined()
  const urls = Array.from({ length: 2_010 }, (_, at) => `https://flood.example/${at}`)
  for (const [at, url] of urls.entries()) {
    const freshUntil = w.clock.now + 3_600_000 + at
    const document = { url, body: '{}', etag: undefined, fetchedAt: w.clock.now, freshUntil }
    await w.store.clients.saveDocument(document)
  }
  const kept = await Promise.all(
    urls.map(async (url) => (await w.store.clients.loadDocument(url)) !== undefined),
  )
  expect(kept).toEqual(urls.map((_, at) => at >= 10))
  expect(await w.store.clients.loadDocument(id)).toBeUndefined()
  expect((await ask(w, id, '192.0.2.1')).status).toBe(303)
})

test('U09 sign-ins that nobody goes on with are bounded, and those of others outlive a flood', async () => {
  const w = await startWarder({ dir: makeQuickDirectory() })
  const client = await registerClient(w)
  const honest = w.browser('192.0.2.1')
  const page = await honest.open(authorizeUrl(w, client))
  expect(page.status).toBe(200)
  // From one address with the same client id: 50 are kept, and not one of them instead of the honest one.
  for (let at = 0; at < 80; at += 1) await w.browser('198.51.100.1').open(authorizeUrl(w, client))
  expect((await honest.open(page.url)).html).toContain('name="password"')
  // From 259 addresses: 5,000 in all, and the oldest of the busiest go.
  const ids = Array.from({ length: 5_400 }, (_, at) => `flood-${at}`)
  for (const [at, id] of ids.entries()) {
    await w.store.transactions.create({
      id,
      clientId: client,
      peer: `203.0.${at % 259}`,
      request: '{}',
      browserHash: '',
      formHash: '',
      expiresAt: w.clock.now + 600_000,
      now: w.clock.now,
    })
  }
  const alive = await Promise.all(
    ids.map(async (id) => (await w.store.transactions.load(id, w.clock.now)) !== undefined),
  )
  // The flood of before was the busiest at first, and lost its own until it was as small as the others.
  expect(alive.filter(Boolean).length).toBe(5_000 - 1 - 19)
  expect(alive.at(-1)).toBe(true)
  expect((await honest.open(page.url)).html).toContain('name="password"')
  // Ten minutes later nothing is left of it.
  w.clock.now += 600_001
  await w.store.sweep(w.clock.now)
  expect(await w.store.transactions.load(ids.at(-1) ?? '', 0)).toBeUndefined()
})
