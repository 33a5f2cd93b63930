import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { child, type Served, serve } from './serve.ts'
import {
  callTool,
  events,
  eventually,
  messages,
  openSession,
  post,
  type Who,
  type Wire,
  whoHeaders,
} from './talk.ts'

let served: Served
beforeAll(async () => {
  served = await serve(child('odd-server.mjs'))
})
afterAll(() => served.close())

const list = (headers: Record<string, string>, who: Who = {}): Promise<Response> =>
  post(served.url, { method: 'tools/list', headers, ...who })

const get = (headers: Record<string, string>, who: Who = {}): Promise<Response> =>
  fetch(served.url, { headers: { accept: 'text/event-stream', ...whoHeaders(who), ...headers } })

const end = (headers: Record<string, string>, who: Who = {}): Promise<Response> =>
  fetch(served.url, { method: 'DELETE', headers: { ...whoHeaders(who), ...headers } })

const call = async (
  name: string,
  args: object,
  headers: Record<string, string>,
  who: Who = {},
): Promise<Wire> =>
  messages(
    await post(served.url, { method: 'tools/call', params: { name, arguments: args }, headers, ...who }),
  )

describe('the handshake', () => {
  for (const [asked, answered] of [
    ['2025-11-25', '2025-11-25'],
    ['2025-06-18', '2025-06-18'],
    ['1999-01-01', '2025-11-25'],
  ] as const) {
    test(`OT-01 initialize with ${asked} is answered with ${answered}`, async () => {
      const params = {
        protocolVersion: asked,
        capabilities: { sampling: {} },
        clientInfo: { name: 't', version: '1' },
      }
      const response = await post(served.url, { method: 'initialize', params })
      expect(response.headers.get('content-type')).toBe('application/json')
      const { result } = (await response.json()) as Wire
      expect(result).toEqual({
        protocolVersion: answered,
        capabilities: {
          tools: { listChanged: true },
          resources: { subscribe: true, listChanged: true },
          logging: {},
        },
        serverInfo: { name: 'odd', version: '1.2.3' },
        instructions: 'declared: {}',
      })
    })
  }

  test('OT-01 a later request needs the session: without 400, with an unknown one 404, with it 200', async () => {
    const headers = await openSession(served.url)
    expect((await list({})).status).toBe(400)
    expect((await list({ 'mcp-session-id': 'x' })).status).toBe(404)
    expect((await list(headers)).status).toBe(200)
  })

  test('GW-24 OT-09 an unsupported version in the header is refused, a missing one is not', async () => {
    const { 'mcp-session-id': id = '' } = await openSession(served.url)
    expect((await list({ 'mcp-session-id': id, 'mcp-protocol-version': '1999-01-01' })).status).toBe(400)
    expect((await list({ 'mcp-session-id': id })).status).toBe(200)
  })

  test('OT-07 GW-05 notifications and responses of the client are accepted, and do not reach the child', async () => {
    const who = { owner: 'ot-07' }
    const headers = await openSession(served.url, who)
    for (const body of [
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', method: 'notifications/roots/list_changed' },
      { jsonrpc: '2.0', id: 1, result: {} },
    ]) {
      const response = await post(served.url, { body, headers, ...who })
      expect([response.status, await response.text()]).toEqual([202, ''])
    }
    const received: Wire[] = await callTool(served.url, 'received', {}, who)
    expect(received.map(({ method }) => method)).toEqual([
      'initialize',
      'notifications/initialized',
      'tools/call',
    ])
  })

  test('OT-01 ping is answered, and an unknown method is an error that does not end the session', async () => {
    const headers = await openSession(served.url)
    expect(await messages(await post(served.url, { method: 'ping', id: 'p', headers }))).toEqual([
      { jsonrpc: '2.0', id: 'p', result: {} },
    ])
    const unknown = await post(served.url, { method: 'tasks/list', headers })
    expect([unknown.status, ((await unknown.json()) as Wire).error.code]).toEqual([200, -32601])
    expect((await list(headers)).status).toBe(200)
  })

  test('GW-54 an unknown resource stays -32002 under a session', async () => {
    const headers = await openSession(served.url)
    const [answer] = await messages(
      await post(served.url, { method: 'resources/read', params: { uri: 'odd:///none' }, headers }),
    )
    expect(answer.error.code).toBe(-32002)
  })
})

