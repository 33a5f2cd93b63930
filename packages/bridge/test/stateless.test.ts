import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SUBSCRIPTION_ID_META_KEY } from '@modelcontextprotocol/client'
import { readMcpMessage } from '@warder/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { child, type Served, serve } from './serve.ts'
import {
  callTool,
  connect,
  envelope,
  events,
  eventually,
  messages,
  post,
  postStateless,
  type Wire,
} from './talk.ts'

const subscriptionId = SUBSCRIPTION_ID_META_KEY
const serverInfoKey = 'io.modelcontextprotocol/serverInfo'

let odd: Served
let newer: Served
beforeAll(async () => {
  odd = await serve(child('odd-server.mjs'))
  newer = await serve(child('stateless-server.mjs'))
})
afterAll(() => Promise.all([odd.close(), newer.close()]))

describe('results under 2026-07-28', () => {
  test('GW-60 server/discover names versions, capabilities and server, without what cannot be had here', async () => {
    const response = await postStateless(odd.url, { method: 'server/discover', id: 'd' })
    expect(response.status).toBe(200)
    const { id, result } = (await response.json()) as Wire
    expect(id).toBe('d')
    expect(result).toEqual({
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true } },
      instructions: 'declared: {}',
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { [serverInfoKey]: { name: 'odd', version: '1.2.3' } },
    })
  })

  test('a child is told who asks: Warder, with the version of its manifest', async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8'))
    const received: Wire[] = await callTool(odd.url, 'received', {}, { owner: 'greeted' })
    expect(received.find(({ method }) => method === 'initialize')?.params.clientInfo).toEqual({
      name: 'warder',
      version,
    })
  })

  for (const [method, params] of [
    ['tools/list', {}],
    ['resources/list', {}],
    ['resources/read', { uri: 'odd:///a' }],
  ] as const) {
    test(`GW-66 GW-67 ${method} is complete, private and says how long it holds`, async () => {
      const { result } = (await (await postStateless(odd.url, { method, params })).json()) as Wire
      expect(result).toMatchObject({ resultType: 'complete', cacheScope: 'private', ttlMs: 0 })
      expect(result._meta[serverInfoKey].name).toBe('odd')
    })
  }

  test('GW-66 a tool result is complete, and not cacheable', async () => {
    const params = { name: 'echo', arguments: {} }
    const { result } = (await (await postStateless(odd.url, { method: 'tools/call', params })).json()) as Wire
    expect(result.resultType).toBe('complete')
    expect(result).not.toHaveProperty('cacheScope')
    expect(result).not.toHaveProperty('ttlMs')
  })

  test('GW-13 an older child gets the params without the envelope, and other _meta untouched', async () => {
    const params = { name: 'echo', arguments: { a: 1 }, _meta: { traceparent: '00-x', 'vendor/key': [1] } }
    const { result } = (await (await postStateless(odd.url, { method: 'tools/call', params })).json()) as Wire
    expect(JSON.parse(result.content[0].text)).toEqual({
      args: { a: 1 },
      meta: { traceparent: '00-x', 'vendor/key': [1] },
    })
  })

  test('GW-54 an unknown resource is -32602, and stays -32002 under a session', async () => {
    const response = await postStateless(odd.url, {
      method: 'resources/read',
      params: { uri: 'odd:///none' },
    })
    expect(((await response.json()) as Wire).error.code).toBe(-32602)
  })

  test('GW-53 a reserved error code of the child does not pass, another one does', async () => {
    const call = (code: number): Promise<unknown> => callTool(odd.url, 'fail', { code })
    await expect(call(-32050)).rejects.toThrow('-32603')
    await expect(call(-32042)).rejects.toThrow('-32603')
    await expect(call(-31999)).rejects.toThrow('-31999')
  })

  test('GW-73 a child that asks for input, although nothing was declared to it, is refused in words', async () => {
    await expect(callTool(odd.url, 'asks-for-input')).rejects.toThrow(
      '-32603 The MCP server behind Warder asks',
    )
  })
})

