import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { child, everything, type Served, serve } from './serve.ts'
import {
  callTool,
  events,
  eventually,
  messages,
  openSession,
  post,
  postStateless,
  type Wire,
} from './talk.ts'

let served: Served
beforeAll(async () => {
  served = await serve(child('odd-server.mjs'))
})
afterAll(() => served.close())

describe('equal ids never meet', () => {
  test('M12 two users and two clients with the same id and progress token get each their own', async () => {
    const two = await serve(everything)
    const callers = [
      { owner: 'a', client: '1' },
      { owner: 'a', client: '2' },
      { owner: 'b', client: '1' },
    ]
    const answers = await Promise.all(
      callers.map(async (who, index) => {
        const params = {
          name: 'trigger-long-running-operation',
          arguments: { duration: 0.2, steps: index + 2 },
          _meta: { progressToken: 'same' },
        }
        return messages(await postStateless(two.url, { method: 'tools/call', id: 1, params, ...who }))
      }),
    )
    for (const [index, all] of answers.entries()) {
      const steps = index + 2
      const notes = all
        .slice(0, -1)
        .map(({ params }) => [params.progressToken, params.progress, params.total])
      expect(notes).toEqual(Array.from({ length: steps }, (_, step) => ['same', step + 1, steps]))
      expect(all.at(-1)).toMatchObject({ id: 1, result: { resultType: 'complete' } })
      expect(JSON.stringify(all.at(-1))).toContain(`Steps: ${steps}`)
    }
    await two.close()
  })

  test('M12 the same id many times in one session, answered in another order: each gets its own answer', async () => {
    const who = { owner: 'm12' }
    const headers = await openSession(served.url, who)
    const waiting = Array.from({ length: 20 }, (_, n) => {
      const params = { name: 'wait', arguments: { n } }
      return post(served.url, { method: 'tools/call', id: n % 2 === 0 ? 1 : '1', params, headers, ...who })
    })
    const waits = async (): Promise<Wire[]> =>
      ((await callTool(served.url, 'received', {}, who)) as Wire[]).filter(
        ({ params }) => params?.name === 'wait',
      )
    await eventually(async () => (await waits()).length).toBe(20)
    await callTool(served.url, 'answer-all', {}, who)
    const byNumber = new Map((await waits()).map(({ id, params }) => [params.arguments.n, id]))
    for (const [n, response] of (await Promise.all(waiting)).entries()) {
      const [answer] = await messages(response)
      expect(answer.id).toBe(n % 2 === 0 ? 1 : '1')
      expect(answer.result.content[0].text).toBe(`answer to ${byNumber.get(n)}`)
    }
    expect(new Set(byNumber.values()).size).toBe(20)
  })

  test('M12 ids, tokens and arguments of any form come back as they were', async () => {
    const id = fc.oneof(fc.string({ maxLength: 40 }), fc.maxSafeInteger())
    await fc.assert(
      fc.asyncProperty(id, fc.jsonValue({ maxDepth: 3 }), async (requestId, value) => {
        const params = { name: 'echo', arguments: { value } }
        const response = await postStateless(served.url, { method: 'tools/call', id: requestId, params })
        const answer = (await response.json()) as Wire
        expect(answer.id).toBe(requestId)
        expect(JSON.parse(answer.result.content[0].text).args).toEqual(JSON.parse(JSON.stringify({ value })))
      }),
      { numRuns: 100 },
    )
  })
})

describe('messages that the child makes up', () => {
  test('P06 answers with unknown ids, requests and garbage are dropped; the true answer comes', async () => {
    const params = { name: 'unknown-ids', arguments: {}, _meta: { progressToken: 'made-up' } }
    const all = await messages(
      await postStateless(served.url, { method: 'tools/call', id: 3, params, owner: 'p06' }),
    )
    expect(all).toHaveLength(1)
    expect(all[0]).toMatchObject({ id: 3, result: { content: [{ text: 'the true answer' }] } })
  })

  test('P06 an answer that is none is an error in words', async () => {
    await expect(callTool(served.url, 'not-an-answer')).rejects.toThrow(
      '-32603 The MCP server behind Warder sent',
    )
  })

  for (const method of ['sampling/createMessage', 'elicitation/create', 'roots/list']) {
    test(`GW-09 N15 ${method} is answered "not supported", and reaches no client`, async () => {
      const answer = await callTool(served.url, 'ask', { method })
      expect(answer.error).toEqual({ code: -32601, message: `${method} is not supported here` })
    })
  }

  test('N15 ping is answered', async () => {
    expect((await callTool(served.url, 'ask', { method: 'ping' })).result).toEqual({})
  })

  test('N21 a tool output that looks like events stays inside its message', async () => {
    const text = '\n\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\nevent: message\r\ndata: x\n\n'
    const params = { name: 'wait', arguments: { steps: 1, text }, _meta: { progressToken: text } }
    const response = await postStateless(served.url, { method: 'tools/call', id: 4, params, owner: 'n21' })
    const stream = events(response)
    expect((await stream.next()).value.params).toEqual({ progressToken: text, progress: 1 })
    await callTool(served.url, 'answer-all', {}, { owner: 'n21' })
    expect((await stream.next()).value.id).toBe(4)
    expect((await stream.next()).done).toBe(true)
  })
})
