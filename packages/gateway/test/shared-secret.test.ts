import { randomBytes } from 'node:crypto'
import { createGuard } from '@warder/guard'
import { readPolicy } from '@warder/policy'
import { expect, test } from 'vitest'
import { createGateway, httpUpstream } from '../src/index.ts'
import {
  type GatewayUnderTest,
  legacy,
  makeToken,
  modern,
  plainAnswer,
  policyText,
  type RecordingUpstream,
  send,
  startGateway,
  startUpstream,
} from './harness.ts'

/** A server that hands out a session, and pages of a list. */
const startPaging = (): Promise<RecordingUpstream> =>
  startUpstream((hit, res, req) => {
    const message = JSON.parse(hit.body.toString())
    if (message.method === 'initialize') res.setHeader('mcp-session-id', 'upstream-session')
    if (message.method !== 'tools/list') return plainAnswer(hit, res, req)
    const result = { tools: [], ...(message.params.cursor === undefined ? { nextCursor: '17' } : {}) }
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }))
  })

/** Two nodes behind one public name: the resource is the same, whatever port each listens on. */
const resource = 'https://mcp.example/notes/mcp'
const token = (claims = {}): Promise<string> => makeToken({ aud: resource, ...claims })

async function startNodes(
  secrets: readonly Uint8Array[],
  guards: readonly object[] = [],
): Promise<GatewayUnderTest[]> {
  const upstream = await startPaging()
  return Promise.all(
    secrets.map((secret, at) => startGateway({ upstream, secret, guard: { resource, ...guards[at] } })),
  )
}

async function cursorOf(gw: GatewayUnderTest | undefined, bearer: string): Promise<string> {
  return (await send(gw!, { token: bearer, body: modern('tools/list') })).json.result.nextCursor
}

test('N01 N19 nodes with one secret read cursors and sessions of each other; with another secret they do not', async () => {
  const secret = randomBytes(32)
  const [one, two, stranger] = await startNodes([secret, Uint8Array.from(secret), randomBytes(32)])
  const alice = await token()
  const cursor = await cursorOf(one, alice)
  const page = { token: alice, body: modern('tools/list', { cursor }) }
  expect((await send(two!, page)).json.result).toMatchObject({ tools: [] })
  expect(JSON.parse(two!.upstream.hits.at(-1)!.body.toString()).params.cursor).toBe('17')
  expect((await send(stranger!, page)).json.error.code).toBe(-32602)

  const opened = await send(one!, { token: alice, body: legacy('initialize', {}) })
  const session = {
    token: alice,
    body: legacy('ping'),
    headers: { 'mcp-session-id': opened.headers['mcp-session-id']! },
  }
  expect((await send(two!, session)).status).toBe(200)
  expect(two!.upstream.hits.at(-1)!.headers['mcp-session-id']).toBe('upstream-session')
  expect((await send(stranger!, session)).status).toBe(404)
})

test('N01 N09 what was sealed for another user, client, server, method or policy opens nothing on another node either', async () => {
  const secret = randomBytes(32)
  const stricter = readPolicy(policyText.replace('search_notes, scopes', 'search_*, scopes'))
  const [one, same, otherPolicy] = await startNodes(
    [secret, secret, secret],
    [{}, {}, { policy: () => stricter }],
  )
  const otherServer = await startGateway({
    secret,
    upstream: one!.upstream,
    guard: { resource: 'https://mcp.example/other/mcp' },
  })
  const alice = await token()
  const cursor = await cursorOf(one, alice)
  const body = modern('tools/list', { cursor })
  const hits = one!.upstream.hits.length
  const refused = [
    await send(same!, { token: await token({ sub: 'bob' }), body }),
    await send(same!, { token: await token({ client_id: 'https://b.example/c' }), body }),
    await send(same!, { token: alice, body: modern('prompts/list', { cursor }) }),
    await send(otherPolicy!, { token: alice, body }),
    await send(otherServer, { token: await makeToken({ aud: 'https://mcp.example/other/mcp' }), body }),
  ]
  expect(refused.map(({ json }) => json.error.code)).toEqual(Array(5).fill(-32602))
  expect(one!.upstream.hits).toHaveLength(hits)

  const id = (await send(one!, { token: alice, body: legacy('initialize', {}) })).headers['mcp-session-id']!
  const headers = { 'mcp-session-id': id }
  // A session is no cursor and a cursor no session, though both come from one secret.
  const crossed = [
    await send(same!, { token: await token({ sub: 'bob' }), body: legacy('ping'), headers }),
    await send(otherServer, {
      token: await makeToken({ aud: 'https://mcp.example/other/mcp' }),
      body: legacy('ping'),
      headers,
    }),
    await send(same!, { token: alice, body: legacy('ping'), headers: { 'mcp-session-id': cursor } }),
  ]
  expect(crossed.map(({ status }) => status)).toEqual([404, 404, 404])
  expect(
    (await send(same!, { token: alice, body: modern('tools/list', { cursor: id }) })).json.error.code,
  ).toBe(-32602)
  // The positive twins, on the other node.
  expect((await send(same!, { token: alice, body: legacy('ping'), headers })).status).toBe(200)
  expect((await send(same!, { token: alice, body })).status).toBe(200)
})

