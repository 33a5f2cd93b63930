import type { ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { createHostWire } from '../src/connect/host-wire.ts'
import { type Bridged, envelope, initializeParams, startBridged, type Wire } from './connect/bridged.ts'
import { keep } from './connect/keep.ts'
import { type Remote, sendJson, startRemote, startSessionRemote } from './connect/remote.ts'
import { eventually } from './talk.ts'

const start = (url: string, options: Parameters<typeof startBridged>[1] = {}): Bridged =>
  keep(startBridged(url, options))

interface Call {
  readonly response: ServerResponse
  readonly id: number
  /** Which call it is, from 1 on. */
  readonly times: number
}

/** A server with sessions that answers calls, and resumptions of them, in its own way. */
const startOwn = async (
  answer: (call: Call) => void,
  resume: (lastEventId: string, response: ServerResponse) => void = (_id, response) =>
    void response.writeHead(405).end(),
): Promise<Remote> => {
  let times = 0
  return keep(
    await startRemote((request, response, body) => {
      const message = body as Wire
      const lastEventId = request.headers['last-event-id']
      if (request.method === 'GET' && lastEventId !== undefined) return resume(String(lastEventId), response)
      if (request.method !== 'POST') return void response.writeHead(405).end()
      if (message.method === 'initialize') {
        const result = {
          protocolVersion: '2025-11-25',
          capabilities: { tools: {} },
          serverInfo: { name: 'own', version: '1' },
        }
        return sendJson(response, { jsonrpc: '2.0', id: message.id, result })
      }
      if (message.method === undefined || message.id === undefined) return void response.writeHead(202).end()
      if (message.method !== 'tools/call') {
        const error = { code: -32601, message: 'Method not found' }
        return sendJson(response, { jsonrpc: '2.0', id: message.id, error }, 400)
      }
      times += 1
      answer({ response, id: message.id, times })
    }),
  )
}
const beginStream = (response: ServerResponse): void =>
  void response.writeHead(200, { 'content-type': 'text/event-stream' })
const say = (response: ServerResponse, message: object): void =>
  void response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
const done = (words: string): object => ({ content: [{ type: 'text', text: words }] })

describe('OT-06 a server that lets its answer be fetched piece by piece', () => {
  const begin = ({ response }: Call): void => {
    beginStream(response)
    response.end('id: 0\nretry: 1\ndata: \n\n')
  }

  test('is asked as often as it has news, and the answer arrives', async () => {
    let asked = 0
    let callId = 0
    const remote = await startOwn(
      (call) => {
        callId = call.id
        begin(call)
      },
      (_lastEventId, response) => {
        asked += 1
        beginStream(response)
        response.write(`id: ${asked}\nretry: 1\ndata: \n\n`)
        if (asked === 12) say(response, { id: callId, result: done('finished') })
        response.end()
      },
    )
    const bridged = start(remote.url)
    await bridged.ask('initialize', initializeParams())
    expect((await bridged.ask('tools/call', { name: 'long' })).result).toEqual(done('finished'))
    expect(remote.methods()).not.toContain('notifications/cancelled')
  })

  test('is given up when it has none, and told so before the host may ask again', async () => {
    const remote = await startOwn(begin, (_lastEventId, response) => {
      beginStream(response)
      response.end()
    })
    const bridged = start(remote.url)
    await bridged.ask('initialize', initializeParams())
    const { error } = await bridged.ask('tools/call', { name: 'long' })
    expect(error.message).toMatch(/ended its answer/)
    await eventually(() => remote.methods().at(-1)).toBe('notifications/cancelled')
    const call = remote.seen.find(({ body }) => body?.method === 'tools/call')
    expect(remote.seen.at(-1)?.body.params).toEqual({ requestId: call?.body.id })
    expect(remote.seen.filter(({ headers }) => headers['last-event-id'] !== undefined)).toHaveLength(5)
  })
})

describe('GW-73 a server that goes on without waiting for the answer to its question', () => {
  const _meta = { ...envelope, 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } }
  const params = { name: 'order', arguments: {}, _meta }
  /** Asks, and finishes when it is told to. */
  const startHasty = async (): Promise<{ remote: Remote; finish(): void; runs(): number }> => {
    let runs = 0
    let finish = (): void => undefined
    const remote = await startOwn(({ response, id, times }) => {
      runs = times
      beginStream(response)
      say(response, { id: 99, method: 'elicitation/create', params: { message: 'Sure?' } })
      finish = () => {
        say(response, { id, result: done(`order ${times}`) })
        say(response, { id: 100, method: 'ping' })
        response.end()
      }
    })
    return { remote, runs: () => runs, finish: () => finish() }
  }
  const answersTo = ({ inputRequests, requestState }: Wire): object => {
    const given = Object.keys(inputRequests).map((key) => [key, { action: 'accept', content: {} }])
    return { requestState, inputResponses: Object.fromEntries(given) }
  }

  test('its result waits for the host, and is given away once', async () => {
    const { remote, finish, runs } = await startHasty()
    const bridged = start(remote.url)
    const question = (await bridged.ask('tools/call', params)).result
    expect(question.resultType).toBe('input_required')
    finish()
    // What stands behind the result has been read.
    await eventually(() => remote.seen.at(-1)?.body?.id).toBe(100)
    const again = { ...params, ...answersTo(question) }
    expect((await bridged.ask('tools/call', again)).result).toMatchObject(done('order 1'))
    expect((await bridged.ask('tools/call', again)).error.message).toMatch(/over/)
    expect(runs()).toBe(1)
    // Nobody there waits for the answer any more; with the end, what was said has arrived.
    await bridged.close()
    expect(remote.seen.some(({ body }) => body?.id === 99 && body.method === undefined)).toBe(false)
  })

  test('one that waits gets the answer', async () => {
    const { remote, finish, runs } = await startHasty()
    const bridged = start(remote.url)
    const question = (await bridged.ask('tools/call', params)).result
    const again = bridged.ask('tools/call', { ...params, ...answersTo(question) })
    await eventually(() => remote.seen.at(-1)?.body?.result?.action).toBe('accept')
    finish()
    expect((await again).result).toMatchObject(done('order 1'))
    expect(runs()).toBe(1)
  })
})

