import { Client } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { ElicitRequestSchema, ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Bridged, clientInfo, session, startBridged, stateless } from './connect/bridged.ts'
import {
  type Remote,
  type SessionRemote,
  startSessionRemote,
  startStatelessRemote,
} from './connect/remote.ts'
import { eventually } from './talk.ts'

let older: SessionRemote
let newer: Remote
const bridges: Bridged[] = []

beforeAll(async () => {
  older = await startSessionRemote({ resumable: true })
  newer = await startStatelessRemote()
})
afterEach(async () => {
  await Promise.all(bridges.splice(0).map((bridged) => bridged.close()))
})
afterAll(async () => {
  await older.close()
  await newer.close()
})

const start = (remote: Remote, options: Parameters<typeof startBridged>[1] = {}): Bridged => {
  const bridged = startBridged(remote.url, options)
  bridges.push(bridged)
  return bridged
}

const eras = [
  { server: 'session', host: 'session' },
  { server: 'session', host: 'stateless' },
  { server: 'stateless', host: 'session' },
  { server: 'stateless', host: 'stateless' },
] as const

for (const { server, host } of eras) {
  describe(`a host of the era "${host}" in front of a server of the era "${server}"`, () => {
    const remote = (): Remote => (server === 'session' ? older : newer)
    const makeClient = (): Client => {
      const mode = host === 'stateless' ? { pin: '2026-07-28' } : ('legacy' as const)
      const client = new Client(clientInfo, {
        versionNegotiation: { mode },
        capabilities: { elicitation: { form: {}, url: {} }, roots: {}, sampling: {} },
      })
      client.setRequestHandler('elicitation/create', async () => ({
        action: 'accept',
        content: { name: 'Ann' },
      }))
      client.setRequestHandler('roots/list', async () => ({ roots: [{ uri: 'file:///home' }] }))
      return client
    }

    test('GW-80 GW-82 lists, calls, reads', async () => {
      const client = await start(remote()).connect(makeClient())
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['echo', 'slow', 'ask-name']))
      const echo = await client.callTool({ name: 'echo', arguments: { text: 'grüezi \u0007 ok' } })
      expect(echo.content).toEqual([{ type: 'text', text: 'grüezi \u0007 ok' }])
      const { resources } = await client.listResources()
      const read = await client.readResource({ uri: resources[0]?.uri ?? '' })
      expect(read.contents).toMatchObject([{ text: 'a' }])
      expect((await client.listPrompts()).prompts).toEqual([])
    })

    test('OT-01 GW-07 progress arrives before the result', async () => {
      const client = await start(remote()).connect(makeClient())
      const steps: number[] = []
      const onprogress = ({ progress }: { progress: number }): void => void steps.push(progress)
      const result = await client.callTool({ name: 'slow', arguments: { ms: 20 } }, { onprogress })
      expect(steps).toEqual([1])
      expect(result.content).toEqual([{ type: 'text', text: 'done' }])
    })

    test('GW-73 a question of the server reaches the user, and the answer the server', async () => {
      const client = await start(remote()).connect(makeClient())
      const result = await client.callTool({ name: 'ask-name', arguments: {} })
      expect(result.content).toEqual([{ type: 'text', text: 'accept {"name":"Ann"}' }])
    })

    test('GW-62 GW-63 OT-04 changes of lists and resources are told', async () => {
      const client = makeClient()
      const heard: string[] = []
      client.fallbackNotificationHandler = async ({ method }) => void heard.push(method)
      client.setNotificationHandler('notifications/tools/list_changed', () => void heard.push('tools'))
      client.setNotificationHandler(
        'notifications/resources/updated',
        ({ params }) => void heard.push(params.uri),
      )
      const bridged = start(remote())
      await bridged.connect(client)
      await client.listTools()
      const uri = server === 'session' ? 'old:///a' : 'new:///a'
      if (host === 'session') await client.subscribeResource({ uri })
      else await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] })
      // The stream behind it opens by itself; until it is there nothing is told.
      await expect
        .poll(
          async () => {
            await client.callTool({ name: 'touch', arguments: {} })
            return heard
          },
          { timeout: 4000 },
        )
        .toEqual(expect.arrayContaining(['tools', uri]))
    })

    test('GW-10 OT-08 a cancelled call is cancelled at the server too, and not answered', async () => {
      const bridged = start(remote())
      const client = await bridged.connect(makeClient())
      await client.listTools()
      const stop = new AbortController()
      const before = older.cancelled.length
      const calls = (): number =>
        remote()
          .methods()
          .filter((name) => name === 'tools/call').length
      const earlier = calls()
      const call = client.callTool({ name: 'slow', arguments: { ms: 20_000 } }, { signal: stop.signal })
      await eventually(calls).toBe(earlier + 1)
      const answers = bridged.lines.length
      stop.abort()
      await expect(call).rejects.toThrow()
      if (server === 'session') await eventually(() => older.cancelled.length).toBe(before + 1)
      const echo = await client.callTool({ name: 'echo', arguments: { text: 'still here' } })
      expect(echo.content).toEqual([{ type: 'text', text: 'still here' }])
      expect(bridged.lines).toHaveLength(answers + 1)
    })
  })
}

