import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  type GatewayUnderTest,
  type Got,
  legacy,
  modern,
  plainAnswer,
  searchCall,
  send,
  slow,
  startGateway,
  startUpstream,
} from './harness.ts'

const upstreamId = 'upstream-session-0001'

async function startSession(): Promise<{ gw: GatewayUnderTest; token: string; id: string }> {
  const upstream = await startUpstream((hit, res, req) => {
    if (hit.headers['mcp-session-id'] === undefined) res.setHeader('mcp-session-id', upstreamId)
    plainAnswer(hit, res, req)
  })
  const gw = await startGateway({ upstream })
  const token = await gw.token()
  const answer = await send(gw, { token, body: legacy('initialize', { protocolVersion: '2025-11-25' }) })
  expect(answer.status).toBe(200)
  return { gw, token, id: answer.headers['mcp-session-id']! }
}

const call = legacy('tools/call', { name: 'search_notes' })

function sendIn(gw: GatewayUnderTest, id: string, token?: string, method = 'POST'): Promise<Got> {
  return send(gw, {
    method,
    token,
    ...(method === 'POST' ? { body: call } : {}),
    headers: { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' },
  })
}

test(
  'RS-28 RS-30 N09 a session answers only to its user with its client, and its id is neither guessed nor recorded',
  slow,
  async () => {
    const { gw, token, id } = await startSession()
    expect(id).not.toContain(upstreamId)
    expect(Buffer.from(id, 'base64url').toString('latin1')).not.toContain(upstreamId)
    const flipped = `${id.slice(0, 20)}${id[20] === 'A' ? 'B' : 'A'}${id.slice(21)}`
    const bob = await gw.token({ sub: 'bob' })
    const otherClient = await gw.token({ client_id: 'https://other.example/client.json' })
    gw.upstream.hits.length = 0
    for (const method of ['POST', 'GET', 'DELETE']) {
      expect((await sendIn(gw, id, undefined, method)).status).toBe(401)
      for (const [sealed, bearer] of [
        [id, bob],
        [id, otherClient],
        [flipped, token],
        [upstreamId, token],
        ['A'.repeat(id.length), token],
        ['x', token],
        ['x'.repeat(5000), token],
      ] as const) {
        const answer = await sendIn(gw, sealed, bearer, method)
        expect(answer, `${method} ${sealed.slice(0, 20)}`).toMatchObject({ status: 404 })
      }
    }
    expect(gw.upstream.hits).toHaveLength(0)
    for (const method of ['POST', 'GET', 'DELETE'])
      expect((await sendIn(gw, id, token, method)).status).toBeLessThan(300)
    expect(gw.upstream.hits.map((hit) => hit.headers['mcp-session-id'])).toEqual(Array(3).fill(upstreamId))
    const name = `decisions-${new Date().toISOString().slice(0, 10)}.jsonl`
    const log = await readFile(join(gw.logDir, name), 'latin1')
    expect(log).toContain('session.unknown')
    for (const secret of [id, flipped, upstreamId]) expect(log).not.toContain(secret)
  },
)

test('N09 two initializations of one user get different ids', async () => {
  const { gw, token, id } = await startSession()
  const again = await send(gw, { token, body: legacy('initialize', { protocolVersion: '2025-11-25' }) })
  expect(again.headers['mcp-session-id']).not.toBe(id)
  expect(id.length).toBeGreaterThanOrEqual(22)
})

test('N10 a session goes on with a refreshed token, and not with that of another user', async () => {
  const { gw, id } = await startSession()
  const refreshed = await gw.token({ scope: 'notes:read notes:write' })
  expect((await sendIn(gw, id, refreshed)).status).toBe(200)
  expect((await sendIn(gw, id, await gw.token({ sub: 'bob' }))).status).toBe(404)
})

test('GW-12 N14 requests of 2026-07-28 have no session: an id is ignored, and none is minted', async () => {
  const { gw, token, id } = await startSession()
  gw.upstream.hits.length = 0
  for (const session of [id, 'garbage']) {
    const headers = { 'mcp-session-id': session, 'last-event-id': '5' }
    const answer = await send(gw, { token, body: searchCall, headers })
    expect(answer.status).toBe(200)
    expect(answer.headers['mcp-session-id']).toBeUndefined()
  }
  for (const hit of gw.upstream.hits) {
    expect(hit.headers['mcp-session-id']).toBeUndefined()
    expect(hit.headers['last-event-id']).toBeUndefined()
  }
  for (const method of ['GET', 'DELETE']) {
    const answer = await send(gw, { token, method, headers: { 'mcp-protocol-version': '2026-07-28' } })
    expect(answer.status).toBe(405)
  }
  expect((await send(gw, { token, body: modern('tools/list') })).headers['mcp-session-id']).toBeUndefined()
  expect(gw.upstream.hits).toHaveLength(3)
})

test('OT-07 an answer of the client to the server passes in a session of its own, and only there', async () => {
  const { gw, token, id } = await startSession()
  gw.upstream.hits.length = 0
  const body = { jsonrpc: '2.0', id: 9, result: { roots: [] } }
  const headers = { 'mcp-protocol-version': '2025-11-25' }
  const bob = await gw.token({ sub: 'bob' })
  expect((await send(gw, { token, body, headers })).status).toBe(400)
  expect((await send(gw, { token: bob, body, headers: { ...headers, 'mcp-session-id': id } })).status).toBe(
    404,
  )
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await send(gw, { token, body, headers: { ...headers, 'mcp-session-id': id } })).status).toBe(200)
  expect(gw.upstream.hits[0]!.body.toString()).toBe(JSON.stringify(body))
})

test('OT-01 a session that the upstream has ended is ended for the client too', async () => {
  const { gw, token, id } = await startSession()
  gw.upstream.answer = (_, res) => res.writeHead(404).end('gone')
  expect(await sendIn(gw, id, token)).toMatchObject({ status: 404 })
})

test('OT-05 a session is ended, also where the upstream answers without a type and a length', async () => {
  const { gw, token, id } = await startSession()
  gw.upstream.hits.length = 0
  gw.upstream.answer = (_, res) => {
    res.writeHead(200)
    res.flushHeaders()
    res.end()
  }
  expect((await sendIn(gw, id, token, 'DELETE')).status).toBe(200)
  expect(gw.upstream.hits[0]?.headers['mcp-session-id']).toBe(upstreamId)
})

test('OT-05 ending a session needs its id', async () => {
  const { gw, token } = await startSession()
  gw.upstream.hits.length = 0
  expect((await send(gw, { token, method: 'DELETE' })).status).toBe(400)
  expect(gw.upstream.hits).toHaveLength(0)
})
