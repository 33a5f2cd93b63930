import { randomBytes } from 'node:crypto'
import { readPolicy } from '@warder/policy'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bodyDigest, type DecisionRecord } from '../src/index.ts'
import {
  type GatewayUnderTest,
  legacy,
  type Message,
  modern,
  modernHeaders,
  policyText,
  searchCall,
  send,
  slow,
  startGateway,
  startUpstream,
} from './harness.ts'

const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/)
/** Spellings of numbers, also those that are refused since not every reader understands them alike. */
const numbers = [
  '0',
  '-0',
  '7',
  '1.0',
  '1e2',
  '1E+2',
  '0.10',
  '-12.5e-3',
  '9007199254740991',
  '9007199254740993',
]
const number = fc.constantFrom(...numbers, '1e400', '01', '+1', 'NaN')

/** A string as JSON text in which any character may be escaped, in either case. */
const string = fc
  .array(
    fc.tuple(
      fc.oneof(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
        fc.constantFrom('/', '"', '\u2028', 'é'),
      ),
      fc.constantFrom('plain', 'lower', 'upper'),
    ),
    { maxLength: 6 },
  )
  .map((characters) => `"${characters.map(([one, how]) => spell(one, how)).join('')}"`)

function spell(character: string, how: string): string {
  if (how === 'plain') return JSON.stringify(character).slice(1, -1)
  const escapes = Array.from({ length: character.length }, (_, at) => {
    const code = character.charCodeAt(at).toString(16).padStart(4, '0')
    return `\\u${how === 'upper' ? code.toUpperCase() : code}`
  })
  return escapes.join('')
}

const { value } = fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('true', 'false', 'null'),
    number,
    string,
    tie('array'),
    tie('object'),
  ),
  array: fc
    .tuple(space, fc.array(tie('value'), { maxLength: 3 }), space)
    .map(([before, items, after]) => `[${before}${items.join(`${after},${before}`)}${after}]`),
  object: fc
    .tuple(space, fc.array(fc.tuple(string, tie('value')), { maxLength: 3 }), space)
    .map(
      ([gap, members, after]) =>
        `{${gap}${members.map((pair) => pair.join(`${gap}:`)).join(`,${gap}`)}${after}}`,
    ),
}))

const secret = randomBytes(32)
const digest = bodyDigest(secret)

async function lastOpen(gw: GatewayUnderTest): Promise<DecisionRecord | undefined> {
  return (await gw.decisions()).filter(({ outcome }) => outcome === 'open').at(-1)
}

test(
  'M19 the upstream gets the bytes that were decided on, however they are spelled, and the log has their digest',
  slow,
  async () => {
    const gw = await startGateway({ secret })
    const token = await gw.token()
    const meta = JSON.stringify((searchCall['params'] as Message)['_meta'])
    const seen = { open: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(space, space, value, string, async (before, after, argument, id) => {
        const params = `{"_meta":${meta},${before}"name":"search_notes",${after}"arguments":{"x":${argument}}}`
        const body = Buffer.from(
          `${after}{"method":"tools/call",${before}"params":${params}${after},"id":${id},"jsonrpc":"2.0"}${before}`,
        )
        const hitsBefore = gw.upstream.hits.length
        const { status } = await send(gw, { token, body, headers: modernHeaders(searchCall) })
        const hits = gw.upstream.hits.slice(hitsBefore)
        if (status !== 200) {
          seen.refused += 1
          expect(status).toBe(400)
          expect(hits).toEqual([])
          return
        }
        seen.open += 1
        expect(hits.map((hit) => hit.body.equals(body))).toEqual([true])
        expect((await lastOpen(gw))?.body).toBe(digest(body))
      }),
      { numRuns: 100 },
    )
    expect(seen.open).toBeGreaterThan(10)
    expect(seen.refused).toBeGreaterThan(0)
  },
)

test('M19 where the gateway rewrites a body, the digest is that of what went on; what stays here has none', async () => {
  const upstream = await startUpstream((hit, res) => {
    const { id } = JSON.parse(hit.body.toString())
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ jsonrpc: '2.0', id, result: { tools: [], nextCursor: '2' } }))
  })
  const gw = await startGateway({ secret, upstream })
  const token = await gw.token()
  const first = await send(gw, { token, body: modern('tools/list') })
  await send(gw, { token, body: modern('tools/list', { cursor: first.json.result.nextCursor }) })
  const [, second] = gw.upstream.hits
  expect(JSON.parse(second!.body.toString()).params.cursor).toBe('2')
  expect((await lastOpen(gw))?.body).toBe(digest(second!.body))

  const create = modern('tools/call', { name: 'create_note', arguments: { text: 'x' } })
  expect((await send(gw, { token, body: create })).status).toBe(403)
  expect(await send(gw, { token, body: modern('tools/call', { name: 'no_such' }) })).toMatchObject({
    status: 200,
  })
  const kept = (await gw.decisions()).filter(({ outcome }) => outcome !== 'open')
  expect(kept.map(({ outcome, body }) => [outcome, body])).toEqual([
    ['locked', undefined],
    ['hidden', undefined],
  ])
})

