import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Documents, makeDocuments } from './documents.ts'
import { authorizeUrl, startWarder, type Warder } from './start.ts'

const redirectUri = 'https://app.example/cb'
const metadata = { redirect_uris: [redirectUri] }

let documents: Documents
let w: Warder

beforeAll(async () => {
  documents = await makeDocuments()
  w = await startWarder({ fetch: documents.fetch })
})

const ask = (id: string, uri: string = redirectUri): Promise<Response> =>
  w.get(authorizeUrl(w, id, { redirect_uri: uri }))

async function expectStarted(id: string): Promise<void> {
  expect((await ask(id)).headers.get('location')).toMatch(/^\/authorize\//)
}

async function expectPage(id: string): Promise<string> {
  const answer = await ask(id)
  expect(answer.status).toBe(400)
  expect(answer.headers.get('location')).toBeNull()
  return await answer.text()
}

/** The words of a page, without spaces and without the style sheet. */
const wordsOf = (html: string): string =>
  html
    .replace(/<style>.*<\/style>/s, '')
    .replaceAll(/<[^>]+>|&[a-z]+;/g, '')
    .replaceAll(/\s/g, '')

test('AS-02 AS-20 AS-23 a client is what its document says, and redirects are those of the document', async () => {
  const id = documents.add('good', metadata)
  await expectStarted(id)
  expect((await ask(id, 'https://evil.example/cb')).status).toBe(400)
})

test.each(['http://app.example/good', 'ftp://app.example/good'])(
  'AS-18 AS-19 E01 %s is refused without a fetch',
  async (id) => {
    const before = documents.requests.length
    await expectPage(id)
    expect(documents.requests.length).toBe(before)
  },
)

test.each([
  'https://app.example',
  'https://app.example/',
  'https://app.example/a/../good',
  'https://app.example/%2e%2e/good',
  'https://app.example/good#x',
  'https://user@app.example/good',
  'https://app.example/go od',
  'https://app.example/good\n',
])('E02 E03 %j is refused without a fetch', async (id) => {
  documents.add('good', metadata)
  const before = w.fetched.length
  await expectPage(id)
  expect(w.fetched.length).toBe(before)
  await expectStarted('https://app.example/good')
})

describe('E05 redirects are not followed', () => {
  test.each([301, 302, 303, 307, 308])('%s', async (status) => {
    const target = documents.add(`target-${status}`, metadata)
    const id = documents.serve(`from-${status}`, (_request, response) => {
      response
        .writeHead(status, { location: `/target-${status}`, 'content-type': 'application/json' })
        .end('{}')
    })
    const before = documents.requests.length
    const html = await expectPage(id)
    expect(documents.requests.length).toBe(before + 1)
    expect(wordsOf(html)).toContain(id)
    await expectStarted(target)
  })
})

test.each([201, 204, 404, 500])('E06 status %s is an error, and is not kept', async (status) => {
  const id = documents.serve(`status-${status}`, (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'max-age=600' }).end()
  })
  await expectPage(id)
  documents.add(`status-${status}`, metadata)
  await expectStarted(id)
})

describe('E07 size', () => {
  test('a document over 5 KB, an endless one, a compressed one; one just below is fine', async () => {
    const large = documents.add('large', { ...metadata, x: 'x'.repeat(5 * 1024) })
    const endless = documents.serve('endless', (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const more = (): void => {
        if (!response.destroyed && response.write('x'.repeat(1024))) setImmediate(more)
      }
      more()
    })
    const compressed = documents.serve('compressed', (_request, response) => {
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
      response.writeHead(200, headers).end(gzipSync(JSON.stringify({ x: 'x'.repeat(100_000) })))
    })
    for (const id of [large, endless, compressed]) await expectPage(id)
    await expectStarted(documents.add('below', { ...metadata, x: 'x'.repeat(4 * 1024) }))
  })
})

