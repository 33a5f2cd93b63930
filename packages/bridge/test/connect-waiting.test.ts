import { describe, expect, test } from 'vitest'
import { type Bridged, envelope, initializeParams, startBridged, type Wire } from './connect/bridged.ts'
import { keep } from './connect/keep.ts'
import {
  type Remote,
  sendJson,
  startRemote,
  startSessionRemote,
  startStatelessRemote,
} from './connect/remote.ts'
import { makeSignInGate, type SignInGate } from './connect/sign-in-gate.ts'
import { eventually } from './talk.ts'

const link = 'https://as.example/authorize?step=up'
const echo = { name: 'echo', arguments: { text: 'hello' } }
const slow = { name: 'slow', arguments: { ms: 1400 } }
const said = (answer: Wire): string => JSON.stringify(answer.result.content)
const timesOf = (remote: Remote, wanted: string): number =>
  remote.methods().filter((method) => method === wanted).length

const eras = [
  { server: 'session', host: 'session' },
  { server: 'session', host: 'stateless' },
  { server: 'stateless', host: 'session' },
  { server: 'stateless', host: 'stateless' },
] as const
type Era = (typeof eras)[number]

interface Met {
  readonly remote: Remote
  readonly bridged: Bridged
  readonly gate: SignInGate
  readonly ask: (method: string, params?: object) => Promise<Wire>
}

/** A bridge of little patience that has met its server. */
async function meet({ server, host }: Era, given?: Remote): Promise<Met> {
  const start = server === 'session' ? startSessionRemote : startStatelessRemote
  const remote = keep(given ?? (await start()))
  const gate = makeSignInGate()
  const bridged = keep(startBridged(remote.url, { ...gate, patience: { listMs: 30, callMs: 30 } }))
  const capabilities = { roots: {} }
  const meta = { ...envelope, 'io.modelcontextprotocol/clientCapabilities': capabilities }
  const ask: Met['ask'] = (method, params: Wire = {}) =>
    bridged.ask(method, host === 'session' ? params : { ...params, _meta: { ...params._meta, ...meta } })
  if (host === 'session') await ask('initialize', initializeParams('2025-11-25', capabilities))
  else await ask('server/discover')
  await eventually(() => bridged.log.map(({ event }) => event)).toContain('connect.met')
  return { remote, bridged, gate, ask }
}

