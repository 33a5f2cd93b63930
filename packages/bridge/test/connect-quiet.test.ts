import { describe, expect, test } from 'vitest'
import { type Bridged, envelope, initializeParams, startBridged, type Wire } from './connect/bridged.ts'
import { keep } from './connect/keep.ts'
import { sendJson, startRemote, startSessionRemote } from './connect/remote.ts'
import { makeSignInGate, type SignInGate } from './connect/sign-in-gate.ts'
import { eventually } from './talk.ts'

const uri = 'old:///a'
/** What is tried again by itself waits longer each time. */
const patient = { timeout: 12_000 }
const waysOf = (gate: SignInGate, wanted: string): string[] =>
  gate.fetched.filter(([, method]) => method === wanted).map(([way]) => way)

/** Each kind of host with what makes it read lists, hear about them, and watch a resource. */
const hosts = {
  session: {
    begin: (bridged: Bridged) => bridged.ask('initialize', initializeParams()),
    meta: {},
    hear: async (_bridged: Bridged) => undefined,
    watch: async (bridged: Bridged) => void (await bridged.ask('resources/subscribe', { uri })),
  },
  stateless: {
    begin: (bridged: Bridged) => bridged.ask('server/discover', { _meta: envelope }),
    meta: { _meta: envelope },
    hear: async (bridged: Bridged) => listen(bridged, { toolsListChanged: true }),
    watch: async (bridged: Bridged) => listen(bridged, { resourceSubscriptions: [uri] }),
  },
} as const
const eras = ['session', 'stateless'] as const

async function listen(bridged: Bridged, notifications: object): Promise<void> {
  const params = { notifications, _meta: envelope }
  bridged.write({ jsonrpc: '2.0', id: 'heard', method: 'subscriptions/listen', params })
  await bridged.wait(({ method }) => method === 'notifications/subscriptions/acknowledged')
}

describe('what happens by itself asks nobody to sign in', () => {
  for (const era of eras) {
    const host = hosts[era]

    test(`GW-62 the stream of changes, also when it is opened again and again; host ${era}`, async () => {
      const acknowledged = { jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: {} }
      let breakOff = (): void => undefined
      const remote = keep(
        await startRemote((_request, response, body) => {
          const { id, method } = body as Wire
          const answer = (result: object): void =>
            sendJson(response, { jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } })
          if (method === 'server/discover')
            return answer({
              supportedVersions: ['2026-07-28'],
              capabilities: { tools: { listChanged: true } },
            })
          if (method === 'tools/list') return answer({ tools: [] })
          if (method !== 'subscriptions/listen')
            return sendJson(response, { jsonrpc: '2.0', id, error: { code: -32601, message: 'no' } }, 404)
          breakOff = () => response.end()
          response.writeHead(200, { 'content-type': 'text/event-stream' })
          response.write(`data: ${JSON.stringify(acknowledged)}\n\n`)
        }),
      )
      const gate = makeSignInGate()
      const bridged = keep(startBridged(remote.url, gate))
      await host.begin(bridged)
      await host.hear(bridged)
      await bridged.ask('tools/list', host.meta)
      const opened = (): number => remote.methods().filter((name) => name === 'subscriptions/listen').length
      await eventually(opened).toBe(1)

      gate.shut(['subscriptions/listen', 'tools/list'])
      breakOff()
      await expect.poll(() => waysOf(gate, 'subscriptions/listen').length, patient).toBeGreaterThan(2)
      expect(waysOf(gate, 'subscriptions/listen')).not.toContain('asking')
      expect(gate.asked()).toBe(0)

      const list = bridged.ask('tools/list', host.meta)
      await eventually(() => gate.asked()).toBe(1)
      gate.open()
      expect((await list).result.tools).toEqual([])
      await expect.poll(opened, patient).toBe(2)
    }, 30_000)

    test(`OT-04 what a new session is told again, after a request of the host has begun it; host ${era}`, async () => {
      const remote = keep(await startSessionRemote())
      const gate = makeSignInGate()
      const bridged = keep(startBridged(remote.url, gate))
      await host.begin(bridged)
      await bridged.ask('tools/list', host.meta)
      await host.watch(bridged)
      await eventually(() => remote.methods()).toContain('resources/subscribe')

      remote.forget()
      gate.shut(['resources/subscribe'])
      await bridged.ask('tools/list', host.meta)
      await eventually(() => waysOf(gate, 'resources/subscribe').length).toBe(2)
      expect(waysOf(gate, 'resources/subscribe')[1]).toBe('quiet')
      expect(gate.asked()).toBe(0)
      expect(waysOf(gate, 'initialize')).toEqual(['asking', 'asking'])
      expect(waysOf(gate, 'tools/list')).not.toContain('quiet')
    })
  }

  test('a first contact that is tried again after a sign-in came to nothing', async () => {
    const remote = keep(await startSessionRemote())
    const gate = makeSignInGate()
    gate.shut(['initialize'])
    const patience = { listMs: 100 }
    const bridged = keep(startBridged(remote.url, { ...gate, patience, brakeMs: 0 }))
    await hosts.session.begin(bridged)
    await eventually(() => gate.asked()).toBe(1)
    gate.giveUp()
    gate.shut(['initialize'])
    await expect.poll(() => waysOf(gate, 'initialize'), patient).toEqual(['asking', 'quiet'])
    expect(gate.asked()).toBe(1)

    const askAgain = async (): Promise<number> => {
      await bridged.ask('tools/list')
      return gate.asked()
    }
    await expect.poll(askAgain, patient).toBe(2)
  }, 30_000)

  test('OT-01 a session that is found to be over while nobody has asked for anything', async () => {
    const remote = keep(await startSessionRemote())
    const gate = makeSignInGate()
    const bridged = keep(startBridged(remote.url, gate))
    await hosts.stateless.begin(bridged)
    await bridged.ask('tools/list', { _meta: envelope })
    remote.forget()
    gate.shut(['initialize'])
    await hosts.stateless.watch(bridged)
    await eventually(() => waysOf(gate, 'initialize')).toEqual(['asking', 'quiet'])
    expect(gate.asked()).toBe(0)

    const list = bridged.ask('tools/list', { _meta: envelope })
    await eventually(() => gate.asked()).toBe(1)
    gate.open()
    expect((await list).result.tools.length).toBeGreaterThan(3)
  })
})