describe('refusals under 2026-07-28', () => {
  const refused = async (response: Response): Promise<unknown[]> => {
    const { id, error } = (await response.json()) as Wire
    return [response.status, error.code, id]
  }

  for (const method of [
    'initialize',
    'ping',
    'logging/setLevel',
    'resources/subscribe',
    'tasks/list',
    'no/such',
  ]) {
    test(`GW-23 ${method} is unknown`, async () => {
      expect(await refused(await postStateless(odd.url, { method, id: 5 }))).toEqual([404, -32601, 5])
    })
  }

  test('GW-23 a method that the child does not have is unknown too', async () => {
    expect(await refused(await postStateless(odd.url, { method: 'prompts/list', id: 6 }))).toEqual([
      404, -32601, 6,
    ])
  })

  test('GW-22 an unsupported version is answered with those that are', async () => {
    const key = 'io.modelcontextprotocol/protocolVersion'
    const params = { _meta: { ...envelope, [key]: '2099-01-01' } }
    const response = await post(odd.url, { method: 'tools/list', params })
    expect(response.status).toBe(400)
    const { error } = (await response.json()) as Wire
    expect(error).toMatchObject({ code: -32022, data: { requested: '2099-01-01' } })
    expect(error.data.supported).toContain('2026-07-28')
  })

  test('GW-51 a request without the whole envelope is refused, with it answered', async () => {
    const headers = { 'mcp-protocol-version': '2026-07-28' }
    const version = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
    const none = await post(odd.url, { method: 'tools/list', headers })
    expect(await refused(none)).toEqual([400, -32602, 1])
    const part = await post(odd.url, { method: 'tools/list', params: { _meta: version }, headers })
    expect(await refused(part)).toEqual([400, -32602, 1])
    expect((await postStateless(odd.url, { method: 'tools/list' })).status).toBe(200)
  })

  test('GW-01 GW-11 GET and DELETE are not allowed', async () => {
    for (const method of ['GET', 'DELETE']) {
      const response = await fetch(odd.url, { method, headers: { 'mcp-protocol-version': '2026-07-28' } })
      expect(response.status).toBe(405)
    }
  })

  test('GW-05 M13 a notification is accepted, a response is not a message', async () => {
    const headers = { 'mcp-protocol-version': '2026-07-28' }
    const note = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }
    expect((await post(odd.url, { body: note, headers })).status).toBe(202)
    const response = await post(odd.url, { body: { jsonrpc: '2.0', id: 1, result: {} }, headers })
    expect(await refused(response)).toEqual([400, -32600, 1])
  })

  test('N14 a session id and an event id are ignored, and none is given', async () => {
    const headers = { 'mcp-session-id': 'stolen', 'last-event-id': '7' }
    const response = await postStateless(odd.url, { method: 'tools/list', headers })
    expect(response.status).toBe(200)
    expect(response.headers.has('mcp-session-id')).toBe(false)
  })
})

