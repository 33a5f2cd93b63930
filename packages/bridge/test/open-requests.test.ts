import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Refusal, readMcpMessage } from '@warder/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HostedAnswer } from '../src/index.ts'
import { child, type Served, serve } from './serve.ts'
import { callTool, envelope, eventually, type Wire } from './talk.ts'

let served: Served
beforeAll(async () => {
  served = await serve(child('odd-server.mjs'))
})
afterAll(() => served.close())

interface Sent {
  readonly answer: Promise<HostedAnswer>
  /** The HTTP client closes its connection. */
  leave(): void
  /** The gateway ends the exchange, because the right to it has ended. */
  revoke(): void
}

/** One exchange as the gateway begins and ends it. */
function send(
  at: Served,
  owner: string,
  session: string | undefined,
  method: string,
  params: object,
  id: unknown = 1,
): Sent {
  const exchange = new AbortController()
  const body = { jsonrpc: '2.0', id: method.startsWith('notifications/') ? undefined : id, method, params }
  const answer = at.host.handle({
    httpMethod: 'POST',
    owner,
    clientId: 'client-1',
    message: readMcpMessage(new TextEncoder().encode(JSON.stringify(body))),
    headers: session === undefined ? {} : { sessionId: session },
    signal: exchange.signal,
  })
  answer.catch(() => undefined)
  return {
    answer,
    leave: () => exchange.abort(new Error('the client closed the connection')),
    revoke: () => exchange.abort(new Refusal('token.revoked')),
  }
}

const openSession = async (owner: string): Promise<string> => {
  const { headers } = await send(served, owner, undefined, 'initialize', { protocolVersion: '2025-11-25' })
    .answer
  return headers['mcp-session-id'] ?? ''
}

const wait = (owner: string, session: string, n: number | string): Sent =>
  send(served, owner, session, 'tools/call', { name: 'wait', arguments: { n } }, n)

const textOf = async ({ body }: HostedAnswer): Promise<string> => {
  if (body === undefined || body instanceof Uint8Array) return new TextDecoder().decode(body)
  let text = ''
  for await (const part of body) text += new TextDecoder().decode(part)
  return text
}

const firstEvent = async ({ body }: HostedAnswer): Promise<string> => {
  const stream = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
  await stream.next()
  return new TextDecoder().decode((await stream.next()).value)
}

const received = (owner: string): Promise<Wire[]> => callTool(served.url, 'received', {}, { owner })

/** The `n` of the calls, and the URIs, that the child was asked for, and was told to let go. */
const asked = async (owner: string): Promise<{ open: unknown[]; cancelled: unknown[] }> => {
  const all = await received(owner)
  const named = all.filter(({ params }) => params?.name === 'wait' || params?.uri === 'odd:///later')
  const subject = ({ params }: Wire): unknown => params.uri ?? params.arguments.n
  const ids = all.filter(({ method }) => method === 'notifications/cancelled')
  return {
    open: named.filter(({ id, method }) => id !== undefined && !method.endsWith('unsubscribe')).map(subject),
    cancelled: ids.map(({ params }) => subject(named.find(({ id }) => id === params.requestId))),
  }
}

describe('a call of a session', () => {
  test('N07 OT-08 ends at the child with the right to it, and not when its client leaves', async () => {
    const owner = 'n07'
    const session = await openSession(owner)
    const [left, revoked] = [wait(owner, session, 1), wait(owner, session, 2)]
    await eventually(async () => (await asked(owner)).open).toEqual([1, 2])
    left.leave()
    // The exchange is over at once, sooner than the child could say a word.
    expect(await Promise.race([left.answer.then(textOf), received(owner)])).toBe('')
    revoked.revoke()
    await eventually(async () => (await asked(owner)).cancelled).toEqual([2])
    expect(await textOf(await revoked.answer)).toBe('')
    const after = wait(owner, session, 3)
    await eventually(async () => (await asked(owner)).open).toEqual([1, 2, 3])
    await callTool(served.url, 'answer-all', {}, { owner })
    expect(await textOf(await after.answer)).toContain('answer to')
    expect((await asked(owner)).cancelled).toEqual([2])
  })

  test('N07 also where it has begun to answer', async () => {
    const owner = 'n07-stream'
    const session = await openSession(owner)
    const params = { name: 'wait', arguments: { n: 1, steps: 1 }, _meta: { progressToken: 'p' } }
    const { answer, revoke } = send(served, owner, session, 'tools/call', params)
    expect((await answer).headers['content-type']).toBe('text/event-stream')
    revoke()
    await eventually(async () => (await asked(owner)).cancelled).toEqual([1])
  })

  test('N13 U07 of one user no more than 256 are open, whether their clients wait or not', async () => {
    const owner = 'many'
    const [session, other] = [await openSession(owner), await openSession(owner)]
    const reason = ({ answer }: Sent): Promise<unknown> =>
      answer.then(textOf, (error: Refusal) => error.reason)
    for (let n = 0; n < 256; n += 1) wait(owner, session, n).leave()
    expect(await reason(wait(owner, session, 'more'))).toBe('http.throttled')
    expect(await reason(wait(owner, other, 'more'))).toBe('http.throttled')
    expect(await reason(send(served, owner, session, 'ping', {}))).toContain('"result":{}')
    const bystander = await openSession('not many')
    expect(await reason(send(served, 'not many', bystander, 'tools/list', {}))).toContain('"tools"')

    await send(served, owner, session, 'notifications/cancelled', { requestId: 7 }).answer
    const last = wait(owner, other, 'last')
    expect(await reason(wait(owner, other, 'more'))).toBe('http.throttled')
    await callTool(served.url, 'answer-all', {}, { owner })
    expect(await reason(last)).toContain('answer to')
    expect(await reason(send(served, owner, other, 'tools/list', {}))).toContain('"tools"')
  })

  test.each([
    ['waits', false],
    ['has left', true],
  ])('U07 what it carried is not kept while the child works on it, and its client %s', async (_, leaves) => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const owner = `large, ${leaves}`
    const session = await openSession(owner)
    const waiting: unknown[] = []
    const hand = (): WeakRef<object>[] => {
      const exchange = new AbortController()
      const { signal } = exchange
      const params = { name: 'wait', arguments: { n: 1 }, _meta: { progressToken: 1 } }
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
      const message = readMcpMessage(new TextEncoder().encode(body))
      const headers = { sessionId: session }
      const call = { httpMethod: 'POST', owner, clientId: 'client-1', message, headers, signal } as const
      const answer = served.host.handle(call)
      if (leaves) {
        // What a gateway may have hung on the exchange.
        signal.addEventListener('abort', () => message)
        exchange.abort({ message })
      } else {
        waiting.push(exchange, answer)
      }
      return [new WeakRef(message), new WeakRef(message.params as object)]
    }
    const carried = hand()
    await eventually(async () => (await asked(owner)).open).toEqual([1])
    await eventually(() => {
      collect()
      return carried.map((reference) => reference.deref())
    }).toEqual([undefined, undefined])
    await callTool(served.url, 'answer-all', {}, { owner })
    for (const answer of waiting.slice(1))
      expect(await textOf((await answer) as HostedAnswer)).toContain('answer to')
  })
})