/** Everything in `_meta` that somebody might believe. */
const spoofed = {
  'io.modelcontextprotocol/clientInfo': { name: 'https://claude.ai/client.json', version: '1', admin: true },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, sampling: {} },
  'io.modelcontextprotocol/subject': 'bob',
  'dev.warder/principal': { user: 'owner', scopes: ['notes:write'] },
  'warder/assertion': 'x.y.z',
  warder: { scopes: ['notes:write'] },
  scope: 'notes:write',
  traceparent: '00-11111111111111111111111111111111-2222222222222222-01',
  baggage: 'user=owner,scope=notes:write',
}

test('M15 nothing in _meta changes a decision or gets into the log, and no word of Warder to the upstream stands there', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const withMeta = (name: string, extra: object): Message => {
    const plain = modern('tools/call', { name, arguments: {} })
    const params = plain['params'] as Message
    return {
      ...plain,
      params: { ...params, _meta: { ...spoofed, ...(params['_meta'] as object), ...extra } },
    }
  }
  const headers = (message: Message): Record<string, string> => modernHeaders(message)
  for (const name of ['create_note', 'delete_everything', 'no_such']) {
    const plain = modern('tools/call', { name, arguments: {} })
    const [honest, spoof] = [
      await send(gw, { token, body: plain }),
      await send(gw, { token, body: withMeta(name, {}), headers: headers(plain) }),
    ]
    expect([spoof.status, spoof.json, spoof.headers['www-authenticate']], name).toEqual([
      honest.status,
      honest.json,
      honest.headers['www-authenticate'],
    ])
  }
  expect(gw.upstream.hits).toHaveLength(0)
  const records = await gw.decisions()
  const own = ['id', 'at', 'begins', 'n', 'after', 'mac']
  const words = (record: DecisionRecord): object =>
    Object.fromEntries(Object.entries(record).filter(([name]) => !own.includes(name)))
  for (let at = 0; at < records.length; at += 2) expect(words(records[at + 1]!)).toEqual(words(records[at]!))

  const open = withMeta('search_notes', {})
  const sent = { 'warder-assertion': 'x.y.z', ...headers(searchCall) }
  expect((await send(gw, { token, body: open, headers: sent })).status).toBe(200)
  expect(gw.upstream.hits[0]!.body.toString()).toBe(JSON.stringify(open))
  expect(gw.upstream.hits[0]!.headers).not.toHaveProperty('warder-assertion')
  const log = JSON.stringify(await gw.records())
  for (const word of ['clientInfo', 'owner', 'baggage', '1111111111']) expect(log).not.toContain(word)
})

test('T10 a trace of the client is kept apart from our ids, only in its one form, and nothing else of the kind passes', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const good = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const others = {
    tracestate: 'a=1',
    baggage: 'user=owner',
    'x-request-id': '00000000-0000-4000-8000-000000000000',
    'request-id': 'r',
    'x-correlation-id': 'c',
    'x-b3-traceid': 'b',
    'x-amzn-trace-id': 'Root=1',
  }
  await send(gw, { token, body: searchCall, headers: { traceparent: good, ...others } })
  const forged = [
    `${good} `.repeat(50),
    good.toUpperCase(),
    `${good}-x`,
    '00-0-0-00',
    'x'.repeat(8_000),
    'a\u00e9',
  ]
  for (const traceparent of forged)
    expect((await send(gw, { token, body: searchCall, headers: { traceparent } })).status).toBe(200)
  await send(gw, { token, body: searchCall, headers: { traceparent: [good, good] } })
  const [first, ...rest] = gw.upstream.hits
  expect(first?.headers['traceparent']).toBe(good)
  for (const name of Object.keys(others)) expect(first?.headers).not.toHaveProperty(name)
  for (const hit of rest) expect(hit.headers).not.toHaveProperty('traceparent')
  const decisions = await gw.decisions()
  expect(decisions.map(({ traceparent }) => traceparent)).toEqual([good, ...rest.map(() => undefined)])
  expect(new Set(decisions.map(({ id }) => id)).size).toBe(decisions.length)
  for (const { id } of decisions) {
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/)
    expect(id).not.toBe(others['x-request-id'])
  }
  expect(JSON.stringify(await gw.records())).not.toContain('user=owner')
})

test('M26 a condition binds a handle in the arguments to its user; both answers are in the log', async () => {
  const bound = policyText.replaceAll(
    'any, may: [notes:read, notes:write]',
    'any, may: [notes:read, notes:write], when: args.owner == user.subject',
  )
  const policy = readPolicy(bound)
  const gw = await startGateway({ guard: { policy: () => policy } })
  const token = await gw.token()
  const call = (owner: string): Message =>
    legacy('tools/call', { name: 'search_notes', arguments: { owner, cart: 'c-1' } })
  const refused = await send(gw, { token, body: call('bob') })
  expect(refused.status).toBe(200)
  expect(refused.json.error ?? refused.json.result.isError).toBeTruthy()
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await send(gw, { token, body: call('alice') })).json.result.content).toBeDefined()
  expect(gw.upstream.hits).toHaveLength(1)
  expect((await gw.decisions()).map(({ outcome, target, subject }) => [outcome, target, subject])).toEqual([
    ['hidden', 'search_notes', 'alice'],
    ['open', 'search_notes', 'alice'],
  ])
})
