import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { everything, type Served, serve } from './serve.ts'
import { connect, connectOld } from './talk.ts'

let served: Served
beforeAll(async () => {
  served = await serve(everything)
})
afterAll(() => served.close())

describe('the official everything server, hosted over stdio', () => {
  for (const era of ['stateless', 'session'] as const) {
    test(`GW-80 is used by the official client 2.4, ${era}`, async () => {
      const client = await connect(served.url, era)
      expect(client.getNegotiatedProtocolVersion()).toBe(era === 'stateless' ? '2026-07-28' : '2025-11-25')
      expect(client.getServerVersion()?.name).toMatch(/everything/)
      expect(client.getServerCapabilities()).toHaveProperty('tools')
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name)).toContain('echo')
      const echo = await client.callTool({ name: 'echo', arguments: { message: 'hello' } })
      expect(echo.content).toEqual([{ type: 'text', text: 'Echo: hello' }])
      const { resources } = await client.listResources()
      const read = await client.readResource({ uri: resources[0]?.uri ?? '' })
      expect(read.contents).toHaveLength(1)
      const { prompts } = await client.listPrompts()
      expect(prompts.length).toBeGreaterThan(0)
      await client.close()
    })

    test(`OT-01 GW-07 progress arrives before the result at the official client 2.4, ${era}`, async () => {
      const client = await connect(served.url, era)
      const steps: number[] = []
      const onprogress = ({ progress }: { progress: number }): void => void steps.push(progress)
      const call = { name: 'trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } }
      const result = await client.callTool(call, { onprogress })
      expect(steps).toEqual([1, 2, 3])
      expect(JSON.stringify(result.content)).toMatch(/completed/)
      await client.close()
    })
  }

  test('OT-01 OT-04 OT-05 is used by the official client 1.32, from initialize to DELETE', async () => {
    const { client, transport } = await connectOld(served.url)
    expect(transport.sessionId).toMatch(/^[\w-]{43}$/)
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toContain('echo')
    const echo = await client.callTool({ name: 'echo', arguments: { message: 'hello' } })
    expect(echo.content).toEqual([{ type: 'text', text: 'Echo: hello' }])
    await client.ping()
    await transport.terminateSession()
    await expect(client.listTools()).rejects.toThrow()
    await client.close()
  })

  test('OT-04 what the child reports reaches the GET stream of the official client 1.32', async () => {
    const { client } = await connectOld(served.url, { owner: 'carol' })
    const updated = new Promise((resolve) => {
      client.fallbackNotificationHandler = async (note) => {
        if (note.method === 'notifications/resources/updated') resolve(note.params)
      }
    })
    const { resources } = await client.listResources()
    const uri = resources[0]?.uri ?? ''
    await client.subscribeResource({ uri })
    await client.callTool({ name: 'toggle-subscriber-updates', arguments: {} })
    expect(await updated).toMatchObject({ uri })
    await client.close()
  }, 15_000)
})
