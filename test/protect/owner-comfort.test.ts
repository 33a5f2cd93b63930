import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  everything,
  runInTerminal,
  runWarder,
  startWarder,
  type WarderProcess,
  warderProgram,
} from '../e2e/warder-process.ts'
import { claimOwner, type Owner } from './claim-owner.ts'
import { call, refresh, signIn } from './scripted-sign-in.ts'

const owner: Owner = { email: 'owner@example.com', password: 'a password of the owner' }
type SignedIn = Awaited<ReturnType<typeof signIn>>

describe('what an owner does from the terminal, while warder protect runs', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-comfort-'))
  const data = ['--data', join(directory, 'data')]
  const sample = ['--name', 'everything', '--', process.execPath, everything, 'stdio']
  let warder: WarderProcess

  beforeAll(async () => {
    warder = await startWarder({ directory, args: ['--port', '0', ...sample] })
    await claimOwner(directory, owner)
  })

  afterAll(async () => {
    await warder.stop('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })

  const run = (...args: string[]): ReturnType<typeof runWarder> => runWarder(directory, [...args, ...data])
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await run(...args, '--json')).out)
  const enter = (password = owner.password): Promise<SignedIn> =>
    signIn({ issuer: warder.issuer, resource: warder.endpoint, email: owner.email, password })
  const list = async ({ tokens }: SignedIn): Promise<number> =>
    (await call(warder.endpoint, tokens.access_token, 'tools/list')).status
  const refreshed = async ({ clientId, tokens }: SignedIn): Promise<Response> =>
    refresh(warder.issuer, clientId, tokens.refresh_token)
  const aSecond = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_000))

  test('grant list shows who lets which client do what; grant revoke ends that one within a second', async () => {
    const [ended, kept] = [await enter(), await enter()]
    const grants = await json<{ id: string; user: string; client: string; scopes: string[] }[]>(
      'grant',
      'list',
    )
    const grant = grants.find(({ client }) => client === ended.clientId)
    expect(grant).toMatchObject({ user: owner.email, scopes: ['everything:read'] })
    expect(await run('grant', 'revoke', grant?.id ?? '')).toMatchObject({ code: 0 })
    await aSecond()
    expect([await list(ended), await list(kept)]).toEqual([401, 200])
    expect([(await refreshed(ended)).status, (await refreshed(kept)).status]).toEqual([400, 200])
    const again = await run('grant', 'revoke', grant?.id ?? '')
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('has ended already') })
    const words = await run('grant', 'list', '--user', owner.email)
    expect(words.out).toContain(kept.clientId)
    expect(words.out).not.toContain(ended.clientId)
    expect((await run('grant', 'list', '--all')).out).toContain('ended: operator')
  })

  test('D17 client revoke: grants, tokens and the id itself are dead, another client goes on', async () => {
    const [ended, kept] = [await enter(), await enter()]
    const clients = await json<{ id: string; name: string; grants: number }[]>('client', 'list')
    expect(clients).toContainEqual(
      expect.objectContaining({ id: ended.clientId, name: 'Scripted', grants: 1, disabled: false }),
    )
    expect(await json('client', 'revoke', ended.clientId)).toEqual({
      id: ended.clientId,
      disabled: true,
      endedGrants: 1,
    })
    await aSecond()
    expect([await list(ended), await list(kept)]).toEqual([401, 200])
    const refused = await refreshed(ended)
    expect([refused.status, await refused.json()]).toEqual([
      401,
      expect.objectContaining({ error: 'invalid_client' }),
    ])
    expect((await refreshed(kept)).status).toBe(200)
    const authorize = (id: string): Promise<Response> =>
      fetch(
        `${warder.issuer}/authorize?${new URLSearchParams({
          response_type: 'code',
          client_id: id,
          redirect_uri: 'http://127.0.0.1:7777/callback',
          code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
          code_challenge_method: 'S256',
          resource: warder.endpoint,
        })}`,
        { redirect: 'manual' },
      )
    const [dead, alive] = [await authorize(ended.clientId), await authorize(kept.clientId)]
    expect([dead.status, dead.headers.get('location')]).toEqual([400, null])
    expect(alive.headers.get('location')).toMatch(/^\/authorize\/\S+$/)
    expect((await run('client', 'list')).out).toMatch(new RegExp(`${ended.clientId}.*revoked`))
  })

  test('user reset: the old password and everything that it opened has ended, the new one works', async () => {
    const before = await enter()
    const short = await runWarder(directory, ['user', 'reset', owner.email, ...data], 'short\n')
    expect(short).toMatchObject({ code: 1, err: expect.stringContaining('between 12 and 1,024 characters') })
    expect(await list(before)).toBe(200)
    const password = 'another password of the owner'
    const reset = await runWarder(directory, ['user', 'reset', owner.email, ...data], `${password}\n`)
    expect(reset).toMatchObject({ code: 0 })
    await aSecond()
    expect(await list(before)).toBe(401)
    expect((await refreshed(before)).status).toBe(400)
    await expect(enter()).rejects.toThrow()
    expect(await list(await enter(password))).toBe(200)
  })

  test('what is not there is one clear line', async () => {
    const cases = [
      [['user', 'reset', 'nobody@example.com'], 'there is no user nobody@example.com'],
      [['client', 'revoke', 'wcl_unknown'], 'there is no client wcl_unknown'],
      [['grant', 'revoke', 'wgr_unknown'], 'there is no grant "wgr_unknown"'],
      [['grant', 'list', '--user', 'nobody@example.com'], 'there is no user nobody@example.com'],
      [['setup', 'payments'], 'names no server "payments", but: everything'],
    ] as const
    const answers = await Promise.all(cases.map(([args]) => run(...args)))
    for (const [place, { code, out, err }] of answers.entries()) {
      expect([code === 0, out]).toEqual([false, ''])
      expect(err).toContain(cases[place]?.[1])
      expect(err).not.toContain('    at ')
    }
  })

  test('setup has the text for each client, with this endpoint', async () => {
    const { out } = await run('setup')
    for (const word of [
      'Claude Code',
      '.mcp.json',
      'VS Code',
      'Cursor',
      'Codex',
      'Gemini CLI',
      warder.endpoint,
    ])
      expect(out).toContain(word)
    const cursor = await json<{ client: string; lines: string[] }[]>(
      'setup',
      'everything',
      '--client',
      'cursor',
    )
    expect(cursor.map(({ client }) => client)).toEqual(['cursor'])
    expect(cursor[0]?.lines.join('\n')).toContain(`{"url":"${warder.endpoint}"}`)
  })

  test('the owner link goes to a terminal only: a start into a pipe says how to get one', async () => {
    const child = spawn(
      process.execPath,
      [...warderProgram, 'protect', '--port', '0', '--data', join(directory, 'piped'), ...sample],
      {
        cwd: directory,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    let [out, err] = ['', '']
    child.stderr.on('data', (chunk) => (err += chunk))
    for await (const chunk of child.stdout) {
      out += chunk
      if (out.includes('Ctrl-C ends it')) break
    }
    child.kill()
    expect(out).toContain('Warder protects everything')
    expect(out).not.toContain('/owner/')
    expect(out).not.toContain('\u001b')
    expect(err).toContain('run in a terminal: warder owner-link')
    expect(err).not.toContain('/owner/')
  })

  test('colours are for a terminal only', async () => {
    expect(await runInTerminal(directory, ['setup', ...data])).toContain('\u001b[1m')
    expect((await run('setup')).out).not.toContain('\u001b')
  })
})