describe('E09 what is not a JSON object of the right form', () => {
  const good = (id: string): string => JSON.stringify({ client_id: id, client_name: 'x', ...metadata })
  const id = 'https://app.example/wrong'
  test.each<[string, string, string | Buffer]>([
    ['HTML', 'text/html', good(id)],
    ['plain text', 'text/plain', good(id)],
    ['no content type', '', good(id)],
    ['a list', 'application/json', `[${good(id)}]`],
    [
      'invalid UTF-8',
      'application/json',
      Buffer.concat([
        Buffer.from(good(id).slice(0, -1)),
        Buffer.from([0x2c, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      ]),
    ],
    ['a byte order mark', 'application/json', `\ufeff${good(id)}`],
    [
      'a key twice',
      'application/json',
      good(id).replace('{', `{"redirect_uris":["https://evil.example/cb"],`),
    ],
    ['another client_id', 'application/json', good('https://app.example/other')],
    ['no client_name', 'application/json', JSON.stringify({ client_id: id, ...metadata })],
    ['no redirect_uris', 'application/json', JSON.stringify({ client_id: id, client_name: 'x' })],
    [
      'E18 a secret',
      'application/json',
      JSON.stringify({ client_id: id, client_name: 'x', ...metadata, client_secret: 's' }),
    ],
    [
      'E18 the end of a secret',
      'application/json',
      JSON.stringify({ client_id: id, client_name: 'x', ...metadata, client_secret_expires_at: 0 }),
    ],
    [
      'E18 a shared-secret method',
      'application/json',
      JSON.stringify({
        client_id: id,
        client_name: 'x',
        ...metadata,
        token_endpoint_auth_method: 'client_secret_basic',
      }),
    ],
  ])('%s', async (_name, type, body) => {
    documents.serve('wrong', (_request, response) => {
      const headers = { 'cache-control': 'max-age=600', ...(type === '' ? {} : { 'content-type': type }) }
      response.writeHead(200, headers).end(body)
    })
    await expectPage(id)
    documents.serve('wrong', (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(good(id))
    })
    await expectStarted(id)
  })
})

describe('E21 the cache', () => {
  const hour = 3_600_000

  /** How many requests the document saw while the work was done. */
  async function requestsDuring(work: () => Promise<unknown>): Promise<number> {
    const before = documents.requests.length
    await work()
    return documents.requests.length - before
  }

  test('without headers a document is fetched each time', async () => {
    const id = documents.add('plain', metadata)
    expect(await requestsDuring(() => expectStarted(id))).toBe(1)
    expect(await requestsDuring(() => expectStarted(id))).toBe(1)
  })

  test.each([
    ['max-age=600', 599_000, 601_000],
    ['max-age=315360000', 23 * hour, 25 * hour],
    ['max-age=60, s-maxage=600', 599_000, 601_000],
  ])('%s', async (control, fresh, stale) => {
    const id = documents.add(`cached-${control.length}-${stale}`, metadata, { 'cache-control': control })
    await expectStarted(id)
    w.clock.now += fresh
    expect(await requestsDuring(() => expectStarted(id))).toBe(0)
    w.clock.now += stale - fresh
    expect(await requestsDuring(() => expectStarted(id))).toBe(1)
  })

  test('what has aged elsewhere is not fresh for longer here', async () => {
    const id = documents.add('aged', metadata, { 'cache-control': 'max-age=600', age: '500' })
    await expectStarted(id)
    w.clock.now += 99_000
    expect(await requestsDuring(() => expectStarted(id))).toBe(0)
    w.clock.now += 2_000
    expect(await requestsDuring(() => expectStarted(id))).toBe(1)
  })

  test.each([
    { 'cache-control': 'no-store, max-age=600' },
    { 'cache-control': 'private, max-age=600' },
    { 'cache-control': 'max-age=600', vary: '*' },
    { 'cache-control': 'max-age=-1' },
    { 'cache-control': 'max-age=600, no-cache' },
  ])('%j is not used again unasked', async (headers) => {
    const id = documents.add(
      `not-kept-${Object.values(headers).join('').length}`,
      metadata,
      headers as Record<string, string>,
    )
    await expectStarted(id)
    expect(await requestsDuring(() => expectStarted(id))).toBe(1)
  })

  test('no-store leaves nothing in the database', async () => {
    const id = documents.add('unstored', metadata, { 'cache-control': 'no-store' })
    await expectStarted(id)
    expect(await w.store.clients.loadDocument(id)).toBeUndefined()
  })

  test('an etag is asked about, and 304 makes the kept document fresh again', async () => {
    const url = 'https://app.example/tagged'
    const body = JSON.stringify({ client_id: url, client_name: 'x', ...metadata })
    documents.serve('tagged', (request, response) => {
      const headers = { 'content-type': 'application/json', 'cache-control': 'max-age=60', etag: '"one"' }
      if (request.headers['if-none-match'] === '"one"') response.writeHead(304, headers).end()
      else response.writeHead(200, headers).end(body)
    })
    await expectStarted(url)
    w.clock.now += 61_000
    expect(await requestsDuring(() => expectStarted(url))).toBe(1)
    expect(documents.requests.at(-1)).toBe('GET /tagged "one"')
    w.clock.now += 59_000
    expect(await requestsDuring(() => expectStarted(url))).toBe(0)
  })

  test('an error after a success is an error: what is stale is not used, and works again afterwards', async () => {
    const id = documents.add('flaky', metadata, { 'cache-control': 'max-age=60' })
    await expectStarted(id)
    w.clock.now += 61_000
    documents.serve('flaky', (_request, response) => response.writeHead(500).end())
    await expectPage(id)
    await expectPage(id)
    documents.add('flaky', metadata, { 'cache-control': 'max-age=60' })
    await expectStarted(id)
  })

  test('E22 a redirect URI that was taken out of the document is refused', async () => {
    const id = documents.add('changing', metadata)
    await expectStarted(id)
    documents.add('changing', { redirect_uris: ['https://app.example/new'] })
    await expectPage(id)
    expect((await ask(id, 'https://app.example/new')).status).toBe(303)
  })

  test('E25 many requests at once are one fetch', async () => {
    const id = documents.add('popular', metadata)
    expect(await requestsDuring(() => Promise.all(Array.from({ length: 20 }, () => expectStarted(id))))).toBe(
      1,
    )
  })
})

test('AS-31 E31 the page does not tell why a URL could not be fetched, only which', async () => {
  const missing = await expectPage('https://app.example/nothing-here')
  const redirecting = documents.serve('to-elsewhere', (_request, response) => {
    response.writeHead(302, { location: 'https://x.example/' }).end()
  })
  const redirected = await expectPage(redirecting)
  expect(wordsOf(missing)).toContain('https://app.example/nothing-here')
  const references = w.logs.slice(-2).map(({ reference }) => String(reference))
  const anonymous = (html: string, at: number): string =>
    wordsOf(html)
      .replace(references[at] ?? '', '')
      .replace(/https:\/\/app\.example\/(nothing-here|to-elsewhere)/g, '')
  expect(anonymous(missing, 0)).toBe(anonymous(redirected, 1))
})
