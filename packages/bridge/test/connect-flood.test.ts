import { expect, test, vi } from 'vitest'
import { type Bridged, initializeParams, startBridged, type Wire } from './connect/bridged.ts'
import { keep } from './connect/keep.ts'
import { type Remote, sendJson, startRemote } from './connect/remote.ts'
import { eventually } from './talk.ts'

/** The pauses that were made, in milliseconds. */
const pauses = vi.hoisted((): number[] => [])
vi.mock('node:timers/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:timers/promises')>()
  const setTimeout: typeof real.setTimeout = (ms, ...rest) => {
    pauses.push(ms ?? 0)
    // Nobody wants to sit through a minute.
    return real.setTimeout(Math.min(ms ?? 0, 20), ...rest)
  }
  return { ...real, default: { ...real, setTimeout }, setTimeout }
})

type Response = Parameters<typeof sendJson>[0]
interface Script {
  readonly call: (response: Response, message: Wire) => void
  /** A stream of the server's own, or one that is resumed. */
  readonly get?: (response: Response, lastEventId: string | undefined) => void
}

async function meet({ call, get }: Script): Promise<{ remote: Remote; bridged: Bridged }> {
  const remote = keep(
    await startRemote((request, response, body) => {
      const message = (body ?? {}) as Wire
      if (request.method === 'GET' && get !== undefined)
        return get(response, request.headers['last-event-id']?.toString())
      if (request.method !== 'POST') return void response.writeHead(405).end()
      if (message.method === undefined || message.id === undefined) return void response.writeHead(202).end()
      if (message.method !== 'initialize') return call(response, message)
      const result = {
        protocolVersion: '2025-11-25',
        capabilities: { tools: {} },
        serverInfo: { name: 's', version: '1' },
      }
      sendJson(response, { jsonrpc: '2.0', id: message.id, result })
    }),
  )
  const bridged = keep(startBridged(remote.url))
  await bridged.ask('initialize', initializeParams('2025-11-25', { roots: {} }))
  return { remote, bridged }
}

const stream = { 'content-type': 'text/event-stream' }
const event = (message: object): string => `data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`
const done = (id: unknown): object => ({ id, result: { content: [] } })

test('a hundred questions may be open; more are refused until the host has answered', async () => {
  let say = (_text: string): void => undefined
  let finish = (): void => undefined
  const { remote, bridged } = await meet({
    call: (response, { id }) => {
      response.writeHead(200, stream)
      say = (text) => void response.write(text)
      finish = () => void response.end(event(done(id)))
      // An id that is used twice is a question of its own all the same.
      for (let i = 0; i < 130; i += 1) say(event({ id: `q${i % 90}`, method: 'roots/list' }))
    },
  })
  const questions = (): Wire[] => bridged.lines.filter(({ method }) => method === 'roots/list')
  const answers = (): Wire[] =>
    remote.seen.map(({ body }) => body).filter((body) => body?.method === undefined)
  const refused = (): Wire[] => answers().filter((body) => body?.error !== undefined)

  const call = bridged.ask('tools/call', { name: 'x' })
  await eventually(() => refused().length).toBe(30)
  expect(questions()).toHaveLength(100)
  expect(refused()[0].error.message).toMatch(/Ask again/)

  for (const { id } of questions()) bridged.write({ jsonrpc: '2.0', id, result: { roots: [] } })
  await eventually(() => answers().filter((body) => body?.result !== undefined).length).toBe(100)
  say(event({ id: 'later', method: 'roots/list' }))
  await eventually(() => questions().length).toBe(101)
  expect(refused()).toHaveLength(30)
  finish()
  expect((await call).result).toEqual({ content: [] })
})

const asked: readonly (readonly [number, number])[] = [
  [0, 100],
  [250, 250],
  [999_999_999, 60_000],
]
for (const [retry, pause] of asked) {
  test(`OT-06 a server that asks for ${retry} ms before its stream is opened again gets ${pause}`, async () => {
    pauses.length = 0
    let opened = 0
    const { bridged } = await meet({
      call: (response, { id }) => sendJson(response, { jsonrpc: '2.0', ...done(id) }),
      get: (response) => {
        opened += 1
        response.writeHead(200, stream).end(`retry: ${retry}\n\n`)
      },
    })
    expect((await bridged.ask('tools/call', { name: 'x' })).result).toEqual({ content: [] })
    await eventually(() => opened).toBeGreaterThan(2)
    expect(new Set(pauses)).toEqual(new Set([pause]))
  })

  test(`OT-06 the same where the stream was to bring an answer: ${retry} ms`, async () => {
    pauses.length = 0
    let called: unknown
    const { bridged } = await meet({
      call: (response, { id }) => {
        called = id
        response.writeHead(200, stream).end(`id: one\nretry: ${retry}\n\n`)
      },
      get: (response, lastEventId) => {
        if (lastEventId === undefined) return void response.writeHead(405).end()
        response.writeHead(200, stream).end(event(done(called)))
      },
    })
    expect((await bridged.ask('tools/call', { name: 'x' })).result).toEqual({ content: [] })
    expect(pauses).toEqual([pause])
  })
}