describe('a host that does not read', () => {
  test('closes its side: the bridge ends, and the session too', async () => {
    const remote = keep(await startSessionRemote())
    const output = new PassThrough({ highWaterMark: 1 })
    const bridged = start(remote.url, { output })
    const request = (id: number, method: string, given: object): void =>
      bridged.write({ jsonrpc: '2.0', id, method, params: given })
    request(1, 'initialize', initializeParams())
    request(2, 'tools/list', {})
    await eventually(() => remote.methods()).toContain('tools/list')
    expect(remote.sessions()).toBe(1)
    bridged.input.end()
    await bridged.bridge.closing
    await bridged.bridge.closed
    expect(remote.sessions()).toBe(0)
  })

  test('is gone: nobody goes on waiting until it has read', async () => {
    const output = new PassThrough({ highWaterMark: 1, autoDestroy: false })
    const left: string[] = []
    const wire = createHostWire(new PassThrough(), output, {
      onMessage: () => undefined,
      onEnd: (why) => left.push(why),
      log: () => undefined,
    })
    const first = wire.send({ jsonrpc: '2.0', method: 'notifications/message' })
    expect(first).toBeInstanceOf(Promise)
    output.emit('error', new Error('EPIPE'))
    await first
    expect(left).toEqual(['it does not listen any more'])
    expect(wire.send({ jsonrpc: '2.0', method: 'notifications/message' })).toBeUndefined()
  })

  test('reads in the end: whoever waited goes on', async () => {
    const output = new PassThrough({ highWaterMark: 1 })
    const wire = createHostWire(new PassThrough(), output, {
      onMessage: () => undefined,
      onEnd: () => undefined,
      log: () => undefined,
    })
    const all = [1, 2, 3].map((id) => wire.send({ jsonrpc: '2.0', id, result: {} }))
    output.resume()
    await Promise.all(all)
  })
})
