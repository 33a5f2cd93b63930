import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chooseStore, keepTokens, readTokens, tokenName } from '@warder/client'
import { describe, expect, test } from 'vitest'
import { startSession } from '../keychain/secret-service.ts'
import { lifetime, type RotatingServer, startRotatingServer } from './rotating-server.ts'
import type { Answer, Order, Point } from './token-holder.ts'

const name = tokenName({
  issuer: 'https://as.example',
  clientId: 'client',
  resource: 'https://mcp.example/mcp',
  profile: 'default',
})

type Environment = Readonly<Record<string, string>>

/** Processes that share one store, and the ways to ask them. */
interface Holders extends AsyncDisposable {
  readonly children: readonly ChildProcess[]
  /** All at the same moment; those that die answer undefined. */
  askAll(order: Order): Promise<readonly (Answer | undefined)[]>
  ask(index: number, order: Order): Promise<Answer | undefined>
}

async function startHolders(count: number, env: Environment, server: RotatingServer): Promise<Holders> {
  const children = Array.from({ length: count }, () =>
    fork(new URL('token-holder.ts', import.meta.url), { execArgv: ['--conditions=@warder/source'], env }),
  )
  const ask = async (index: number, order: Order): Promise<Answer | undefined> => {
    const child = children[index]!
    if (child.exitCode !== null || child.signalCode !== null) return undefined
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>()
    const end = (): void => resolve(undefined)
    child.once('message', resolve as (answer: unknown) => void)
    child.once('exit', end)
    child.send(order)
    const answer = await promise
    child.off('message', resolve as (answer: unknown) => void).off('exit', end)
    return answer
  }
  const askAll = async (order: Order): Promise<readonly (Answer | undefined)[]> =>
    await Promise.all(children.map((_, index) => ask(index, order)))
  expect(await askAll({ kind: 'open', server: server.url, name })).toEqual(children.map(() => ({})))
  return {
    children,
    ask,
    askAll,
    async [Symbol.asyncDispose]() {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      }
    },
  }
}

/** An empty store of encrypted files, and what a process needs to open it. */
function makePlace(): { readonly env: Environment; readonly directory: string } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), 'warder-refresh-'))
  const keyFile = join(directory, 'key')
  writeFileSync(keyFile, randomBytes(32).toString('base64'), { mode: 0o600 })
  return {
    directory,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: directory,
      XDG_STATE_HOME: join(directory, 'state'),
      WARDER_STORE: 'encrypted-file',
      WARDER_STORE_KEY_FILE: keyFile,
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}

async function signIn(env: Environment, server: RotatingServer): Promise<void> {
  const store = await chooseStore({ env })
  const tokens = { ...server.signIn(), tokenType: 'Bearer', obtainedAt: server.now, generation: 0 } as const
  await keepTokens(store, name, tokens)
}

/** Ten minutes, or fewer, in steps of five seconds: each process uses its token at each, and it is always good. */
async function live(holders: Holders, server: RotatingServer, seconds: number): Promise<void> {
  const due = lifetime * 0.75
  let refreshed = server.now
  for (const start = server.now; server.now < start + seconds; server.now += 5) {
    const before = server.outcomes.length
    const answers = await holders.askAll({ kind: 'use', now: server.now })
    const tokens = new Set(answers.map((answer) => answer?.accessToken ?? answer?.thrown ?? 'signed out'))
    expect([...tokens].filter((token) => !server.accepts(token))).toEqual([])
    expect(tokens.size).toBe(1)
    const isDue = server.now - refreshed >= due
    expect(server.outcomes.slice(before)).toEqual(isDue ? ['rotated'] : [])
    if (isDue) refreshed = server.now
  }
}

describe('one refresh for all processes', { timeout: 300_000 }, () => {
  test('Q17 twenty processes on one store, ten minutes: exactly one refresh at each end, nobody is signed out', async () => {
    using place = makePlace()
    await using server = await startRotatingServer(0)
    await signIn(place.env, server)
    await using holders = await startHolders(20, place.env, server)
    await live(holders, server, 600)
    expect(server.outcomes).toEqual(Array.from({ length: 13 }, () => 'rotated'))
  })

  test('Q17 twenty processes whose token the resource refuses at once refresh it once', async () => {
    using place = makePlace()
    await using server = await startRotatingServer(0)
    await signIn(place.env, server)
    await using holders = await startHolders(20, place.env, server)
    const order = { kind: 'use', now: server.now, rejected: 'canary-access-1' } as const
    const answers = await holders.askAll(order)
    expect(new Set(answers.map((answer) => answer?.accessToken))).toEqual(new Set(['canary-access-2']))
    expect(server.outcomes).toEqual(['rotated'])
  })

  test('Q17 two callers in each of four processes, one whose token is due and one whose token was refused: one refresh', async () => {
    using place = makePlace()
    await using server = await startRotatingServer(0)
    await signIn(place.env, server)
    await using holders = await startHolders(4, place.env, server)
    server.now += lifetime * 0.9
    // Long enough for all to ask for the lock that one of them holds.
    server.slowMs = 500
    const order = { kind: 'use', now: server.now, besideRejected: 'canary-access-1' } as const
    const answers = await holders.askAll(order)
    expect(server.outcomes).toEqual(['rotated'])
    expect(new Set(answers.map((answer) => answer?.accessToken))).toEqual(new Set(['canary-access-2']))
  })

  test.runIf(process.platform === 'linux')(
    'Q17 the same with a real keychain, six processes and three minutes',
    async () => {
      await using session = await startSession()
      await session.startService('the password')
      await using server = await startRotatingServer(0)
      await signIn(session.env, server)
      await using holders = await startHolders(6, session.env, server)
      await live(holders, server, 180)
      expect(server.outcomes).toEqual(['rotated', 'rotated', 'rotated'])
    },
  )

  test('Q17 while the authorization server is down the tokens stay: used while good, an error after, well again later', async () => {
    using place = makePlace()
    await using server = await startRotatingServer(0)
    await signIn(place.env, server)
    await using holders = await startHolders(5, place.env, server)
    server.isDown = true
    server.now += 50
    const good = await holders.askAll({ kind: 'use', now: server.now })
    expect(new Set(good.map((answer) => answer?.accessToken))).toEqual(new Set(['canary-access-1']))
    server.now += 20
    const late = await holders.askAll({ kind: 'use', now: server.now })
    for (const answer of late) expect(answer?.thrown).toMatch(/TokenEndpointError.*503/)
    server.isDown = false
    server.outcomes.length = 0
    const well = await holders.askAll({ kind: 'use', now: server.now })
    expect(new Set(well.map((answer) => answer?.accessToken))).toEqual(new Set(['canary-access-2']))
    expect(server.outcomes).toEqual(['rotated'])
  })
})

