import { afterEach, describe, expect, test, vi } from 'vitest'
import { readConnectArguments } from '../../src/client/connect-arguments.ts'
import type { FoundServer } from '../../src/client/find-server.ts'
import { loadOwnHeaders, makeOwnHeaders } from '../../src/client/own-headers.ts'
import { readInput } from '../../src/command.ts'
import { connect } from '../../src/commands/connect.ts'

const url = 'https://mcp.example.com/mcp'

/** Takes the one key that is said to be good, and counts the bodies of refusals that nobody waits for any more. */
function startServer(good: string) {
  const counted = { requests: 0, cancelled: 0 }
  const fetch = async (_url: string, init: { headers?: Readonly<Record<string, string>> | undefined }) => {
    counted.requests += 1
    if (init.headers?.['x-key'] === good) return new Response('yes')
    const body = new ReadableStream({
      cancel: () => {
        counted.cancelled += 1
      },
    })
    return new Response(body, { status: 403 })
  }
  return { counted, fetch }
}

/** Loads one key after the other, the last one again and again. */
function keys(...all: readonly string[]) {
  const loads = { count: 0 }
  const load = async () => {
    loads.count += 1
    return { 'x-key': all[Math.min(loads.count, all.length) - 1]! }
  }
  return { loads, load }
}

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
})

describe('headers that the server does not take any more', () => {
  test('are loaded once for all requests that it refuses meanwhile, and sent again', async () => {
    const server = startServer('new')
    const { loads, load } = keys('new')
    const own = makeOwnHeaders({ 'x-key': 'old' }, load)
    const [asking, quiet] = [own.sentBy(server.fetch), own.sentBy(server.fetch)]
    const answers = await Promise.all([asking, quiet, asking, quiet].map((fetch) => fetch(url, {})))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect([loads.count, server.counted]).toEqual([1, { requests: 8, cancelled: 4 }])
  })

  test('are not loaded again for ten seconds when that brought nothing new', async () => {
    vi.useFakeTimers()
    const server = startServer('never')
    const { loads, load } = keys('old')
    const fetch = makeOwnHeaders({ 'x-key': 'old' }, load).sentBy(server.fetch)
    for (const _ of [1, 2, 3]) expect((await fetch(url, {})).status).toBe(403)
    await vi.advanceTimersByTimeAsync(9_999)
    expect((await fetch(url, {})).status).toBe(403)
    expect(loads.count).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect((await fetch(url, {})).status).toBe(403)
    expect([loads.count, server.counted.cancelled]).toEqual([2, 0])
  })

  test('are loaded at once when the last ones were new, and end too', async () => {
    vi.useFakeTimers()
    const server = startServer('third')
    const { loads, load } = keys('second', 'third')
    const fetch = makeOwnHeaders({ 'x-key': 'first' }, load).sentBy(server.fetch)
    expect((await fetch(url, {})).status).toBe(403)
    await vi.advanceTimersByTimeAsync(0)
    expect((await fetch(url, {})).status).toBe(200)
    expect(loads.count).toBe(2)
  })

  test('that cannot be loaded: the reason reaches everybody, and no answer stays open', async () => {
    const server = startServer('never')
    let count = 0
    const load = async () => {
      count += 1
      throw new Error('the helper is broken')
    }
    const fetch = makeOwnHeaders({ 'x-key': 'old' }, load).sentBy(server.fetch)
    for (const _ of [1, 2]) await expect(fetch(url, {})).rejects.toThrow('the helper is broken')
    expect([count, server.counted.cancelled]).toEqual([1, 2])
  })
})

describe('headers of the command line', () => {
  const load = async (server: string, header: string) =>
    loadOwnHeaders(readConnectArguments(readInput(connect, [server, '--header', header])), {
      server,
      headers: {},
    } as FoundServer)

  test.each([
    ['the session of MCP', url, 'Mcp-Session-Id: x', 'not for a command line to set'],
    ['a header that mirrors the message', url, 'Mcp-Method: x', 'not for a command line to set'],
    ['a new line', url, 'X-Team: a\nX-Other: canary', 'takes a name and a value'],
    ['a new line in a variable', url, `X-Team: \${TWO_LINES}`, 'cannot be sent as it is'],
    ['Q29 a credential in the clear', 'http://mcp.example.com/mcp', 'X-Api-Key: canary', 'in the clear'],
  ])('%s is refused, with exit code 2', async (_what, server, header, words) => {
    vi.stubEnv('TWO_LINES', 'a\nX-Other: canary')
    const error = await load(server, header).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ name: 'Problem', exitCode: 2, message: expect.stringContaining(words) })
    expect(String(error)).not.toContain('canary')
  })

  test.each([
    ['https', url],
    ['this computer', 'http://127.0.0.1:3000/mcp'],
  ])('the same credential is sent: %s', async (_what, server) => {
    const own = await load(server, 'X-Api-Key: good')
    let sent: unknown
    await own.sentBy(async (_url, { headers }) => {
      sent = headers
      return new Response('')
    })(server, {})
    expect(sent).toEqual({ 'x-api-key': 'good' })
  })
})
