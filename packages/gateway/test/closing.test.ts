import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import type { Upstream } from '../src/index.ts'
import {
  eventually,
  type GatewayUnderTest,
  modern,
  open,
  searchCall,
  send,
  startGateway,
  startHalf,
  startUpstream,
  statuses,
} from './harness.ts'

/** An upstream that keeps every tool call waiting, and honours subscriptions. */
async function startWaiting(): Promise<{ readonly gw: GatewayUnderTest; readonly calls: ServerResponse[] }> {
  const calls: ServerResponse[] = []
  const upstream = await startUpstream((hit, res) => {
    const message = JSON.parse(hit.body.toString())
    if (message.method === 'tools/call') return void calls.push(res)
    const _meta = { 'io.modelcontextprotocol/subscriptionId': message.id }
    const params = { notifications: message.params.notifications, _meta }
    const acknowledged = { jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params }
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write(`event: message\ndata: ${JSON.stringify(acknowledged)}\n\n`)
  })
  return { gw: await startGateway({ upstream }), calls }
}

test('V17 a stop ends what waits for news, and a call in progress gets its answer', async () => {
  const { gw, calls } = await startWaiting()
  const token = await gw.token()
  const body = modern('subscriptions/listen', { notifications: { toolsListChanged: true } })
  const news = await open(gw, { token, body })
  const answer = send(gw, { token, body: searchCall })
  await eventually(() => calls.length).toBe(1)
  gw.gateway.closeNews()
  let text = ''
  for await (const chunk of news) text += chunk
  expect(text).toContain('"resultType":"complete"')
  calls[0]!.writeHead(200, { 'content-type': 'application/json' })
  calls[0]!.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [] } }))
  expect(await answer).toMatchObject({ status: 200, json: { result: { content: [] } } })
})

test('V17 a close does not wait for a body that its client never finishes', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const socket = await startHalf(gw, token)
  const said = once(socket, 'data')
  await gw.gateway.close()
  expect(statuses(String(await said))).toEqual([502])
  expect(await gw.decisions()).toMatchObject([{ outcome: 'refused', reason: 'upstream.unreachable' }])
})

test('V17 nor for a server that does not let go of a call', async () => {
  let isAsked = false
  const stdio: Upstream = {
    takesResponses: false,
    send: () => {
      isAsked = true
      return new Promise(() => undefined)
    },
    close: async () => {},
  }
  const gw = await startGateway({ stdio, limits: { ending: 50 } })
  send(gw, { token: await gw.token(), body: searchCall }).catch(() => undefined)
  await eventually(() => isAsked).toBe(true)
  await gw.gateway.close()
})

test('V17 what a close breaks off has its outcome in the log by the time that it is closed', async () => {
  let isAsked = false
  const stdio: Upstream = {
    takesResponses: false,
    send: ({ signal }) =>
      new Promise((_resolve, reject) => {
        isAsked = true
        // It needs a moment to break off.
        signal.addEventListener('abort', () => setTimeout(() => reject(signal.reason), 50))
      }),
    close: async () => {},
  }
  const gw = await startGateway({ stdio })
  const answer = send(gw, { token: await gw.token(), body: searchCall })
  await eventually(() => isAsked).toBe(true)
  await gw.gateway.close()
  await gw.log.close()
  const records = await gw.records()
  const decision = records.find(({ kind }) => kind === 'decision')
  expect(records).toContainEqual(
    expect.objectContaining({
      kind: 'outcome',
      id: decision?.id,
      status: 502,
      error: 'upstream.unreachable',
    }),
  )
  expect((await answer).status).toBe(502)
})