describe('cancellation under 2026-07-28', () => {
  const cancelledIds = async (owner: string): Promise<unknown[]> => {
    const all: Wire[] = await callTool(odd.url, 'received', {}, { owner })
    return all
      .filter(({ method }) => method === 'notifications/cancelled')
      .map(({ params }) => params.requestId)
  }
  const waitIds = async (owner: string): Promise<unknown[]> => {
    const all: Wire[] = await callTool(odd.url, 'received', {}, { owner })
    return all.filter(({ params }) => params?.name === 'wait').map(({ id }) => id)
  }

  test('GW-10 closing the connection before the answer cancels the request at the child', async () => {
    const owner = 'gw-10-early'
    const gone = new AbortController()
    const params = { name: 'wait', arguments: {} }
    const call = postStateless(odd.url, { method: 'tools/call', params, owner, signal: gone.signal })
    call.catch(() => undefined)
    await eventually(() => waitIds(owner)).toHaveLength(1)
    expect(await cancelledIds(owner)).toEqual([])
    gone.abort()
    await eventually(() => cancelledIds(owner)).toEqual(await waitIds(owner))
  })

  test('GW-10 closing the stream in the middle of the answer cancels the request at the child', async () => {
    const owner = 'gw-10-late'
    const gone = new AbortController()
    const params = { name: 'wait', arguments: { steps: 2 }, _meta: { progressToken: 'p' } }
    const response = await postStateless(odd.url, {
      method: 'tools/call',
      params,
      owner,
      signal: gone.signal,
    })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const stream = events(response)
    expect((await stream.next()).value.params).toEqual({ progressToken: 'p', progress: 1 })
    gone.abort()
    await eventually(() => cancelledIds(owner)).toEqual(await waitIds(owner))
  })

  test('GW-10 GW-65 who stops reading the stream has closed it, for a request and for a subscription', async () => {
    const owner = 'gw-10-reader'
    const send = async (method: string, more: object): Promise<AsyncIterator<Uint8Array>> => {
      const value = {
        jsonrpc: '2.0',
        id: 1,
        method,
        params: { ...more, _meta: { ...envelope, progressToken: 1 } },
      }
      const message = readMcpMessage(new TextEncoder().encode(JSON.stringify(value)))
      const signal = new AbortController().signal
      const call = { httpMethod: 'POST', owner, clientId: 'client-1', headers: {}, message, signal } as const
      const { body } = await odd.host.handle(call)
      return (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
    }
    const waiting = await send('tools/call', { name: 'wait', arguments: { steps: 1 } })
    await waiting.next()
    await waiting.return?.()
    await eventually(() => cancelledIds(owner)).toEqual(await waitIds(owner))
    const listening = await send('subscriptions/listen', {
      notifications: { resourceSubscriptions: ['odd:///a'] },
    })
    await listening.next()
    await listening.return?.()
    const received: Wire[] = await callTool(odd.url, 'received', {}, { owner })
    expect(received.map(({ method }) => method)).toContain('resources/unsubscribe')
  })

  test('GW-10 a request that is answered is not cancelled', async () => {
    const owner = 'gw-10-done'
    await callTool(odd.url, 'echo', {}, { owner })
    expect(await cancelledIds(owner)).toEqual([])
  })
})

describe('subscriptions/listen', () => {
  const listen = async (
    served: Served,
    notifications: object,
    owner = 'listener',
  ): Promise<AsyncGenerator<Wire>> => {
    const params = { notifications }
    const response = await postStateless(served.url, {
      method: 'subscriptions/listen',
      id: 'sub-1',
      params,
      owner,
    })
    expect(response.status).toBe(200)
    return events(response)
  }
  const notify = (method: string, params: object = {}, owner = 'listener'): Promise<unknown> =>
    callTool(odd.url, 'notify', { method, params }, { owner })
  const next = async (stream: AsyncGenerator<Wire>): Promise<Wire> => (await stream.next()).value

  test('GW-62 GW-63 N03 first the acknowledgment of what can be honoured, then only what was asked for', async () => {
    const stream = await listen(odd, {
      toolsListChanged: true,
      promptsListChanged: true,
      resourceSubscriptions: ['odd:///a', 'other:///b'],
    })
    const mark = { _meta: { [subscriptionId]: 'sub-1' } }
    expect(await next(stream)).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { toolsListChanged: true, resourceSubscriptions: ['odd:///a'] }, ...mark },
    })
    await notify('notifications/message', { level: 'info', data: 'x' })
    await notify('notifications/resources/list_changed')
    await notify('notifications/prompts/list_changed')
    await notify('notifications/resources/updated', { uri: 'odd:///other' })
    await notify('notifications/resources/updated', { uri: 'odd:///a' })
    await notify('notifications/tools/list_changed', { hidden: 'delete_all', _meta: { name: 'delete_all' } })
    expect(await next(stream)).toMatchObject({
      method: 'notifications/resources/updated',
      params: { uri: 'odd:///a', ...mark },
    })
    // N03: only the fact passes.
    expect(await next(stream)).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
      params: mark,
    })
    await stream.return(undefined)
    const calls = async (verb: string): Promise<string[]> => {
      const all: Wire[] = await callTool(odd.url, 'received', {}, { owner: 'listener' })
      return all.filter(({ method }) => method === `resources/${verb}`).map(({ params }) => params.uri)
    }
    expect(await calls('subscribe')).toEqual(['odd:///a', 'other:///b'])
    // What the child has granted is given back when the stream is closed.
    await eventually(() => calls('unsubscribe')).toEqual(['odd:///a'])
  })

  test('GW-63 N15 nothing of another owner arrives', async () => {
    const stream = await listen(odd, { toolsListChanged: true, resourcesListChanged: true }, 'owner-a')
    await next(stream)
    await notify('notifications/tools/list_changed', {}, 'owner-b')
    await notify('notifications/resources/list_changed', {}, 'owner-a')
    expect((await next(stream)).method).toBe('notifications/resources/list_changed')
    await stream.return(undefined)
  })

  test('GW-65 nothing to honour, or the end of the child, completes the stream', async () => {
    const empty = await listen(odd, { promptsListChanged: true })
    expect((await next(empty)).params.notifications).toEqual({})
    expect(await next(empty)).toMatchObject({ id: 'sub-1', result: { resultType: 'complete' } })
    const open = await listen(odd, { toolsListChanged: true }, 'crasher')
    await next(open)
    await expect(callTool(odd.url, 'crash', {}, { owner: 'crasher' })).rejects.toThrow('-32603')
    expect(await next(open)).toMatchObject({ id: 'sub-1', result: { _meta: { [subscriptionId]: 'sub-1' } } })
    expect((await open.next()).done).toBe(true)
  })

  const many = Array.from({ length: 201 }, (_, number) => `other:///${number}`)

  test.each([
    ['no filter', {}],
    ['a filter that is none', { notifications: [] }],
    ['no list of URIs', { notifications: { resourceSubscriptions: null } }],
    ['more than 200 URIs', { notifications: { resourceSubscriptions: many } }],
  ])('GW-62 %s is refused', async (_what, params) => {
    const response = await postStateless(odd.url, { method: 'subscriptions/listen', params })
    const { error } = (await response.json()) as Wire
    expect([response.status, error.code]).toEqual([400, expect.any(Number)])
  })

  test('GW-62 twin: 200 URIs are asked for', async () => {
    const stream = await listen(odd, { resourceSubscriptions: many.slice(1) }, 'many')
    expect((await next(stream)).method).toBe('notifications/subscriptions/acknowledged')
    await stream.return(undefined)
    const received: Wire[] = await callTool(odd.url, 'received', {}, { owner: 'many' })
    expect(received.filter(({ method }) => method === 'resources/subscribe')).toHaveLength(200)
  })
})

