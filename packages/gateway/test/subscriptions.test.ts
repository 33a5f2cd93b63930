import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import {
  eventually,
  type GatewayUnderTest,
  type Message,
  modern,
  open,
  searchCall,
  send,
  slow,
  startGateway,
  startUpstream,
} from './harness.ts'

const key = 'io.modelcontextprotocol/subscriptionId'
const event = (value: object): string => `event: message\ndata: ${JSON.stringify(value)}\n\n`
const updated = (uri: string): string =>
  event({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri, _meta: { [key]: 1 } } })

interface Listening {
  readonly gw: GatewayUnderTest
  readonly streams: ServerResponse[]
}

/** An upstream that honours whatever it is asked for, or what it is told to say; its streams stay open. */
async function startListening(honored?: object): Promise<Listening> {
  const streams: ServerResponse[] = []
  const upstream = await startUpstream((hit, res) => {
    const message = hit.body.length === 0 ? {} : JSON.parse(hit.body.toString())
    if (message.method === 'tools/call') {
      res.writeHead(200, { 'content-type': 'application/json' })
      return void res.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result: { content: [] } }))
    }
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write(': open\n\n')
    if (message.method !== undefined) {
      const notifications = honored ?? message.params.notifications
      const params = { notifications, _meta: { [key]: message.id } }
      res.write(event({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params }))
    }
    streams.push(res)
  })
  return { gw: await startGateway({ upstream }), streams }
}

const listenTo = (notifications: object, id: unknown = 1): Message =>
  modern('subscriptions/listen', { notifications }, id)

// biome-ignore lint/suspicious/noExplicitAny: the tests compare members of whatever came
type Json = any

/** Reads messages from a stream as they come. */
function messagesOf(res: IncomingMessage): { next(): Promise<Json>; all: Json[]; ended: Promise<unknown> } {
  const all: Json[] = []
  let text = ''
  let given = 0
  res.setEncoding('utf8')
  res.on('data', (chunk: string) => {
    text += chunk
    const events = text.split('\n\n')
    text = events.pop() ?? ''
    for (const one of events) {
      const data = /^data: (.*)$/m.exec(one)?.[1]
      if (data !== undefined && data !== '') all.push(JSON.parse(data))
    }
  })
  const ended = once(res, 'end')
  return {
    all,
    ended,
    async next() {
      const place = given++
      await eventually(() => all.length).toBeGreaterThan(place)
      return all[place]
    },
  }
}

test('GW-64 a subscription goes on for the resources that its caller may read, and the others are not honoured', async () => {
  const { gw, streams } = await startListening()
  const asked = { toolsListChanged: true, resourceSubscriptions: ['notes:///a', 'secret:///b', 'notes:///c'] }
  const res = await open(gw, { token: await gw.token(), body: listenTo(asked) })
  const stream = messagesOf(res)
  const allowed = { toolsListChanged: true, resourceSubscriptions: ['notes:///a', 'notes:///c'] }
  expect((await stream.next()).params.notifications).toEqual(allowed)
  const forwarded = JSON.parse(gw.upstream.hits[0]!.body.toString())
  expect(forwarded).toEqual(listenTo(allowed))
  const targets = (await gw.decisions()).map(({ target, outcome }) => `${target ?? 'itself'} ${outcome}`)
  expect(targets).toEqual(['itself open', 'notes:///a open', 'secret:///b hidden', 'notes:///c open'])
  // News about what is hidden never passes, even from a server that was not asked for it.
  for (const uri of ['secret:///b', 'notes:///a']) streams[0]!.write(updated(uri))
  expect((await stream.next()).params.uri).toBe('notes:///a')
  res.destroy()
})

test('GW-64 a server that claims to honour more is not believed', async () => {
  const { gw } = await startListening({ resourceSubscriptions: ['secret:///b', 'notes:///a'] })
  const res = await open(gw, {
    token: await gw.token(),
    body: listenTo({ resourceSubscriptions: ['notes:///a'] }),
  })
  const { params } = await messagesOf(res).next()
  expect(params.notifications).toEqual({ resourceSubscriptions: ['notes:///a'] })
  res.destroy()
})