test('M21 an answer to a question of the server goes into the session that was asked, and into no other one', async () => {
  const [gw] = await startNodes([randomBytes(32)])
  const [alice, bob] = [await token(), await token({ sub: 'bob' })]
  const open = async (bearer: string): Promise<string> =>
    (await send(gw!, { token: bearer, body: legacy('initialize', {}) })).headers['mcp-session-id']!
  const [ofAlice, ofBob] = [await open(alice), await open(bob)]
  const hits = gw!.upstream.hits.length
  const answer = { jsonrpc: '2.0', id: 'question-1', result: { action: 'accept', content: { pin: '1' } } }
  const reply = (bearer: string, session?: string): ReturnType<typeof send> =>
    send(gw!, { token: bearer, body: answer, headers: { 'mcp-session-id': session } })
  expect((await reply(bob, ofAlice)).status).toBe(404)
  expect((await reply(alice, ofBob)).status).toBe(404)
  expect((await reply(bob)).status).toBe(400)
  // Where there are no sessions, nobody may send an answer at all.
  expect(
    (await send(gw!, { token: bob, body: answer, headers: { 'mcp-protocol-version': '2026-07-28' } })).status,
  ).toBe(400)
  expect(gw!.upstream.hits).toHaveLength(hits)
  gw!.upstream.answer = (_hit, res) => res.writeHead(202).end()
  expect((await reply(alice, ofAlice)).status).toBe(202)
  expect(gw!.upstream.hits.at(-1)!.headers['mcp-session-id']).toBe('upstream-session')
})

test('G39 no part of the gateway starts with a weak, placeholder or missing secret', async () => {
  const weak = [
    new Uint8Array(32),
    Buffer.alloc(32, 'changeme'),
    Buffer.alloc(48, 'password123'.slice(0, 8)),
    randomBytes(31),
    new Uint8Array(),
    undefined,
    randomBytes(32).toString('hex'),
  ] as Uint8Array[]
  const { log } = await startGateway()
  const start = (secret: Uint8Array): unknown =>
    createGateway({ routes: [], log, secret, allowedHosts: ['a.example'], allowedOrigins: [] })
  for (const secret of weak) {
    expect(() => start(secret)).toThrow('the secret must')
    expect(() => httpUpstream({ url: 'http://127.0.0.1:1/mcp', secret })).toThrow('the secret must')
  }
  start(randomBytes(32))
})

test('G39 a token of another environment is refused, though keys and secret are the same', async () => {
  const gw = await startGateway()
  const staging = { iss: 'https://staging.issuer.example', aud: 'https://staging.example/notes/mcp' }
  for (const claims of [{ iss: staging.iss }, { aud: staging.aud }, staging]) {
    const answer = await send(gw, { token: await gw.token(claims), body: modern('tools/list') })
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
  }
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await send(gw, { token: await gw.token(), body: modern('tools/list') })).status).toBe(200)
  const guard = { resource, server: 'notes', policy: () => readPolicy(policyText), issuer: '' }
  expect(() => createGuard({ ...guard, keys: { jwks: async () => ({ keys: [] }) } })).toThrow(
    'issuer is missing',
  )
})