describe('a session belongs to one user and one client', () => {
  test('N09 OT-02 OT-03 at any other user or client it is unknown, for POST, GET and DELETE', async () => {
    const headers = await openSession(served.url, { owner: 'alice', client: 'a' })
    for (const who of [
      { owner: 'bob', client: 'a' },
      { owner: 'alice', client: 'b' },
    ]) {
      expect((await list(headers, who)).status).toBe(404)
      expect((await get(headers, who)).status).toBe(404)
      expect((await end(headers, who)).status).toBe(404)
    }
    expect((await list(headers, { owner: 'alice', client: 'a' })).status).toBe(200)
  })

  test('N10 it goes on when the same user and client come with another token', async () => {
    const headers = await openSession(served.url, { owner: 'alice', client: 'a' })
    const later = { ...headers, authorization: 'Bearer refreshed' }
    expect((await list(later, { owner: 'alice', client: 'a' })).status).toBe(200)
    expect((await list(later, { owner: 'mallory', client: 'a' })).status).toBe(404)
  })

  test('RS-29 N09 OT-03 ids are 256 random bits, and never in the log', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => openSession(served.url, { owner: 'ids' })))
    const values = ids.map((headers) => headers['mcp-session-id'] ?? '')
    expect(new Set(values).size).toBe(20)
    for (const id of values) {
      expect(Buffer.from(id, 'base64url')).toHaveLength(32)
      expect(JSON.stringify(served.log)).not.toContain(id)
    }
    expect(served.log.length).toBeGreaterThan(0)
  })

  test('OT-05 DELETE ends it, and only it', async () => {
    const [one, other] = [await openSession(served.url), await openSession(served.url)]
    expect((await end(one)).status).toBe(204)
    expect((await list(one)).status).toBe(404)
    expect((await list(other)).status).toBe(200)
  })

  test('N13 the fifty-first session of a user ends the one that was used longest ago; others are not touched', async () => {
    const other = await openSession(served.url, { owner: 'n13-other' })
    const who = { owner: 'n13' }
    const first = await openSession(served.url, who)
    const second = await openSession(served.url, who)
    for (let i = 2; i < 50; i++) await openSession(served.url, who)
    expect((await list(first, who)).status).toBe(200)
    await openSession(served.url, who)
    expect((await list(second, who)).status).toBe(404)
    expect((await list(first, who)).status).toBe(200)
    expect((await list(other, { owner: 'n13-other' })).status).toBe(200)
  })

  test('OT-01 it ends with its child, and the next initialize starts another', async () => {
    const who = { owner: 'ot-01' }
    const headers = await openSession(served.url, who)
    const [answer] = await call('crash', {}, headers, who)
    expect(answer.error).toEqual({
      code: -32603,
      message: 'The MCP server behind Warder exited with code 7 before it answered.',
    })
    expect((await list(headers, who)).status).toBe(404)
    const again = await openSession(served.url, who)
    expect((await list(again, who)).status).toBe(200)
  })
})