/** Kills a process in mid-refresh; answers what the three others come to at the same moment, and what the server saw of them. */
async function crash(point: Point, graceSeconds: number) {
  using place = makePlace()
  await using server = await startRotatingServer(graceSeconds)
  await signIn(place.env, server)
  await using holders = await startHolders(4, place.env, server)
  server.now += 50
  expect(await holders.ask(0, { kind: 'use', now: server.now, dieAt: point })).toBeUndefined()
  expect(holders.children[0]?.signalCode).toBe('SIGKILL')
  const before = server.outcomes.length
  const answers = await holders.askAll({ kind: 'use', now: server.now })
  const tokens = answers.slice(1).map((answer) => answer?.accessToken ?? answer?.thrown ?? 'sign in')
  const seen = server.outcomes.slice(before)
  // And again, later: nobody asks in vain for ever.
  server.now += 20
  const later = await holders.askAll({ kind: 'use', now: server.now })
  const afterwards = server.outcomes.slice(before + seen.length)
  const files = readdirSync(place.directory, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  )
  const places = files.flatMap((file) => [
    file.name,
    readFileSync(join(file.parentPath, file.name), 'latin1'),
  ])
  return { tokens, seen, later, afterwards, places }
}

describe('kill -9 in mid-refresh', { timeout: 120_000 }, () => {
  const all = <Value>(value: Value): Value[] => [value, value, value]

  test.each([0, 30])(
    'Q15 before the request (grace %i s): another process refreshes, once',
    async (grace) => {
      const { tokens, seen, afterwards } = await crash('before the request', grace)
      expect([tokens, seen, afterwards]).toEqual([all('canary-access-2'), ['rotated'], []])
    },
  )

  test('Q15 after the answer, where a client may repeat itself: the answer is had again', async () => {
    const { tokens, seen, afterwards } = await crash('after the answer', 30)
    expect([tokens, seen, afterwards]).toEqual([all('canary-access-2'), ['repeated'], []])
  })

  test('Q15 after the answer, where not: the token is used up, then a sign-in is required, and the server is asked once', async () => {
    const { tokens, seen, later, afterwards } = await crash('after the answer', 0)
    expect([tokens, seen]).toEqual([all('canary-access-1'), ['replayed']])
    expect([later.slice(1), afterwards]).toEqual([all({}), []])
  })

  test.each([0, 30])('Q15 after writing (grace %i s): the others adopt it and ask nothing', async (grace) => {
    const { tokens, seen, afterwards } = await crash('after writing', grace)
    expect([tokens, seen, afterwards]).toEqual([all('canary-access-2'), [], []])
  })

  test('Q16 after a crash no token stands in a name or in the text of a file', async () => {
    const { places } = await crash('after writing', 0)
    expect(places.length).toBeGreaterThan(4)
    expect(places.filter((text) => text.includes('canary'))).toEqual([])
  })

  test('Q15 a sign-in after the end of a family brings everybody back', async () => {
    using place = makePlace()
    await using server = await startRotatingServer(0)
    await signIn(place.env, server)
    await using holders = await startHolders(3, place.env, server)
    server.now += 50
    await holders.ask(0, { kind: 'use', now: server.now, dieAt: 'after the answer' })
    // The server ended all tokens of the family, so the resource refuses this one.
    const refused = { kind: 'use', now: server.now, rejected: 'canary-access-1' } as const
    expect((await holders.askAll(refused)).slice(1)).toEqual([{}, {}])
    expect(server.outcomes).toEqual(['rotated', 'replayed'])
    const store = await chooseStore({ env: place.env })
    expect((await readTokens(store, name))?.refreshToken).toBeUndefined()
    await signIn(place.env, server)
    const answers = await holders.askAll({ kind: 'use', now: server.now })
    expect(answers.slice(1)).toEqual([{ accessToken: 'canary-access-3' }, { accessToken: 'canary-access-3' }])
  })
})
