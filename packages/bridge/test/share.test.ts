import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { child, type Served, serve } from './serve.ts'
import { callTool, events, eventually, messages, openSession, post, type Wire, whoHeaders } from './talk.ts'

let served: Served
beforeAll(async () => {
  served = await serve(child('odd-server.mjs'), { share: true })
})
afterAll(() => served.close())

const [alice, bob] = [{ owner: 'alice' }, { owner: 'bob' }]

const openStream = async (who: { owner: string }, uri?: string): Promise<AsyncGenerator<Wire>> => {
  const headers = await openSession(served.url, who)
  if (uri !== undefined) {
    const answer = await post(served.url, { method: 'resources/subscribe', params: { uri }, headers, ...who })
    expect(((await answer.json()) as Wire).result).toEqual({})
  }
  return events(await fetch(served.url, { headers: { ...headers, ...whoHeaders(who) } }))
}

const notify = (method: string, params: object = {}): Promise<unknown> =>
  callTool(served.url, 'notify', { method, params }, alice)

describe('one child for all users', () => {
  test('there is one process, whoever calls', async () => {
    const pids = await Promise.all([alice, bob].map((who) => callTool(served.url, 'environment', {}, who)))
    expect(new Set(pids.map(({ pid }) => pid)).size).toBe(1)
  })

  test('N09 the session of one user is unknown to the other', async () => {
    const headers = await openSession(served.url, alice)
    expect((await post(served.url, { method: 'tools/list', headers, ...bob })).status).toBe(404)
    expect((await post(served.url, { method: 'tools/list', headers, ...alice })).status).toBe(200)
  })

  test('M12 equal ids and tokens of two users: answers and progress never cross', async () => {
    const ask = async (who: { owner: string }, n: number): Promise<Response> => {
      const headers = await openSession(served.url, who)
      const params = {
        name: 'wait',
        arguments: { n, owner: who.owner, steps: n },
        _meta: { progressToken: 'same' },
      }
      return post(served.url, { method: 'tools/call', id: 1, params, headers, ...who })
    }
    const waiting = Promise.all([ask(alice, 1), ask(bob, 2), ask(alice, 3), ask(bob, 4)])
    const waits = async (): Promise<Wire[]> =>
      (await callTool(served.url, 'received')).filter(({ params }: Wire) => params?.name === 'wait')
    await eventually(async () => (await waits()).length).toBe(4)
    await callTool(served.url, 'answer-all')
    const ids = new Map((await waits()).map(({ id, params }) => [params.arguments.n, id]))
    for (const [index, response] of (await waiting).entries()) {
      const all = await messages(response)
      const progress = all.slice(0, -1).map(({ params }) => [params.progressToken, params.progress])
      expect(progress).toEqual(Array.from({ length: index + 1 }, (_, step) => ['same', step + 1]))
      expect(all.at(-1)).toMatchObject({
        id: 1,
        result: { content: [{ text: `answer to ${ids.get(index + 1)}` }] },
      })
    }
  })

  test('M12 one user cannot cancel what another one has asked by the same id', async () => {
    const [mine, theirs] = [await openSession(served.url, alice), await openSession(served.url, bob)]
    const params = { name: 'wait', arguments: { n: 9 } }
    const waiting = post(served.url, { method: 'tools/call', id: 'x', params, headers: theirs, ...bob })
    const received = async (): Promise<string> => JSON.stringify(await callTool(served.url, 'received'))
    await eventually(received).toContain('"n":9')
    const body = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'x' } }
    expect((await post(served.url, { body, headers: mine, ...alice })).status).toBe(202)
    await callTool(served.url, 'answer-all')
    expect((await messages(await waiting)).at(-1)).toMatchObject({ id: 'x', result: { content: [{}] } })
    expect(await received()).not.toContain('notifications/cancelled')
  })

  test('N15 log messages reach nobody, a changed list everybody', async () => {
    const [one, two] = [await openStream(alice), await openStream(bob)]
    await notify('notifications/message', { level: 'info', data: 'for whom?' })
    await notify('notifications/tools/list_changed', { hidden: 'name' })
    for (const stream of [one, two]) {
      expect((await stream.next()).value).toEqual({
        jsonrpc: '2.0',
        method: 'notifications/tools/list_changed',
        params: {},
      })
      await stream.return(undefined)
    }
  })

  test('N15 a changed resource reaches only who asked for it', async () => {
    const [one, two] = [await openStream(alice, 'odd:///a'), await openStream(bob, 'odd:///b')]
    await notify('notifications/resources/updated', { uri: 'odd:///c' })
    await notify('notifications/resources/updated', { uri: 'odd:///a' })
    await notify('notifications/resources/updated', { uri: 'odd:///b' })
    expect((await one.next()).value.params).toEqual({ uri: 'odd:///a' })
    expect((await two.next()).value.params).toEqual({ uri: 'odd:///b' })
    await Promise.all([one.return(undefined), two.return(undefined)])
  })

  test('N15 nobody sets the log level of all, and logging is not offered', async () => {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 't', version: '1' },
    }
    const hello = await post(served.url, { method: 'initialize', params, ...alice })
    expect(((await hello.json()) as Wire).result.capabilities).toEqual({
      tools: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
    })
    const headers = { 'mcp-session-id': hello.headers.get('mcp-session-id') ?? '' }
    const set = await post(served.url, {
      method: 'logging/setLevel',
      params: { level: 'debug' },
      headers,
      ...alice,
    })
    expect(((await set.json()) as Wire).error.code).toBe(-32601)
    expect(await callTool(served.url, 'level')).toBe('info')
  })
})
