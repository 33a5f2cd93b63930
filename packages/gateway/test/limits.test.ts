import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import {
  eventually,
  type GatewayUnderTest,
  makeToken,
  modern,
  open,
  plainAnswer,
  searchCall,
  send,
  slow,
  startGateway,
  startUpstream,
} from './harness.ts'

/** Calls to `search_notes` that never end until their clients go away. */
async function startHanging(parts: Parameters<typeof startGateway>[0]): Promise<GatewayUnderTest> {
  const upstream = await startUpstream((hit, res, req) => {
    if (hit.body.includes('"hang"')) {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.flushHeaders()
    } else plainAnswer(hit, res, req)
  })
  return startGateway({ ...parts, upstream })
}

const hang = modern('tools/call', { name: 'search_notes', arguments: { text: 'hang' } })

test(
  'U07 open streams are capped in total: 503 with Retry-After, and again when one has ended',
  slow,
  async () => {
    const gw = await startHanging({ limits: { total: 3 } })
    const users = ['alice', 'bob']
    const tokens = await Promise.all(users.map((sub) => gw.token({ sub })))
    const streams = [0, 1, 0].map((user) => open(gw, { token: tokens[user], body: hang }))
    for (const stream of streams) expect((await stream).statusCode).toBe(200)
    const over = await send(gw, { token: tokens[1], body: searchCall })
    expect(over).toMatchObject({ status: 503, json: { jsonrpc: '2.0', error: { code: -32603 } } })
    expect(over.headers['retry-after']).toMatch(/^[1-9]\d*$/)
    expect(over.headers['www-authenticate']).toBeUndefined()
    expect(gw.upstream.hits).toHaveLength(3)
    ;(await streams[1])!.destroy()
    await eventually(async () => (await send(gw, { token: tokens[1], body: searchCall })).status).toBe(200)
    for (const stream of streams) (await stream).destroy()
  },
)

test('U11 too many of one user are answered with 429, Retry-After and a JSON-RPC error', slow, async () => {
  const gw = await startHanging({ limits: { perUser: 2 } })
  const token = await gw.token()
  const streams = [await open(gw, { token, body: hang }), await open(gw, { token, body: hang })]
  const over = await send(gw, { token, body: searchCall })
  expect(over.status).toBe(429)
  expect(over.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' })
  expect(over.headers['retry-after']).toMatch(/^[1-9]\d*$/)
  expect(over.json).toEqual({
    jsonrpc: '2.0',
    id: null,
    error: { code: -32603, message: 'Too many requests. Wait a moment, then try again.' },
  })
  expect((await send(gw, { token: await gw.token({ sub: 'bob' }), body: searchCall })).status).toBe(200)
  for (const stream of streams) stream.destroy()
  await eventually(async () => (await send(gw, { token, body: searchCall })).status).toBe(200)
})

test(
  'U05 neither another client, a new token, a new session nor another spelling is another user',
  slow,
  async () => {
    const gw = await startHanging({ limits: { perUser: 1 } })
    const stream = await open(gw, { token: await gw.token(), body: hang })
    const tries = [
      { token: await gw.token({ client_id: 'https://other.example/client.json' }), body: searchCall },
      { token: await gw.token({ client_id: 'just-registered' }), body: searchCall },
      { token: await gw.token({ grant_id: 'another' }), body: searchCall },
      { token: await gw.token(), body: searchCall, headers: { 'mcp-session-id': 'new' } },
      { token: await gw.token(), body: modern('tools/list') },
      { token: await gw.token(), method: 'GET' },
      { token: await gw.token(), body: searchCall, headers: { 'x-forwarded-for': '203.0.113.7' } },
    ]
    for (const sent of tries) expect((await send(gw, sent)).status).toBe(429)
    expect(gw.upstream.hits).toHaveLength(1)
    stream.destroy()
    for (const sent of tries.slice(0, 3))
      await eventually(async () => (await send(gw, sent)).status).toBe(200)
    // And no other spelling of a name is the tool: each is answered like one that does not exist.
    for (const name of [
      'Search_notes',
      'search_notes ',
      'search‐notes',
      'search_notes\u200b',
      'SEARCH_NOTES',
    ])
      expect(
        (
          await send(gw, {
            token: await gw.token(),
            body: modern('tools/call', { name }),
            headers: { 'mcp-name': `=?base64?${Buffer.from(name).toString('base64')}?=` },
          })
        ).json.error.code,
      ).toBe(-32602)
  },
)

test(
  'U06 a flood of junk tokens fetches keys twice, writes a line a reason, and good calls are answered all the while',
  slow,
  async () => {
    let fetched = 0
    const pair = await generateKeyPair('ES256')
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' }
    const keys = {
      jwksUri: 'https://issuer.example/jwks',
      fetch: async () => {
        fetched += 1
        return { status: 200, body: Buffer.from(JSON.stringify({ keys: [jwk] })) }
      },
    }
    const gw = await startGateway({ guard: { keys } })
    const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const sign = (header: object, by: Parameters<SignJWT['sign']>[0] = attacker): Promise<string> => {
      const now = Math.floor(Date.now() / 1000)
      return new SignJWT({
        iss: 'https://issuer.example',
        sub: 'alice',
        client_id: 'c',
        scope: 'notes:read',
        jti: randomBytes(8).toString('hex'),
        iat: now,
        exp: now + 600,
        aud: gw.resource,
      })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...header })
        .sign(by)
    }
    const mine = (): Promise<string> => sign({ kid: 'k1' }, pair.privateKey)
    expect((await send(gw, { token: await mine(), body: searchCall })).status).toBe(200)
    for (let round = 0; round < 20; round += 1) {
      const junk = await Promise.all([
        sign({ kid: randomBytes(6).toString('hex') }),
        sign({ kid: randomBytes(6).toString('hex') }),
        sign({ kid: 'k1' }),
        sign({}),
        randomBytes(12_000).toString('base64url'),
        `${'a'.repeat(9_000)}.${'b'.repeat(9_000)}.${'c'.repeat(900)}`,
        randomBytes(20).toString('hex'),
        makeToken({ aud: gw.resource }),
      ])
      const answers = junk.map((token) => send(gw, { token, body: searchCall }))
      const between = send(gw, { token: await mine(), body: searchCall })
      for (const answer of await Promise.all(answers)) expect(answer.status).toBe(401)
      expect((await between).status).toBe(200)
    }
    // Once at the first token, once for the first unknown key id; all others wait for the cool-down.
    expect(fetched).toBe(2)
    const counts = (await gw.records()).filter(({ kind }) => kind === 'count')
    expect(counts.length).toBeLessThanOrEqual(4)
    expect((await gw.decisions()).every(({ outcome }) => outcome === 'open')).toBe(true)
  },
)