describe('a child that does not answer whether it will report about a resource', () => {
  const listenAt = (at: Served, owner: string, ...uris: string[]): Sent =>
    send(at, owner, undefined, 'subscriptions/listen', {
      notifications: { resourceSubscriptions: uris },
      _meta: envelope,
    })
  const listen = (owner: string, ...uris: string[]): Sent => listenAt(served, owner, ...uris)

  test('GW-10 is let go with the last listener', async () => {
    const owner = 'silent'
    const [one, two] = [listen(owner, 'odd:///later', 'odd:///a'), listen(owner, 'odd:///later')]
    const heard = listen(owner, 'odd:///a')
    expect(await firstEvent(await heard.answer)).toContain('"resourceSubscriptions":["odd:///a"]')
    one.leave()
    await one.answer
    expect((await asked(owner)).cancelled).toEqual([])
    two.leave()
    await two.answer
    await eventually(async () => (await asked(owner)).cancelled).toEqual(['odd:///later'])
    heard.leave()
  })

  test('N13 is not held by who has left', async () => {
    const few = await serve(child('odd-server.mjs'), { maxChildren: 1 })
    const waiting = listenAt(few, 'silent', 'odd:///later')
    await eventually(() => few.log.map(({ event }) => event)).toContain('child.ready')
    const other = (): Promise<unknown> =>
      send(few, 'other', undefined, 'initialize', { protocolVersion: '2025-11-25' }).answer.then(
        ({ status }) => status,
        (error: Refusal) => error.reason,
      )
    expect(await other()).toBe('upstream.busy')
    waiting.leave()
    await waiting.answer
    expect(await other()).toBe(200)
    await few.close()
  })

  test('OT-04 a listener that stays gets what the child grants in the end', async () => {
    const owner = 'late'
    const [left, stays] = [listen(owner, 'odd:///later'), listen(owner, 'odd:///later')]
    await eventually(async () => (await asked(owner)).open).toEqual(['odd:///later'])
    left.leave()
    await callTool(served.url, 'answer-all', {}, { owner })
    expect(await firstEvent(await stays.answer)).toContain('"resourceSubscriptions":["odd:///later"]')
    stays.leave()
  })

  test('N07 OT-08 keeps a session waiting until the right ends, and not its client', async () => {
    const owner = 'silent-session'
    const [one, two] = [await openSession(owner), await openSession(owner)]
    const subscribe = (session: string): Sent =>
      send(served, owner, session, 'resources/subscribe', { uri: 'odd:///later' }, 's')
    const left = subscribe(one)
    left.leave()
    expect(await textOf(await left.answer)).toBe('')
    const revoked = subscribe(two)
    revoked.revoke()
    expect(await textOf(await revoked.answer)).toBe('')
    await eventually(async () => (await asked(owner)).open).toEqual(['odd:///later'])
    expect((await asked(owner)).cancelled).toEqual([])
    // Its client has left, and the session watches nevertheless.
    await callTool(served.url, 'answer-all', {}, { owner })
    await send(served, owner, one, 'resources/unsubscribe', { uri: 'odd:///later' }).answer
    const methods = (await received(owner)).map(({ method }) => method)
    expect(methods).toContain('resources/unsubscribe')
  })

  test('OT-08 the client takes its question back', async () => {
    const owner = 'taken-back'
    const session = await openSession(owner)
    const { answer } = send(served, owner, session, 'resources/subscribe', { uri: 'odd:///later' }, 's')
    await eventually(async () => (await asked(owner)).open).toEqual(['odd:///later'])
    await send(served, owner, session, 'notifications/cancelled', { requestId: 's' }).answer
    expect(await textOf(await answer)).not.toContain('data')
    expect((await asked(owner)).cancelled).toEqual(['odd:///later'])
  })
})
