import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { isAlive } from './is-alive.ts'
import { child, type Served, serve } from './serve.ts'
import { callTool, eventually, openSession, post, postStateless, type Wire, whoHeaders } from './talk.ts'

const open: Served[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((served) => served.close()))
})

const start = async (...args: Parameters<typeof serve>): Promise<Served> => {
  const served = await serve(...args)
  open.push(served)
  return served
}

const pidOf = async (url: string, owner = 'alice'): Promise<number> =>
  (await callTool(url, 'environment', {}, { owner })).pid

const countOf = ({ log }: Served, event: string): number =>
  log.filter((entry) => entry.event === event).length

/** An open GET stream keeps the child of its user in use. */
const openStream = async (url: string, owner: string): Promise<AbortController> => {
  const headers = await openSession(url, { owner })
  const gone = new AbortController()
  await fetch(url, { headers: { ...headers, ...whoHeaders({ owner }) }, signal: gone.signal })
  return gone
}

const readError = async (response: Response): Promise<[number, number, string]> => {
  const { error } = (await response.json()) as Wire
  return [response.status, error.code, error.message]
}

describe('how many children there are', () => {
  test('decision 9: one for each user, started once even when the first requests come together', async () => {
    const served = await start(child('odd-server.mjs'))
    const pids = await Promise.all(['a', 'a', 'b', 'a', 'b'].map((owner) => pidOf(served.url, owner)))
    expect(pids[0]).toBe(pids[1])
    expect(pids[0]).toBe(pids[3])
    expect(pids[2]).toBe(pids[4])
    expect(pids[0]).not.toBe(pids[2])
    expect(countOf(served, 'child.ready')).toBe(2)
  })

  test('N13 children in use are never taken away: more than the maximum are refused, and those that run go on', async () => {
    const { url } = await start(child('odd-server.mjs'), { maxChildren: 1 })
    const gone = await openStream(url, 'a')
    const pid = await pidOf(url, 'a')
    const refused = await postStateless(url, { method: 'tools/list', owner: 'b' })
    expect((await readError(refused)).slice(0, 2)).toEqual([503, -32603])
    expect(await pidOf(url, 'a')).toBe(pid)
    gone.abort()
    await eventually(
      async () => (await postStateless(url, { method: 'tools/list', owner: 'b' })).status,
    ).toBe(200)
    expect(isAlive(pid)).toBe(false)
  })

  test('N13 the one that has been idle for the longest time makes room, and its sessions end', async () => {
    const { url } = await start(child('odd-server.mjs'), { maxChildren: 2 })
    const session = await openSession(url, { owner: 'b' })
    const [a, b] = [await pidOf(url, 'a'), await pidOf(url, 'b')]
    expect(await pidOf(url, 'a')).toBe(a)
    const c = await pidOf(url, 'c')
    expect([a, b, c].map(isAlive)).toEqual([true, false, true])
    const list = (headers: Record<string, string>): Promise<Response> =>
      post(url, { method: 'tools/list', owner: 'b', headers })
    expect((await list(session)).status).toBe(404)
    expect((await list(await openSession(url, { owner: 'b' }))).status).toBe(200)
    expect([a, c].map(isAlive)).toEqual([false, true])
  })

  test('N13 however many users come at once, there are never more than the maximum', async () => {
    let running = 0
    let most = 0
    const log = ({ event }: { event: string }): void => {
      if (event === 'child.ready') most = Math.max(most, ++running)
      if (event === 'child.exit') running -= 1
    }
    const { url } = await start(child('odd-server.mjs'), { maxChildren: 2, log })
    const ask = (_: unknown, n: number): Promise<Response> =>
      postStateless(url, { method: 'tools/list', owner: `user-${n % 6}` })
    const answers = await Promise.all(Array.from({ length: 18 }, ask))
    const statuses = new Set(answers.map(({ status }) => status))
    expect(statuses.has(200)).toBe(true)
    expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([])
    expect(most).toBe(2)
  })
})