describe('a child that speaks 2026-07-28 only', () => {
  for (const era of ['stateless', 'session'] as const) {
    test(`GW-80 serves the official client, ${era}`, async () => {
      const client = await connect(newer.url, era)
      expect(client.getServerVersion()).toEqual({ name: 'new', version: '2.0.0' })
      const steps: number[] = []
      const onprogress = ({ progress }: { progress: number }): void => void steps.push(progress)
      const result = await client.callTool({ name: 'echo', arguments: { text: 'hi' } }, { onprogress })
      expect(result.content).toEqual([{ type: 'text', text: 'hi' }])
      expect(steps).toEqual([1])
      expect((await client.listResources()).resources).toHaveLength(1)
      await client.close()
    })
  }

  test('GW-63 its changes reach a listener, once each and only those asked for', async () => {
    const params = { notifications: { toolsListChanged: true, resourceSubscriptions: ['new:///a'] } }
    const response = await postStateless(newer.url, { method: 'subscriptions/listen', id: 7, params })
    const stream = events(response)
    expect((await stream.next()).value.params.notifications).toEqual(params.notifications)
    await callTool(newer.url, 'touch')
    await callTool(newer.url, 'touch')
    const seen: string[] = []
    for (let i = 0; i < 4; i++) {
      const { value } = await stream.next()
      expect(value.params._meta[subscriptionId]).toBe(7)
      seen.push(value.params.uri ?? value.method)
    }
    const once = ['notifications/tools/list_changed', 'new:///a']
    expect(seen).toEqual([...once, ...once])
    await stream.return(undefined)
  })

  test('GW-07 results towards a session carry nothing of the newer revision', async () => {
    const { openSession } = await import('./talk.ts')
    const headers = await openSession(newer.url)
    const [{ result }] = await messages(await post(newer.url, { method: 'tools/list', headers }))
    expect(Object.keys(result)).not.toContain('resultType')
    expect(Object.keys(result)).not.toContain('cacheScope')
    expect(result.tools).toHaveLength(2)
  })
})
