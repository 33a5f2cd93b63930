import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readServerEntry, serverName } from '@warder/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  clientSecret,
  type ProtectedServer,
  startProtectedServer,
} from '../../packages/client/test/ways/protected-server.ts'
import { createLoginHome, type LoginHome, type RunningCommand } from './login-program.ts'

let server: ProtectedServer
let home: LoginHome

beforeAll(async () => {
  server = await startProtectedServer()
})

afterAll(() => server?.stop())

beforeEach(() => {
  home = createLoginHome()
})

afterEach(() => home.end())

async function statusOf(): Promise<Record<string, unknown>> {
  const listed = JSON.parse((await home.run(['status', '--json'])).out)
  expect(listed).toHaveLength(1)
  return listed[0]
}

async function matchIn(command: RunningCommand, pattern: RegExp): Promise<string> {
  await expect.poll(command.said, { timeout: 20_000 }).toMatch(pattern)
  return pattern.exec(command.said())?.[0] ?? ''
}

describe('warder login where nobody has to click', () => {
  const login = (): readonly string[] => ['login', server.url, '--client-credentials']

  test.each([
    ['standard input', ['--client-secret-stdin'], { input: `${clientSecret}\n` }],
    ['MCP_CLIENT_SECRET', [], { env: { MCP_CLIENT_SECRET: clientSecret } }],
  ])('CC-02 the secret comes from %s, and the next time from the store', async (_name, args, options) => {
    const first = await home.run([...login(), '--client-id', 'basic', ...args], options)
    expect([first.code, first.err]).toEqual([0, ''])
    expect(await statusOf()).toMatchObject({
      signed_in: true,
      scopes: ['notes:read'],
      refreshable: false,
      client: { id: 'basic', registration: 'pre-registered' },
    })
    const second = await home.run([...login(), '--scope', 'notes:write notes:read'])
    expect([second.code, second.err]).toEqual([0, ''])
    expect((await statusOf())['scopes']).toEqual(['notes:write', 'notes:read'])
    expect(first.out + first.err + second.out).not.toContain('canary')
  })

  test('Q16 a wrong secret is refused in words, without it, and does not take the place of the right one', async () => {
    const args = [...login(), '--client-id', 'basic', '--client-secret-stdin']
    await home.run(args, { input: `${clientSecret}\n` })
    const wrong = await home.run(args, { input: 'canary-that-is-wrong\n' })
    expect([wrong.code, wrong.out]).toEqual([1, ''])
    expect(wrong.err).toContain('invalid_client')
    expect(wrong.err).not.toContain('canary')
    expect((await home.run(login())).code).toBe(0)
  })

  test('without a secret it is said what is missing', async () => {
    const { code, err } = await home.run(login())
    expect([code, err]).toEqual([1, expect.stringContaining('--client-secret-stdin < FILE')])
  })
})

describe('warder login on another device', () => {
  test.each([
    ['with a client that somebody registered', ['--client-id', 'tv']],
    ['with one that it registers itself', []],
  ])('%s it shows a code and an address, and waits for the person', async (_name, args) => {
    const command = home.start(['login', server.url, '--device', ...args])
    expect(await matchIn(command, /[A-Z]{4}-[A-Z]{4}/)).toBeTruthy()
    const complete = await matchIn(command, /http:\S+user_code=\S+/)
    await server.follow(complete, { confirm: 'yes' })
    const { code, out } = await command.ended
    expect([code, out]).toEqual([0, expect.stringContaining('it is renewed without you')])
  })
})

