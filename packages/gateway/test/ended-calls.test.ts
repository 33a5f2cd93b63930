import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { type Policy, readPolicy } from '@warder/policy'
import { expect, onTestFinished, test } from 'vitest'
import type { DecisionLog } from '../src/index.ts'
import {
  eventually,
  type GatewayParts,
  type GatewayUnderTest,
  type Got,
  legacy,
  modern,
  open,
  plainAnswer,
  policyText,
  searchCall,
  send,
  startGateway,
  startHalf,
  startUpstream,
  statuses,
} from './harness.ts'

interface Running {
  readonly gw: GatewayUnderTest
  /** What tools and subscriptions were asked, each waiting for its answer. */
  readonly calls: ServerResponse[]
  /** The next policy, which takes force at once. */
  adopt(policy: Policy): void
  /** Takes a grant away, as an authorization server does. */
  revoke(grantId: string): void
}

const policyBefore = readPolicy(policyText)
const withoutBob = readPolicy(policyText.replace(/.*user: bob.*/, ''))

/** An upstream that keeps every tool call waiting and every stream open, under a policy and grants that may change. */
async function startRunning(parts: GatewayParts = {}): Promise<Running> {
  const calls: ServerResponse[] = []
  const upstream = await startUpstream((hit, res, req) => {
    if (/tools\/call|subscriptions\/listen/.test(hit.body.toString())) return void calls.push(res)
    if (hit.method === 'GET') {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      return void res.write(':\n\n')
    }
    if (!hit.body.includes('"initialize"')) return plainAnswer(hit, res, req)
    const { id } = JSON.parse(hit.body.toString())
    const serverInfo = { name: 'notes', version: '1' }
    const result = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo }
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
  })
  let policy = policyBefore
  const revoked = new Set<string | undefined>()
  const revocations = {
    isRevoked: ({ grantId }: { readonly grantId?: string | undefined }) => revoked.has(grantId),
    isFresh: () => true,
  }
  const gw = await startGateway({ ...parts, upstream, guard: { policy: () => policy, revocations } })
  return {
    gw,
    calls,
    adopt(next) {
      policy = next
      gw.gateway.closeNarrowed()
    },
    revoke(grantId) {
      revoked.add(grantId)
      gw.gateway.closeStreams((principal) => principal.grantId === grantId)
    },
  }
}

const answered = { content: [{ type: 'text', text: 'done' }] }

function answer(call: ServerResponse | undefined, id: unknown = 1): void {
  call!.writeHead(200, { 'content-type': 'application/json' })
  call!.end(JSON.stringify({ jsonrpc: '2.0', id, result: answered }))
}

const mayHaveRun = { code: -32603, message: expect.stringContaining('may have taken effect') }