test('GW-64 a subscription of which all may be read goes on in its own bytes', async () => {
  const { gw } = await startListening()
  const body = JSON.stringify(listenTo({ resourceSubscriptions: ['notes:///a'] })).replace(',', ' ,')
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' }
  const res = await open(gw, { token: await gw.token(), body, headers })
  await messagesOf(res).next()
  expect(gw.upstream.hits[0]!.body.toString()).toBe(body)
  res.destroy()
})

test('GW-65 N06 a subscription that we end first says that it is complete, and no event comes after it', async () => {
  const { gw, streams } = await startListening()
  const body = listenTo({ toolsListChanged: true }, 'sub-1')
  const [one, other] = await Promise.all(
    ['one', 'other'].map(async (grant_id) =>
      messagesOf(await open(gw, { token: await gw.token({ grant_id }), body })),
    ),
  )
  await Promise.all([one!.next(), other!.next()])
  gw.gateway.closeStreams(({ grantId }) => grantId === 'one')
  const last = await one!.next()
  expect(last).toEqual({
    jsonrpc: '2.0',
    id: 'sub-1',
    result: { resultType: 'complete', _meta: { [key]: 'sub-1' } },
  })
  for (const stream of streams)
    stream.write(event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }))
  await one!.ended
  expect(one!.all).toHaveLength(2)
  expect((await other!.next()).method).toBe('notifications/tools/list_changed')
  await gw.gateway.close()
})

test('GW-65 a subscription ends with its token, and says so', slow, async () => {
  const { gw } = await startListening()
  const exp = Math.floor(Date.now() / 1000) + 3
  const body = listenTo({ toolsListChanged: true })
  const stream = messagesOf(await open(gw, { token: await gw.token({ exp }), body }))
  await stream.ended
  expect(stream.all.at(-1)).toMatchObject({ id: 1, result: { resultType: 'complete' } })
  await eventually(async () => (await gw.records()).at(-1)).toMatchObject({ error: 'token.expired' })
})

test('a wider token of the same caller is news on the streams that are open, once', async () => {
  const { gw } = await startListening()
  const token = await gw.token()
  const streams = await Promise.all(
    [
      { method: 'GET' },
      { body: listenTo({ toolsListChanged: true }, 7) },
      { body: listenTo({ promptsListChanged: true }, 8) },
    ].map(async (sent) => messagesOf(await open(gw, { token, ...sent }))),
  )
  const [session, listening, notAsked] = streams
  await Promise.all([listening!.next(), notAsked!.next()])
  await eventually(() => gw.upstream.hits.length).toBe(3)
  const scope = 'notes:read notes:write'
  const strangers = [{ sub: 'bob', scope }, { client_id: 'https://other.example/client.json', scope }, {}]
  for (const claims of strangers) await send(gw, { token: await gw.token(claims), body: searchCall })
  const wider = await gw.token({ scope, grant_id: 'grant-2' })
  for (let turn = 0; turn < 2; turn++) await send(gw, { token: wider, body: searchCall })
  expect(await session!.next()).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
  expect(await listening!.next()).toEqual({
    jsonrpc: '2.0',
    method: 'notifications/tools/list_changed',
    params: { _meta: { [key]: 7 } },
  })
  gw.gateway.closeStreams(() => true)
  await Promise.all(streams.map(({ ended }) => ended))
  expect(streams.map(({ all }) => all.length)).toEqual([1, 3, 2])
})

test(
  'N13 one user has a limited number of calls and streams, and the others notice nothing',
  slow,
  async () => {
    const { gw } = await startListening()
    const token = await gw.token()
    const streams = await Promise.all(
      Array.from({ length: 256 }, () => open(gw, { token, body: listenTo({ toolsListChanged: true }) })),
    )
    expect(new Set(streams.map(({ statusCode }) => statusCode))).toEqual(new Set([200]))
    expect((await send(gw, { token, body: searchCall })).status).toBe(429)
    expect((await send(gw, { token: await gw.token({ sub: 'bob' }), body: searchCall })).status).toBe(200)
    streams[0]!.destroy()
    await eventually(async () => (await send(gw, { token, body: searchCall })).status).toBe(200)
    for (const stream of streams) stream.destroy()
  },
)