describe('the GET stream', () => {
  const open = async (
    who: Who,
  ): Promise<{ headers: Record<string, string>; stream: AsyncGenerator<Wire> }> => {
    const headers = await openSession(served.url, who)
    const response = await get(headers, who)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(response.headers.get('x-accel-buffering')).toBe('no')
    return { headers, stream: events(response) }
  }
  const notify = (method: string, params: object, who: Who): Promise<unknown> =>
    callTool(served.url, 'notify', { method, params }, who)

  test('N15 OT-04 each user gets what the own child reports, and nothing of another', async () => {
    const alice = await open({ owner: 'n15-alice' })
    const bob = await open({ owner: 'n15-bob' })
    await notify('notifications/message', { level: 'info', data: 'for alice' }, { owner: 'n15-alice' })
    await notify('notifications/message', { level: 'info', data: 'for bob' }, { owner: 'n15-bob' })
    expect((await alice.stream.next()).value.params.data).toBe('for alice')
    expect((await bob.stream.next()).value.params.data).toBe('for bob')
  })

  test('N15 log messages stop as soon as a second client of the user shares the child', async () => {
    const [one, two] = [
      { owner: 'n15-two', client: 'one' },
      { owner: 'n15-two', client: 'two' },
    ]
    const { stream } = await open(one)
    await notify('notifications/message', { level: 'info', data: 'alone' }, one)
    expect((await stream.next()).value.params.data).toBe('alone')
    await notify('notifications/message', { level: 'info', data: 'a secret of the other client' }, two)
    await notify('notifications/tools/list_changed', {}, two)
    expect((await stream.next()).value.method).toBe('notifications/tools/list_changed')
  })

  test('U07 N13 a session watches a limited number of resources, and may stop watching one for another', async () => {
    const who = { owner: 'collector' }
    const headers = await openSession(served.url, who)
    const ask = (method: string, uri: string): Promise<Response> =>
      post(served.url, { method, params: { uri }, headers, ...who })
    for (let at = 0; at < 200; at += 1)
      expect((await messages(await ask('resources/subscribe', `odd:///${at}`)))[0].result).toEqual({})
    expect((await ask('resources/subscribe', 'odd:///more')).status).toBe(429)
    expect((await messages(await ask('resources/subscribe', 'odd:///7')))[0].result).toEqual({})
    await messages(await ask('resources/unsubscribe', 'odd:///7'))
    expect((await messages(await ask('resources/subscribe', 'odd:///more')))[0].result).toEqual({})
  })
  test('N15 OT-04 changes of a resource reach the session that subscribed, until it unsubscribes', async () => {
    const who = { owner: 'subscriber' }
    const [watcher, other] = [await open(who), await open(who)]
    const ask = (method: string, uri: string): Promise<Response> =>
      post(served.url, { method, params: { uri }, headers: watcher.headers, ...who })
    expect((await messages(await ask('resources/subscribe', 'odd:///a')))[0].result).toEqual({})
    expect((await messages(await ask('resources/subscribe', 'http://x')))[0].error.code).toBe(-32602)
    await notify('notifications/resources/updated', { uri: 'odd:///b' }, who)
    await notify('notifications/resources/updated', { uri: 'odd:///a' }, who)
    await messages(await ask('resources/unsubscribe', 'odd:///a'))
    await notify('notifications/resources/updated', { uri: 'odd:///a' }, who)
    await notify('notifications/tools/list_changed', {}, who)
    const methods = async (stream: AsyncGenerator<Wire>): Promise<Wire> => (await stream.next()).value
    expect((await methods(watcher.stream)).params).toEqual({ uri: 'odd:///a' })
    expect((await methods(watcher.stream)).method).toBe('notifications/tools/list_changed')
    expect((await methods(other.stream)).method).toBe('notifications/tools/list_changed')
  })

  test('OT-05 DELETE takes back what the session watched', async () => {
    const who = { owner: 'unwatched' }
    const headers = await openSession(served.url, who)
    await messages(
      await post(served.url, { method: 'resources/subscribe', params: { uri: 'odd:///a' }, headers, ...who }),
    )
    const taken = async (): Promise<unknown[]> => {
      const all: Wire[] = await callTool(served.url, 'received', {}, who)
      return all.filter(({ method }) => method === 'resources/unsubscribe').map(({ params }) => params.uri)
    }
    expect(await taken()).toEqual([])
    await end(headers, who)
    expect(await taken()).toEqual(['odd:///a'])
  })

  test('N15 what the child must not send to a client is dropped', async () => {
    const who = { owner: 'dropped' }
    const { stream } = await open(who)
    await notify('notifications/elicitation/complete', { elicitationId: '1' }, who)
    await notify('notifications/tasks/status', { taskId: '1' }, who)
    await notify('notifications/cancelled', { requestId: 1 }, who)
    await notify('notifications/tools/list_changed', {}, who)
    expect((await stream.next()).value.method).toBe('notifications/tools/list_changed')
  })

  test('OT-06 N11 events have no id, and Last-Event-ID brings nothing back', async () => {
    const who = { owner: 'ot-06' }
    const headers = await openSession(served.url, who)
    await notify('notifications/tools/list_changed', {}, who)
    const response = await get({ ...headers, 'last-event-id': '0' }, who)
    await notify('notifications/resources/list_changed', {}, who)
    expect((await events(response).next()).value.method).toBe('notifications/resources/list_changed')
  })

  test('OT-04 a new GET stream replaces the one before; DELETE ends it', async () => {
    const who = { owner: 'replaced' }
    const { headers, stream } = await open(who)
    const second = events(await get(headers, who))
    expect((await stream.next()).done).toBe(true)
    await notify('notifications/tools/list_changed', {}, who)
    expect((await second.next()).value.method).toBe('notifications/tools/list_changed')
    await end(headers, who)
    expect((await second.next()).done).toBe(true)
  })
})