for (const era of eras) {
  describe(`CL-33 a sign-in after the server has been met; host ${era.host}, server ${era.server}`, () => {
    test('a call that waits for it says where, is not made, and is made when it is repeated', async () => {
      const { remote, gate, ask } = await meet(era)
      expect(said(await ask('tools/call', echo))).toContain('hello')
      gate.shut(['tools/call'], link)
      const waiting = await ask('tools/call', echo)
      expect(waiting.result.isError).toBe(true)
      expect(said(waiting)).toContain(link)
      gate.open()
      const repeated = await ask('tools/call', echo)
      expect(said(repeated)).toContain('hello')
      expect(timesOf(remote, 'tools/call')).toBe(2)
    })

    test('it becomes known only while the call waits: the call says where', async () => {
      const { gate, ask } = await meet(era)
      gate.shut(['tools/call'])
      const call = ask('tools/call', echo)
      await eventually(() => gate.asked()).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 100))
      gate.showLink(link)
      expect(said(await call)).toContain(link)
    })

    test('it is done without anything to show: the call goes on however long that takes', async () => {
      const { gate, ask } = await meet(era)
      gate.shut(['tools/call'])
      const call = ask('tools/call', echo)
      await eventually(() => gate.asked()).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 100))
      gate.open()
      expect(said(await call)).toContain('hello')
    })

    test('a slow tool that the server has taken is waited for, whoever else signs in', async () => {
      const { remote, bridged, gate, ask } = await meet(era)
      const call = ask('tools/call', { ...slow, _meta: { progressToken: 'p' } })
      await bridged.wait(({ method }) => method === 'notifications/progress')
      gate.shut(['resources/read'], link)
      expect(said(await call)).toContain('done')
      expect(remote.methods()).not.toContain('notifications/cancelled')
    })

    // Only streams of a server with sessions are opened again.
    const ofSessions = era.server === 'session' ? test : undefined
    ofSessions?.(
      'OT-06 an answer whose stream is opened again is waited for, since the tool may have done its work',
      async () => {
        const { gate, ask } = await meet(era, await startSessionRemote({ resumable: true }))
        gate.shut(['GET'])
        const call = ask('tools/call', { name: 'hang-up', arguments: {} })
        await eventually(() => gate.asked()).toBe(1)
        gate.showLink(link)
        // Whether somebody has to sign in is looked at once a second.
        await new Promise((resolve) => setTimeout(resolve, 1300))
        gate.open()
        expect(said(await call)).toContain('came back')
      },
    )

    test('lists are empty until it is done, and the host hears once that they have changed', async () => {
      const { bridged, gate, ask } = await meet(era)
      if (era.host === 'stateless') void ask('subscriptions/listen', { notifications: everything })
      expect((await ask('tools/list')).result.tools.length).toBeGreaterThan(3)
      gate.shut(['tools/list', 'resources/list'], link)
      expect((await ask('tools/list')).result.tools).toEqual([])
      expect((await ask('resources/list')).result.resources).toEqual([])
      expect(changesIn(bridged)).toEqual([])
      gate.open()
      // This host hears about what the server has.
      const times = era.host === 'stateless' ? 2 : 3
      await eventually(() => changesIn(bridged)).toHaveLength(times)
      expect((await ask('tools/list')).result.tools.length).toBeGreaterThan(3)
      expect((await ask('resources/list')).result.resources).toHaveLength(1)
      expect(changesIn(bridged)).toHaveLength(times)
    })

    test('it comes to nothing: the host asks for the list again and hears why there is none', async () => {
      const { bridged, gate, ask } = await meet(era)
      if (era.host === 'stateless') void ask('subscriptions/listen', { notifications: everything })
      gate.shut(['tools/list'], link)
      expect((await ask('tools/list')).result.tools).toEqual([])
      gate.giveUp()
      await bridged.wait(({ method }) => method === 'notifications/tools/list_changed')
      gate.shut(['tools/list'])
      expect((await ask('tools/list')).error.message).toMatch(/wants somebody to sign in/)
      expect(gate.asked()).toBe(1)
    })
  })
}

const everything = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }
const changesIn = (bridged: Bridged): string[] =>
  bridged.lines.map(({ method }) => method).filter((method) => /list_changed$/.test(String(method)))

test('GW-73 a call that goes on after a question is waited for, whoever else signs in', async () => {
  let finish = (): void => undefined
  const remote = await startRemote((request, response, body) => {
    const { id, method, result } = (body ?? {}) as Wire
    const say = (message: object): void =>
      void response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
    if (request.method !== 'POST') return void response.writeHead(405).end()
    if (method === 'initialize') {
      const greeting = {
        protocolVersion: '2025-11-25',
        capabilities: { tools: {} },
        serverInfo: { name: 's', version: '1' },
      }
      return sendJson(response, { jsonrpc: '2.0', id, result: greeting })
    }
    if (result !== undefined) setTimeout(() => finish(), 100)
    if (method !== 'tools/call') return void response.writeHead(202).end()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    say({ id: 'own', method: 'roots/list' })
    finish = () => {
      say({ id, result: { content: [{ type: 'text', text: 'finished' }] } })
      response.end()
    }
  })
  const { gate, ask } = await meet({ server: 'session', host: 'stateless' }, remote)
  const { result } = await ask('tools/call', { name: 'x', arguments: {} })
  gate.showLink(link)
  const [question] = Object.keys(result.inputRequests)
  const inputResponses = { [String(question)]: { roots: [] } }
  const { requestState } = result
  const end = await ask('tools/call', { name: 'x', arguments: {}, requestState, inputResponses })
  expect(said(end)).toContain('finished')
})