describe('warder login with a client that somebody registered by hand', () => {
  const port = 20_000 + (process.pid % 20_000)
  const redirectUri = `http://localhost:${port}/callback`
  let registered: { readonly client_id: string; readonly client_secret: string }

  beforeAll(async () => {
    const answer = await fetch(`${server.issuer}/reg`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        application_type: 'native',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'client_secret_basic',
      }),
    })
    registered = (await answer.json()) as typeof registered
  })

  const args = (): readonly string[] => [
    ...['login', server.url, `--client-id=${registered.client_id}`],
    ...['--callback-port', String(port)],
  ]

  test('Q16 the secret is kept with the sign-in: another process revokes with it', async () => {
    const command = home.start([...args(), '--print-handoff', '--wait', '--client-secret-stdin'])
    command.child.stdin?.end(`${registered.client_secret}\n`)
    const { authorization_url: url } = JSON.parse(await matchIn(command, /\{.*\}/))
    expect(new URL(url).searchParams.get('redirect_uri')).toBe(redirectUri)
    await fetch(await server.follow(url))
    expect((await command.ended).code).toBe(0)
    const { code, out } = await home.run(['logout', server.url])
    // This provider revokes no JWTs.
    expect([code, out]).toEqual([0, expect.stringContaining('and the refresh token is revoked')])
    expect(out).toMatch(/revokes no access tokens: a copy of it would work for \d+ minutes at most\./)
  })

  test('Q16 MCP_CLIENT_SECRET is not for a client id that a file of a project names; the kept secret is', async () => {
    const entry = {
      type: 'http',
      url: server.url,
      oauth: { clientId: registered.client_id, callbackPort: port },
    }
    writeFileSync(join(home.env['HOME'] ?? '', '.mcp.json'), JSON.stringify({ mcpServers: { notes: entry } }))
    writeFileSync(
      join(home.env['HOME'] ?? '', '.claude.json'),
      JSON.stringify({
        projects: {
          [home.env['HOME'] ?? '']: { hasTrustDialogAccepted: true, enabledMcpjsonServers: ['notes'] },
        },
      }),
    )
    const signIn = async (words: readonly string[], env: Record<string, string>) => {
      const command = home.start(['login', ...words, '--print-handoff', '--wait'], { env })
      const { authorization_url: url } = JSON.parse(await matchIn(command, /\{.*\}/))
      await fetch(await server.follow(url))
      return command.ended
    }
    const secret = { MCP_CLIENT_SECRET: registered.client_secret }
    const withoutId = await signIn(['notes'], secret)
    expect([withoutId.code, withoutId.err]).toEqual([1, expect.stringContaining('invalid_client')])
    expect((await signIn(['notes', `--client-id=${registered.client_id}`], secret)).code).toBe(0)
    expect((await signIn(['notes'], {})).code).toBe(0)
  })

  test('it is there when --resume finishes in another process', async () => {
    const begun = await home.run([...args(), '--print-handoff'], {
      env: { MCP_CLIENT_SECRET: registered.client_secret },
    })
    expect(begun.code).toBe(3)
    const line = JSON.parse(begun.err)
    const answer = await server.follow(line.authorization_url)
    const ended = await home.run(line.resume.split(' ').slice(1), { input: `${answer}\n` })
    expect([ended.code, ended.out]).toEqual([0, expect.stringContaining('registered by you')])
  })

  test.each([
    ['--no-resource', ['--no-resource'], null, false],
    [
      '--resource',
      ['--resource', 'https://notes.example/'],
      'https://notes.example/',
      'https://notes.example/',
    ],
    ['neither', [], 'its own', undefined],
  ])('%s decides what is sent, and is kept for the refresh', async (_name, more, sent, kept) => {
    const command = home.start(['login', server.url, '--no-browser', ...more])
    const url = new URL(await matchIn(command, /http:\S+\/auth\?\S+/))
    expect(url.searchParams.get('resource')).toBe(sent === 'its own' ? server.url : sent)
    const answer = await server.follow(url.href)
    // This provider knows no resource but its own.
    if (sent === 'https://notes.example/') expect(answer.searchParams.get('error')).toBe('invalid_target')
    await fetch(answer)
    const { code } = await command.ended
    expect(code).toBe(sent === 'https://notes.example/' ? 1 : 0)
    const store = await home.openStore()
    const entry = await readServerEntry(store, serverName({ server: server.url, profile: 'default' }))
    if (code === 0) expect(entry?.sendResource).toBe(kept)
    else expect(entry).toBeUndefined()
  })
})