test('O14 N07 the official client, which renews its token at a challenge, runs a tool once that is ended while it runs', async () => {
  const { gw, calls, revoke } = await startRunning()
  let token = await gw.token({ grant_id: 'old' })
  let renewed = 0
  const authProvider = {
    token: async () => token,
    onUnauthorized: async () => {
      renewed += 1
      token = await gw.token({ grant_id: 'new' })
    },
  }
  const client = new Client({ name: 'tester', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(new URL(gw.url), { authProvider }))
  onTestFinished(() => client.close())
  const call = (): Promise<unknown> => client.callTool({ name: 'search_notes', arguments: {} })

  const ended = call().catch((error: unknown) => error)
  await eventually(() => calls.length).toBe(1)
  revoke('old')
  expect(await ended).toMatchObject(mayHaveRun)
  expect([calls.length, renewed]).toEqual([1, 0])

  // The positive twin: a call that comes with the revoked token is challenged before anything is sent, and made again.
  const again = call()
  await eventually(() => calls.length).toBe(2)
  const { id } = JSON.parse(gw.upstream.hits.at(-1)!.body.toString())
  answer(calls[1], id)
  expect(await again).toMatchObject(answered)
  expect([calls.length, renewed]).toEqual([2, 1])
})

test('O14 each request of a batch that is ended hears that it may have run', async () => {
  const { gw, calls, revoke } = await startRunning()
  const call = (id: unknown): object => legacy('tools/call', { name: 'search_notes', arguments: {} }, id)
  const notice = { jsonrpc: '2.0', method: 'notifications/initialized' }
  const sent = (messages: readonly object[]): Promise<Got> => {
    const body = JSON.stringify(messages)
    return gw
      .token()
      .then((token) => send(gw, { token, body, headers: { 'mcp-protocol-version': '2025-03-26' } }))
  }
  const ended = sent([call(1), notice, call('two')])
  await eventually(() => calls.length).toBe(1)
  revoke('grant-1')
  expect(await ended).toMatchObject({
    status: 200,
    json: [
      { id: 1, error: mayHaveRun },
      { id: 'two', error: mayHaveRun },
    ],
  })
  expect((await sent([call(1)])).status).toBe(401)
  expect(calls).toHaveLength(1)
})

test('N19 O14 a narrower policy ends the calls that it would not let pass, and leaves all others alone', async () => {
  const { gw, calls, adopt } = await startRunning()
  const [alice, bob] = await Promise.all([gw.token(), gw.token({ sub: 'bob' })])
  const kept = send(gw, { token: alice, body: searchCall })
  await eventually(() => calls.length).toBe(1)
  const ended = send(gw, { token: bob, body: searchCall })
  await eventually(() => calls.length).toBe(2)
  adopt(withoutBob)
  expect(await ended).toMatchObject({ status: 200, json: { id: 1, error: mayHaveRun } })
  await eventually(() => calls[1]!.closed).toBe(true)
  answer(calls[0])
  expect(await kept).toMatchObject({ status: 200, json: { result: answered } })
})

test('N19 a policy that cannot be read any more lets no call go on', async () => {
  const { gw, calls, adopt } = await startRunning()
  const ended = send(gw, { token: await gw.token(), body: searchCall })
  await eventually(() => calls.length).toBe(1)
  adopt(undefined as unknown as Policy)
  expect(await ended).toMatchObject({ status: 200, json: { error: mayHaveRun } })
})

test('N06 N19 the streams for news are closed when the policy becomes narrower for whomever', async () => {
  const { gw, adopt } = await startRunning()
  const news = await open(gw, { token: await gw.token(), method: 'GET' })
  adopt(withoutBob)
  let text = ''
  for await (const chunk of news) text += chunk
  expect(text).toBe(':\n\n')
})

test('N06 a subscription that has not begun yet is challenged: to ask for it again does nothing twice', async () => {
  const { gw, calls, revoke } = await startRunning()
  const body = modern('subscriptions/listen', { notifications: { toolsListChanged: true } })
  const asked = send(gw, { token: await gw.token(), body })
  await eventually(() => calls.length).toBe(1)
  revoke('grant-1')
  expect((await asked).status).toBe(401)
  expect((await asked).headers['www-authenticate']).toContain('error="invalid_token"')
})

test('N19 a call that is being recorded when the policy becomes narrower is not sent, and may be made again', async () => {
  let record: () => void = () => undefined
  const recorded = new Promise<void>((resolve) => {
    record = resolve
  })
  let waiting = 0
  const unrecorded = await startRunning()
  const log: DecisionLog = {
    ...unrecorded.gw.log,
    async recordDecisions(entries) {
      waiting += 1
      await recorded
      return unrecorded.gw.log.recordDecisions(entries)
    },
  }
  const { gw, calls, adopt } = await startRunning({ log, logDir: unrecorded.gw.logDir })
  const [kept, ended] = await Promise.all(
    ['alice', 'bob'].map(async (sub) => ({
      answer: send(gw, { token: await gw.token({ sub }), body: searchCall }),
    })),
  )
  await eventually(() => waiting).toBe(2)
  adopt(withoutBob)
  record()
  expect((await ended!.answer).status).toBe(401)
  await eventually(() => calls.length).toBe(1)
  answer(calls[0])
  expect((await kept!.answer).status).toBe(200)
  expect(calls).toHaveLength(1)
})

test('N07 a revocation ends a request whose body is still on its way: it may be made again', async () => {
  const { gw, calls, revoke } = await startRunning()
  const token = await gw.token()
  const socket = await startHalf(gw, token)
  const said = once(socket, 'data')
  revoke('grant-1')
  expect(statuses(String(await said))).toEqual([401])
  expect(calls).toHaveLength(0)
  expect(await gw.decisions()).toMatchObject([{ outcome: 'refused', reason: 'token.revoked' }])
})
