import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { type DecisionRecord, openDecisionLog, readDecisionLog } from '../src/index.ts'
import {
  eventually,
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

test('T04 a call that cannot be recorded is not made: 503 before the upstream, and calls again when it can be', async () => {
  let time = Date.now()
  const logDir = join(await mkdtemp(join(tmpdir(), 'warder-gateway-')), 'log')
  const log = await openDecisionLog(logDir, { secret: randomBytes(32), now: () => time })
  const gw = await startGateway({ log, logDir })
  const token = await gw.token()
  expect((await send(gw, { token, body: searchCall })).status).toBe(200)
  time += 86_400_000
  const next = join(logDir, `decisions-${new Date(time).toISOString().slice(0, 10)}.jsonl`)
  await mkdir(next)
  const refused = await send(gw, { token, body: searchCall })
  expect(refused).toMatchObject({ status: 503, json: { id: 1 } })
  expect(refused.headers['retry-after']).toBe('5')
  expect(refused.headers['www-authenticate']).toBeUndefined()
  expect(gw.upstream.hits).toHaveLength(1)
  // What is refused anyway stays refused for its own reason.
  expect((await send(gw, { token, body: '[]' })).status).toBe(400)
  await rm(next, { recursive: true })
  expect((await send(gw, { token, body: searchCall })).status).toBe(200)
  expect(gw.upstream.hits).toHaveLength(2)
})

test('T04 after the log is closed no call is made', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  expect((await send(gw, { token, body: searchCall })).status).toBe(200)
  await gw.log.close()
  expect((await send(gw, { token, body: searchCall })).status).toBe(503)
  expect(gw.upstream.hits).toHaveLength(1)
})

test('the decision is on the disk before the upstream hears of the call, and the outcome follows', async () => {
  let before: unknown
  const upstream = await startUpstream()
  const gw = await startGateway({ upstream })
  upstream.answer = async (hit, res, req) => {
    before = await gw.decisions()
    plainAnswer(hit, res, req)
  }
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const answer = await send(gw, { token: await gw.token(), body: searchCall, headers: { traceparent } })
  const expected: Partial<DecisionRecord> = {
    kind: 'decision',
    outcome: 'open',
    server: 'notes',
    method: 'tools/call',
    target: 'search_notes',
    issuer: 'https://issuer.example',
    subject: 'alice',
    client: 'https://app.example/client.json',
    clientClass: 'document',
    scopes: ['notes:read'],
    grantId: 'grant-1',
    peer: '127.0.0.1',
    traceparent,
  }
  expect(before).toMatchObject([expected])
  await eventually(async () => (await gw.records()).length).toBe(2)
  const [decision, outcome] = await gw.records()
  expect(outcome).toMatchObject({ kind: 'outcome', id: decision!.id, status: 200, bytes: answer.text.length })
})

test('T01 T06 what is refused is recorded with its reason, in one line whatever the names are', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const name = `x\r\n{"kind":"decision"}\u2028\u001b[31m${'y'.repeat(100_000)}`
  await send(gw, { token, body: modern('tools/call', { name }), headers: { 'mcp-name': 'x' } })
  await send(gw, { token, body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } } })
  await send(gw, { token, body: { jsonrpc: '2.0', id: 1, method: name } })
  const decisions = await gw.decisions()
  expect(decisions.map((record) => [record.outcome, record.reason])).toEqual([
    ['refused', 'message.header-mismatch'],
    ['hidden', 'call.unknown'],
    ['refused', 'message.method'],
  ])
  for (const record of decisions) expect(JSON.stringify(record).length).toBeLessThan(4096)
  expect(gw.upstream.hits).toHaveLength(0)
})

test('T07 a flood without tokens is counted and leaves the real record', slow, async () => {
  const gw = await startGateway()
  for (let index = 0; index < 50; index += 1) await send(gw, { body: searchCall })
  await send(gw, { token: await gw.token(), body: searchCall })
  await eventually(async () => (await gw.records()).length).toBe(3)
  expect((await gw.records()).map((record) => record.kind)).toEqual(['count', 'decision', 'outcome'])
  await gw.log.close()
  expect((await gw.records()).at(-1)).toMatchObject({ kind: 'count', reason: 'token.missing', count: 49 })
})

test('T05 killed between decision and answer, the record is there', slow, async () => {
  const logDir = join(await mkdtemp(join(tmpdir(), 'warder-gateway-')), 'log')
  onTestFinished(() => rm(join(logDir, '..'), { recursive: true, force: true }))
  const upstream = await startUpstream()
  const program = join(import.meta.dirname, 'programs', 'run-gateway.ts')
  const child = spawn(process.execPath, ['--conditions=@warder/source', program, logDir, upstream.url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const port = Number((await lines.next()).value)
  upstream.answer = () => child.kill('SIGKILL')
  const answer = open({ port }, { token: await makeToken({ aud: 'x' }), body: searchCall }).catch(
    () => undefined,
  )
  await exited
  expect(await answer).toBeUndefined()
  expect(upstream.hits).toHaveLength(1)
  const records = []
  for await (const record of readDecisionLog(logDir)) records.push(record)
  expect(records).toMatchObject([{ kind: 'decision', outcome: 'open', target: 'search_notes' }])
})