describe('how long a child lives', () => {
  test('an idle child is stopped; one with an open stream is not', async () => {
    const served = await start(child('odd-server.mjs'), { idleMs: 50 })
    const { url } = served
    const gone = await openStream(url, 'stream')
    const [kept, idle] = [await pidOf(url, 'stream'), await pidOf(url, 'idle')]
    await eventually(() => isAlive(idle)).toBe(false)
    await sleep(100)
    expect(isAlive(kept)).toBe(true)
    gone.abort()
    await eventually(() => isAlive(kept)).toBe(false)
    expect(countOf(served, 'child.idle')).toBe(2)
    expect(await pidOf(url, 'idle')).not.toBe(idle)
  })

  test('an old child is replaced as soon as it is idle, and not before', async () => {
    const served = await start(child('odd-server.mjs'), { maxAgeMs: 700 })
    const { url } = served
    const gone = await openStream(url, 'alice')
    const old = await pidOf(url)
    await sleep(750)
    expect(await pidOf(url)).toBe(old)
    gone.abort()
    await eventually(() => isAlive(old)).toBe(false)
    expect(countOf(served, 'child.old')).toBe(1)
    expect(await pidOf(url)).not.toBe(old)
  })
})

describe('P09 a crash loop', () => {
  const restarts = { backOffMs: 10, maxCrashes: 3, windowMs: 60_000, pauseMs: 400 }
  const crash = async (url: string): Promise<string> => callTool(url, 'crash').catch(String)

  test('P09 opens the circuit: an error in words, nothing is started; other users go on; later it is tried again', async () => {
    const served = await start(child('odd-server.mjs'), { restarts: { ...restarts, pauseMs: 1500 } })
    const { url } = served
    const other = await pidOf(url, 'other')
    for (let crashes = 0; crashes < 3; crashes++) expect(await crash(url)).toContain('exited with code 7')
    const started = countOf(served, 'child.ready')
    const refused = await postStateless(url, { method: 'tools/list' })
    expect(await readError(refused)).toEqual([
      503,
      -32603,
      'The MCP server behind Warder has crashed several times in a row. It is started again in a while.',
    ])
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 't', version: '1' },
    }
    expect((await post(url, { method: 'initialize', params })).status).toBe(503)
    expect(countOf(served, 'child.ready')).toBe(started)
    expect(served.log).toContainEqual({ level: 'warn', event: 'child.crash-loop', crashes: 3, pauseMs: 1500 })
    expect(await pidOf(url, 'other')).toBe(other)
    await eventually(async () => (await postStateless(url, { method: 'tools/list' })).status).toBe(200)
  })

  test('P09 one more crash after the pause, and the circuit is open again, for twice as long', async () => {
    const served = await start(child('odd-server.mjs'), { restarts: { ...restarts, pauseMs: 50 } })
    for (let crashes = 0; crashes < 3; crashes++) await crash(served.url)
    await eventually(() => crash(served.url)).toContain('exited with code 7')
    expect((await postStateless(served.url, { method: 'tools/list' })).status).toBe(503)
    const pauses = served.log.filter(({ event }) => event === 'child.crash-loop')
    expect(pauses.map(({ pauseMs }) => pauseMs)).toEqual([50, 100])
  })

  test('P09 a program that ends before it says hello counts as well', async () => {
    const served = await start([process.execPath, '-e', 'process.exit(3)'], { restarts })
    const reasons: string[] = []
    for (let call = 0; call < 5; call++) {
      reasons.push((await readError(await postStateless(served.url, { method: 'tools/list' })))[2])
    }
    expect(countOf(served, 'child.exit')).toBe(3)
    expect(reasons.map((words) => words.includes('crashed several times'))).toEqual([
      false,
      false,
      false,
      true,
      true,
    ])
  })

  test('P09 calls that come while a restart waits get the same child', async () => {
    const served = await start(child('odd-server.mjs'), { restarts: { ...restarts, backOffMs: 100 } })
    await crash(served.url)
    await crash(served.url)
    const pids = await Promise.all([1, 2, 3].map(() => pidOf(served.url)))
    expect(new Set(pids).size).toBe(1)
  })

  test('P09 crashes that lie apart are no loop', async () => {
    const served = await start(child('odd-server.mjs'), {
      restarts: { ...restarts, maxCrashes: 2, windowMs: 20 },
    })
    for (let crashes = 0; crashes < 3; crashes++) {
      expect(await crash(served.url)).toContain('exited with code 7')
      await sleep(40)
    }
    expect(countOf(served, 'child.crash-loop')).toBe(0)
  })

  test('P09 a child that was stopped has not crashed', async () => {
    const served = await start(child('odd-server.mjs'), {
      idleMs: 1,
      restarts: { ...restarts, maxCrashes: 1 },
    })
    for (let round = 0; round < 3; round++) {
      const pid = await pidOf(served.url)
      await eventually(() => isAlive(pid)).toBe(false)
    }
    expect(countOf(served, 'child.crash-loop')).toBe(0)
  })
})