describe('a server with sessions', () => {
  test('OT-01 is used by a host with the official client 1.32', async () => {
    const client = new OldClient(clientInfo, { capabilities: { elicitation: {}, roots: {} } })
    client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'decline' }))
    client.setRequestHandler(ListRootsRequestSchema, async () => ({ roots: [{ uri: 'file:///old' }] }))
    const bridged = start(older)
    await bridged.connectOld(client)
    expect((await client.callTool({ name: 'ask-related', arguments: {} })).content).toEqual([
      { type: 'text', text: 'file:///old' },
    ])
    expect((await client.callTool({ name: 'ask-name', arguments: {} })).content).toEqual([
      { type: 'text', text: 'decline undefined' },
    ])
  })

  test('OT-01 a forgotten session is replaced once, and the call is made', async () => {
    const bridged = start(older)
    const client = await bridged.connect(session())
    await client.listTools()
    older.forget()
    const before = older.methods().filter((method) => method === 'initialize').length
    const calls = ['a', 'b', 'c'].map((text) => client.callTool({ name: 'echo', arguments: { text } }))
    expect((await Promise.all(calls)).map(({ content }) => (content as { text: string }[])[0]?.text)).toEqual(
      ['a', 'b', 'c'],
    )
    expect(older.methods().filter((method) => method === 'initialize')).toHaveLength(before + 1)
  })

  test('OT-06 an answer that breaks off is fetched on by Last-Event-ID', async () => {
    const client = await start(older).connect(session())
    const result = await client.callTool({ name: 'hang-up', arguments: {} })
    expect(result.content).toEqual([{ type: 'text', text: 'came back' }])
    expect(older.seen.some(({ headers }) => headers['last-event-id'] !== undefined)).toBe(true)
  })

  test('OT-05 OT-09 the session ends with the bridge; each request names session and revision', async () => {
    const bridged = start(older)
    const client = await bridged.connect(session())
    await client.listTools()
    const last = older.seen.findLast(({ body }) => body?.method === 'tools/list')
    expect(last?.headers).toMatchObject({
      'mcp-protocol-version': '2025-11-25',
      'mcp-session-id': expect.any(String),
    })
    expect(last?.headers).not.toHaveProperty('mcp-method')
    const sessions = older.sessions()
    await bridged.close()
    expect(older.sessions()).toBe(sessions - 1)
  })
})

describe('a server without sessions', () => {
  test('GW-20 GW-25 GW-26 GW-50 requests carry envelope and headers; hosts with sessions are described in them', async () => {
    const client = await start(newer).connect(session())
    await client.callTool({ name: 'echo', arguments: { text: 'hello' } })
    const call = newer.seen.findLast(({ body }) => body?.method === 'tools/call')
    expect(call?.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
      accept: 'application/json, text/event-stream',
    })
    expect(call?.headers).not.toHaveProperty('mcp-session-id')
    expect(call?.body.params._meta).toMatchObject({ 'io.modelcontextprotocol/clientInfo': clientInfo })
  })

  test('GW-39 Q25 a tool with an unusable x-mcp-header is left out and the others kept', async () => {
    const bridged = start(newer)
    const client = await bridged.connect(session())
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names).not.toContain('bad-header')
    expect(names).toContain('in-header')
    expect(bridged.log).toContainEqual(
      expect.objectContaining({ event: 'connect.tool-left-out', tool: 'bad-header' }),
    )
  })

  test('GW-27 GW-40 parameters go into headers, also when the tool was never listed', async () => {
    for (const region of ['eu-west', 'größer', ' outer ', '=?base64?x?=', '']) {
      const client = await start(newer).connect(stateless())
      const result = await client.callTool({ name: 'in-header', arguments: { region } })
      expect(result.content).toEqual([{ type: 'text', text: region }])
    }
  })
})

describe('Q23 a page that the user must visit', () => {
  const url = 'https://xn--pypal-4ve.example/pay?a=1#b'
  for (const { server, host } of eras) {
    test(`reaches the host whole, and nobody opens it; host ${host}, server ${server}`, async () => {
      const bridged = start(server === 'session' ? older : newer)
      const client = makeClient(host, { form: {}, url: {} })
      const asked: unknown[] = []
      client.setRequestHandler('elicitation/create', async ({ params }) => {
        asked.push(params)
        return { action: 'cancel' }
      })
      await bridged.connect(client)
      const call = client.callTool({ name: 'ask-url', arguments: {} })
      if (server === 'session' && host === 'session') {
        await expect(call).rejects.toMatchObject({ code: -32042, data: { elicitations: [{ url }] } })
        return
      }
      // It asks again and again: the rounds have an end.
      await expect(call).rejects.toThrow(/round|more than 10 times/)
      expect(asked[0]).toMatchObject({ mode: 'url', message: 'Pay', url })
    })
  }

  for (const host of ['session', 'stateless'] as const) {
    test(`is named to a host that cannot show it; host ${host}`, async () => {
      const bridged = start(older)
      const client = await bridged.connect(makeClient(host, { form: {} }))
      await client.callTool({ name: 'ask-url', arguments: {} }).catch((error: unknown) => error)
      expect(bridged.raw.at(-1)).toContain(url)
    })
  }
})

function makeClient(
  host: 'session' | 'stateless',
  elicitation: { form: Record<string, never>; url?: Record<string, never> },
): Client {
  const mode = host === 'stateless' ? { pin: '2026-07-28' } : ('legacy' as const)
  return new Client(clientInfo, { versionNegotiation: { mode }, capabilities: { elicitation } })
}