describe('cancellation', () => {
  const received = async (owner: string): Promise<{ waits: unknown[]; cancelled: unknown[] }> => {
    const all: Wire[] = await callTool(served.url, 'received', {}, { owner })
    const waits = all.filter(({ params }) => params?.name === 'wait').map(({ id }) => id)
    const notes = all.filter(({ method }) => method === 'notifications/cancelled')
    return { waits, cancelled: notes.map(({ params }) => params.requestId) }
  }

  test('OT-08 a disconnect is not a cancellation, notifications/cancelled is, for exactly that request', async () => {
    const who = { owner: 'ot-08' }
    const headers = await openSession(served.url, who)
    const gone = new AbortController()
    const params = { name: 'wait', arguments: {} }
    const one = post(served.url, {
      method: 'tools/call',
      id: 'one',
      params,
      headers,
      signal: gone.signal,
      ...who,
    })
    one.catch(() => undefined)
    await eventually(async () => (await received('ot-08')).waits).toHaveLength(1)
    const two = post(served.url, { method: 'tools/call', id: 2, params, headers, ...who })
    const three = post(served.url, { method: 'tools/call', id: '2', params, headers, ...who })
    await eventually(async () => (await received('ot-08')).waits).toHaveLength(3)
    gone.abort()
    const body = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } }
    expect((await post(served.url, { body, headers, ...who })).status).toBe(202)
    // The cancelled request ends without an answer; the other ones go on.
    expect(await messages(await two)).toEqual([])
    const { waits, cancelled } = await received('ot-08')
    expect(cancelled).toHaveLength(1)
    expect(waits.slice(1)).toContain(cancelled[0])
    await callTool(served.url, 'answer-all', {}, who)
    expect((await messages(await three))[0]).toMatchObject({ id: '2', result: {} })
  })

  test('N09 OT-08 a request of another session is not cancelled', async () => {
    const who = { owner: 'other-session' }
    const [mine, theirs] = [await openSession(served.url, who), await openSession(served.url, who)]
    const params = { name: 'wait', arguments: {} }
    const waiting = post(served.url, { method: 'tools/call', id: 9, params, headers: theirs, ...who })
    await eventually(async () => (await received('other-session')).waits).toHaveLength(1)
    const body = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9 } }
    await post(served.url, { body, headers: mine, ...who })
    expect((await received('other-session')).cancelled).toEqual([])
    await post(served.url, { body, headers: theirs, ...who })
    expect((await received('other-session')).cancelled).toHaveLength(1)
    expect(await messages(await waiting)).toEqual([])
  })
})
