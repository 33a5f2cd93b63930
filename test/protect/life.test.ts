import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  everything,
  runInTerminal,
  runWarder,
  startWarder,
  type WarderProcess,
} from '../e2e/warder-process.ts'
import { isAlive as isRunning } from '../hosting/processes.ts'
import { claimByLink } from './claim-owner.ts'
import { call, refresh, signIn, type Tokens } from './scripted-sign-in.ts'

const email = 'owner@example.com'
const password = 'canary-password-of-the-owner'
const canary = 'canary-variable-of-warder'
const command = ['--name', 'everything', '--', process.execPath, everything, 'stdio']

describe('the life of warder protect', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-life-'))
  const data = join(directory, 'data')
  let warder: WarderProcess
  let port: string
  let clientId: string
  let tokens: Tokens

  const start = async (): Promise<void> => {
    warder = await startWarder({ directory, args: ['--port', port, ...command], env: { CANARY: canary } })
  }

  beforeAll(async () => {
    port = '0'
    await start()
    // The address is part of the issuer: a restart must come back to the same port.
    port = new URL(warder.issuer).port
  })

  afterAll(async () => {
    await warder.stop('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })

  test('the first start writes a policy in which a tool that reads the environment is not basic', () => {
    const policy = readFileSync(join(directory, 'warder.yaml'), 'utf8')
    expect(policy).toContain('everything:read')
    const scopes = new Map(warder.tools.map(({ name, scope }) => [name, scope]))
    expect(scopes.get('echo')).toBe('everything:read')
    expect(scopes.get('get-env')).not.toBe('everything:read')
  })

  test('the state is closed to other users', () => {
    expect(statSync(data).mode & 0o777).toBe(0o700)
    for (const file of filesUnder(data)) expect([file, statSync(file).mode & 0o077]).toEqual([file, 0])
  })

  test('health and readiness answer', async () => {
    expect((await fetch(`${warder.issuer}/healthz`)).status).toBe(200)
    expect((await fetch(`${warder.issuer}/readyz`)).status).toBe(200)
  })

  test('user add takes the password from standard input, and the owner link is for a terminal only', async () => {
    const added = await runWarder(
      directory,
      ['user', 'add', 'bob@example.com', '--data', data],
      'another-long-password\n',
    )
    expect(added).toMatchObject({ code: 0 })
    const weak = await runWarder(directory, ['user', 'add', 'eve@example.com', '--data', data], 'short\n')
    expect(weak).toMatchObject({ code: 1, err: expect.stringContaining('between 12 and 1,024 characters') })
    const piped = await runWarder(directory, ['owner-link', '--data', data])
    expect(piped).toMatchObject({ code: 1, out: '' })
    const link =
      /http:\/\/\S+\/owner\/\S+/.exec(await runInTerminal(directory, ['owner-link', '--data', data]))?.[0] ??
      ''
    await claimByLink(link, { email, password })
    const again = await fetch(link)
    expect(again.status).toBe(400)
  })

  test('a signed-in client calls a tool, and P01 the child sees no variable that is not named', async () => {
    const dangerous = warder.tools.find(({ name }) => name === 'get-env')?.scope ?? ''
    const signedIn = await signIn({
      issuer: warder.issuer,
      resource: warder.endpoint,
      email,
      password,
      scope: `everything:read ${dangerous}`,
      switchOn: [dangerous],
    })
    clientId = signedIn.clientId
    tokens = signedIn.tokens
    const answer = await (
      await call(warder.endpoint, tokens.access_token, 'tools/call', { name: 'get-env', arguments: {} })
    ).text()
    expect(answer).toContain('PATH')
    expect(answer).not.toContain(canary)
  })

  test('a restart loses nothing: tokens and refresh go on', async () => {
    expect(await warder.stop('SIGTERM')).toBe(0)
    await start()
    expect((await call(warder.endpoint, tokens.access_token, 'tools/list')).status).toBe(200)
    const refreshed = await refresh(warder.issuer, clientId, tokens.refresh_token)
    expect(refreshed.status).toBe(200)
    tokens = (await refreshed.json()) as Tokens
  })

  test('P07 kill -9 at any moment: no child is left, and the next start is clean', async () => {
    const calls = Array.from({ length: 20 }, () =>
      call(warder.endpoint, tokens.access_token, 'tools/list').catch(() => undefined),
    )
    const children = descendants(warder.pid)
    expect(children.length).toBeGreaterThan(0)
    await warder.stop('SIGKILL')
    await Promise.all(calls)
    await expect.poll(() => children.filter(isRunning), { timeout: 10_000 }).toEqual([])
    await start()
    expect((await call(warder.endpoint, tokens.access_token, 'tools/list')).status).toBe(200)
  })

  test('V17 SIGTERM under load: no new work, what is in progress is answered and recorded, exit 0', async () => {
    const long = call(warder.endpoint, tokens.access_token, 'tools/call', {
      name: 'trigger-long-running-operation',
      arguments: { duration: 5, steps: 5 },
    }).then(async (answer) => [answer.status, await answer.text()] as const)
    let isAnswered = false
    void long.then(() => (isAnswered = true))
    const news = await call(warder.endpoint, tokens.access_token, 'subscriptions/listen', {
      notifications: { toolsListChanged: true },
    })
    const load = Array.from({ length: 5 }, () => echoUntilRefused(warder.endpoint, tokens.access_token))
    await expect.poll(() => decisions(data, 'trigger-long-running-operation'), { timeout: 20_000 }).toBe(1)
    // Each loop has its next call on the way only when it has had an answer.
    await expect.poll(() => decisions(data, 'echo'), { timeout: 20_000 }).toBeGreaterThan(load.length)
    const stopping = warder.stop('SIGTERM')
    const answered = (await Promise.all(load)).reduce((sum, count) => sum + count, 0)
    // A stream for news has no end of its own to wait for.
    expect(await news.text()).toContain('"resultType":"complete"')
    expect([answered > 0, isAnswered]).toEqual([true, false])
    const [status, answer] = await long
    expect(status).toBe(200)
    expect(answer).toContain('Long running operation completed')
    expect(await stopping).toBe(0)
    expect(decisions(data, 'echo')).toBeGreaterThanOrEqual(answered)
    const records = recordsIn(data)
    const decision = records.find((record) => record['target'] === 'trigger-long-running-operation')
    expect(records).toContainEqual(
      expect.objectContaining({ kind: 'outcome', id: decision?.['id'], status: 200 }),
    )
    await start()
    expect((await call(warder.endpoint, tokens.access_token, 'tools/list')).status).toBe(200)
  })

  test('log tail shows who called what', async () => {
    const { out, code } = await runWarder(directory, [
      'log',
      'tail',
      '--json',
      '--lines',
      '1000',
      '--data',
      data,
    ])
    expect(code).toBe(0)
    const records = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(records).toContainEqual(
      expect.objectContaining({
        kind: 'decision',
        outcome: 'open',
        method: 'tools/call',
        target: 'get-env',
        client: clientId,
      }),
    )
    expect(records).toContainEqual(expect.objectContaining({ kind: 'outcome', status: 200 }))
    const words = await runWarder(directory, ['log', 'tail', '--data', data])
    expect(words.out).toContain('tools/list')
  })

  test('T02 no secret stands in the clear in the state directory', () => {
    const secrets = [tokens.access_token, tokens.refresh_token, password, 'another-long-password']
    for (const file of filesUnder(data)) {
      const content = readFileSync(file)
      for (const secret of secrets) expect([file, content.includes(secret)]).toEqual([file, false])
    }
  })

  test('P07 the end of Warder is the end of its children, by SIGTERM and by Ctrl-C', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      await call(warder.endpoint, tokens.access_token, 'tools/list')
      const children = descendants(warder.pid)
      expect(children.length).toBeGreaterThan(0)
      expect(await warder.stop(signal)).toBe(0)
      expect(children.filter(isAlive)).toEqual([])
      await start()
    }
  })

  test('user disable ends all access within a second, also from another process', async () => {
    const { code } = await runWarder(directory, ['user', 'disable', email, '--data', data])
    expect(code).toBe(0)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect((await call(warder.endpoint, tokens.access_token, 'tools/list')).status).toBe(401)
    expect((await refresh(warder.issuer, clientId, tokens.refresh_token)).status).toBe(400)
    const list = await runWarder(directory, ['user', 'list', '--json', '--data', data])
    expect(JSON.parse(list.out)).toContainEqual(
      expect.objectContaining({ email, role: 'owner', disabled: true }),
    )
  })
})

/** One call after the other until there is no connection or no 200 any more; answers how many got theirs. */
async function echoUntilRefused(endpoint: string, token: string): Promise<number> {
  const params = { name: 'echo', arguments: { message: 'load' } }
  for (let answered = 0; ; answered += 1) {
    const status = await call(endpoint, token, 'tools/call', params).then(
      async (answer) => ((await answer.text()).includes('Echo: load') ? answer.status : 0),
      () => 0,
    )
    if (status !== 200) return answered
  }
}

const recordsIn = (data: string): readonly Readonly<Record<string, unknown>>[] =>
  filesUnder(join(data, 'log'))
    .filter((file) => file.endsWith('.jsonl'))
    .flatMap((file) => readFileSync(file, 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line))

function decisions(data: string, target: string): number {
  return recordsIn(data).filter((record) => record['kind'] === 'decision' && record['target'] === target)
    .length
}

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** Processes below one, by Linux' process table. */
function descendants(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {
      // It ended while we looked.
    }
  }
  const below = (parent: number): number[] =>
    [...parents].filter(([, of]) => of === parent).flatMap(([child]) => [child, ...below(child)])
  return below(pid)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
