import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import {
  type PendingSignIn,
  readServerEntry,
  readTokens,
  serverName,
  type TokenSet,
  tokenName,
} from '@warder/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { keepHandoff } from '../../apps/cli/src/client/handoff.ts'
import { call } from '../protect/scripted-sign-in.ts'
import { type FakeBrowser, startFakeBrowser } from './fake-browser.ts'
import { createLoginHome, type LoginHome, type RunningCommand } from './login-program.ts'
import { startWarderForClients, type WarderForClients } from './warder-for-clients.ts'

let warder: WarderForClients
let home: LoginHome
let browser: FakeBrowser | undefined

beforeAll(async () => {
  warder = await startWarderForClients()
})

afterAll(() => warder?.end())

beforeEach(() => {
  home = createLoginHome()
})

afterEach(() => {
  browser?.close()
  browser = undefined
  home.end()
})

/** The environment of a desktop whose browser belongs to a person that says yes. */
async function desktop(): Promise<Readonly<Record<string, string>>> {
  browser = await startFakeBrowser(home.directory, async (link) => {
    const started = await fetch(link, { redirect: 'manual' })
    await warder.follow(new URL(started.headers.get('location') ?? ''))
  })
  return { PATH: browser.env['PATH'] ?? '', DISPLAY: ':0' }
}

async function tokensOf(profile = 'default'): Promise<TokenSet | undefined> {
  const store = await home.openStore()
  const entry = await readServerEntry(store, serverName({ server: warder.endpoint, profile }))
  return entry && (await readTokens(store, tokenName(entry)))
}

const statusOf = async (token: string): Promise<number> =>
  (await call(warder.endpoint, token, 'tools/list')).status

/** The authorization URL that a command shows, once it does. */
async function shownBy(command: RunningCommand): Promise<URL> {
  const pattern = /https?:\/\/\S+\/authorize\?[^\s"]+/
  await expect.poll(command.said, { timeout: 20_000 }).toMatch(pattern)
  return new URL(pattern.exec(command.said())?.[0] ?? '')
}

describe('warder login, by a browser', () => {
  test('signs in, and says to whom, for what and for how long', async () => {
    const { code, out, err } = await home.run(['login', warder.endpoint], { env: await desktop() })
    expect([code, browser?.failures], err).toEqual([0, []])
    expect(out).toContain(`You are signed in to ${warder.endpoint}.`)
    expect(out).toMatch(/issued by {2}http:\/\/localhost:\d+\n/)
    expect(out).toMatch(/may +everything:read\n/)
    expect(out).toMatch(/ends +in (9|10) minutes .*; it is renewed without you\n/)
    expect(out).toMatch(/kept in +an encrypted file\n/)
    expect(out).toMatch(/client id +\S+ \(registered by itself\)\n/)
    expect(err).toContain('Your browser opens now')
    expect(await statusOf((await tokensOf())?.accessToken ?? '')).toBe(200)
  })

  test('a second time it uses the same client, and the answer arrives at the same port', async () => {
    const env = await desktop()
    for (const _ of [1, 2]) expect((await home.run(['login', warder.endpoint], { env })).code).toBe(0)
    const [first, second] = browser?.visited ?? []
    expect(first?.port).toBe(second?.port)
    const { out } = await home.run(['status', '--json'])
    expect(JSON.parse(out)).toHaveLength(1)
  })

  test('two accounts stand side by side, and each is signed out alone', async () => {
    const env = await desktop()
    for (const profile of ['home', 'work'])
      await home.run(['login', warder.endpoint, '--profile', profile, '--json'], { env })
    const listed = JSON.parse((await home.run(['status', '--json'])).out)
    expect(listed.map(({ profile }: { profile: string }) => profile).sort()).toEqual(['home', 'work'])
    await home.run(['logout', warder.endpoint, '--profile', 'home'])
    expect(await tokensOf('home')).toBeUndefined()
    expect(await statusOf((await tokensOf('work'))?.accessToken ?? '')).toBe(200)
  })

  test('with a fixed port the answer goes to http://localhost:PORT/callback, exactly', async () => {
    const port = await freePort()
    const command = home.start(['login', warder.endpoint, '--no-browser', '--callback-port', String(port)])
    const url = await shownBy(command)
    expect(url.searchParams.get('redirect_uri')).toBe(`http://localhost:${port}/callback`)
    await warder.follow(url)
    expect((await command.ended).code).toBe(0)
  })

  test('Q10 a fixed port that is taken is told, with what to do', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    const { code, err } = await home.run(['login', warder.endpoint, '--callback-port', String(port)], {
      env: await desktop(),
    })
    other.close()
    expect([code, browser?.visited]).toEqual([1, []])
    expect(err).toContain(`In detail: port ${port} is taken.`)
    expect(err).toContain('choose another port by --callback-port')
  })
})

describe('warder login, without a browser', () => {
  test('shows the address, and takes what is pasted', async () => {
    const command = home.start(['login', warder.endpoint, '--no-browser', '--json'])
    const answer = await warder.answerTo(await shownBy(command))
    command.child.stdin?.write(`${answer.href.replace(/state=[^&]*/, 'state=another')}\n`)
    await expect.poll(command.said).toContain('This is the answer to another sign-in')
    command.child.stdin?.write(`${answer.href}\n`)
    const { code, out } = await command.ended
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      server: warder.endpoint,
      profile: 'default',
      signed_in: true,
      scopes: ['everything:read'],
      refreshable: true,
      store: 'encrypted-file',
    })
  })

  test('in a terminal, what is pasted is not shown, however long it is', async () => {
    const command = home.start(['login', warder.endpoint, '--no-browser'], { inTerminal: true })
    const answer = await warder.answerTo(await shownBy(command))
    await expect.poll(command.said).toContain('then press Enter')
    // A terminal cuts lines off at 4,096 characters, unless each key is read.
    command.child.stdin?.write(`${answer.href}&session_state=${'a'.repeat(5_000)}\r`)
    await expect.poll(command.said, { timeout: 20_000 }).toContain('You are signed in')
    expect(command.said()).not.toContain(answer.searchParams.get('code'))
    expect(command.said()).not.toContain('aaaaaaaa')
    command.child.stdin?.end()
    expect((await command.ended).code).toBe(0)
  })

  test('--print-handoff --wait tells a program where to send a person, and waits', async () => {
    const command = home.start(['login', warder.endpoint, '--print-handoff', '--wait'])
    const url = await shownBy(command)
    expect(JSON.parse(command.said())).toEqual({
      error: 'auth_required',
      server: warder.endpoint,
      reason: 'a person has to sign in',
      authorization_url: url.href,
      expires_at: expect.stringMatching(/^\d{4}-.*Z$/),
    })
    await warder.follow(url)
    expect((await command.ended).code).toBe(0)
  })

  test.each([
    ['--print-handoff', ['--print-handoff'], { DISPLAY: ':0' }],
    ['no browser and no terminal', [], {}],
  ])(
    '%s ends with exit code 3, and --resume finishes it once, in another process',
    async (_name, args, env) => {
      const { code, out, err } = await home.run(['login', warder.endpoint, ...args], { env })
      expect([code, out]).toEqual([3, ''])
      const line = JSON.parse(err)
      const reason = args.length > 0 ? 'has to sign in' : 'no browser can be opened here'
      expect(line).toMatchObject({
        error: 'auth_required',
        server: warder.endpoint,
        reason: expect.stringContaining(reason),
      })
      const resume: string[] = line.resume.split(' ').slice(1)
      expect(resume.slice(0, 2)).toEqual(['login', warder.endpoint])
      const answer = await warder.answerTo(new URL(line.authorization_url))
      const finished = await home.run(resume, { input: `${answer.href}\n` })
      expect([finished.code, finished.out]).toEqual([0, expect.stringContaining('You are signed in')])
      const again = await home.run(resume, { input: `${answer.href}\n` })
      expect([again.code, again.err]).toEqual([1, expect.stringContaining('no such sign-in here any more')])
    },
  )

  describe('--resume of a name that means different servers in different hosts', () => {
    const elsewhere = 'https://other.example.com/mcp'

    /** Begins a sign-in at the server that Cursor's list has under a name, which is another one in Warder's own. */
    async function begin() {
      const lists = [
        ['.cursor/mcp.json', { notes: { url: warder.endpoint } }],
        ['.config/warder/servers.json', { notes: { type: 'http', url: elsewhere } }],
      ] as const
      for (const [path, mcpServers] of lists) {
        const file = join(home.directory, 'home', path)
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
        writeFileSync(file, JSON.stringify({ mcpServers }), { mode: 0o600 })
      }
      const args = ['login', 'notes', '--host', 'cursor', '--profile', 'work', '--print-handoff']
      const { err } = await home.run([...args, '--store', 'encrypted-file'])
      const line = JSON.parse(err)
      const answer = await warder.answerTo(new URL(line.authorization_url))
      return { resume: String(line.resume).split(' ').slice(1), input: `${answer.href}\n` }
    }

    test('the printed line, run as it is, finishes the sign-in', async () => {
      const { resume, input } = await begin()
      const { code, err } = await home.run(resume, { input })
      expect([code, err]).toEqual([0, expect.any(String)])
      expect((await tokensOf('work'))?.accessToken).toEqual(expect.any(String))
    })

    test('another server or profile is told apart before anything is used up', async () => {
      const { resume, input } = await begin()
      const handle = resume.at(-1) ?? ''
      const server = await home.run(['login', 'notes', '--profile', 'work', '--resume', handle], { input })
      expect([server.code, server.err]).toEqual([2, expect.stringContaining(`names ${elsewhere}`)])
      const profile = await home.run(['login', 'notes', '--host', 'cursor', '--resume', handle], { input })
      expect([profile.code, profile.err]).toEqual([2, expect.stringContaining('--profile work')])
      expect((await home.run(resume, { input })).code).toBe(0)
    })

    test('a printed line that hides a key in the address leads to the same server', async () => {
      const store = await home.openStore()
      const pending = { server: `${elsewhere}?api_key=canary`, profile: 'default', record: { state: 's' } }
      const now = Date.now()
      const times = { expiresAt: now + 60_000, now }
      const handle = await keepHandoff(store, { pending: pending as unknown as PendingSignIn }, times)
      const finish = (word: string) => home.run(['login', word, '--resume', handle])
      const hidden = await finish(`${elsewhere}?api_key=[hidden]`)
      expect([hidden.code, hidden.err]).toEqual([
        1,
        expect.stringContaining('no address came on standard input'),
      ])
      const other = await finish(`${elsewhere}?api_key=other`)
      expect([other.code, other.err]).toEqual([2, expect.stringContaining('was begun at')])
      expect(hidden.err + other.err).not.toContain('canary')
    })
  })
})

describe('warder status, token explain and logout', () => {
  test('say what is there in words and as JSON, never a token', async () => {
    await home.run(['login', warder.endpoint], { env: await desktop() })
    const tokens = await tokensOf()
    const shown = await Promise.all(
      [
        ['status'],
        ['status', '--json'],
        ['token', 'explain', warder.endpoint],
        ['token', 'explain', warder.endpoint, '--json'],
      ].map(async (args) => home.run(args)),
    )
    const [inWords, , explained, asJson] = shown
    expect(shown.map(({ code }) => code)).toEqual([0, 0, 0, 0])
    expect(inWords?.out).toContain(warder.endpoint)
    expect(explained?.out).toContain('It fits the server')
    expect(explained?.out).toContain('Nothing of this was verified')
    expect(JSON.parse(asJson?.out ?? '')).toMatchObject({
      form: 'jwt',
      aud: [warder.endpoint],
      scope: ['everything:read'],
      problems: [],
      verified: false,
    })
    for (const { out, err } of shown) {
      for (const token of [tokens?.accessToken, tokens?.refreshToken]) {
        expect(token).toBeDefined()
        expect(out + err).not.toContain(token)
        // Nor its last part alone, which is the signature.
        expect(out + err).not.toContain(token?.split('.').at(-1))
      }
    }
  })

  test('a token from standard input is explained too', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const token = `${part({ alg: 'ES256' })}.${part({ iss: 'https://as.example', exp: 1 })}.AAAA`
    const { code, out } = await home.run(['token', 'explain', '-'], { input: `Bearer ${token}\n` })
    expect([code, out]).toEqual([1, expect.stringContaining('It ended')])
    const opaque = await home.run(['token', 'explain', '-'], { input: 'abc\n' })
    expect([opaque.code, opaque.out]).toEqual([0, expect.stringContaining('opaque')])
  })

  test('logout revokes what the server has issued, and deletes it here', async () => {
    await home.run(['login', warder.endpoint], { env: await desktop() })
    const tokens = await tokensOf()
    const access = tokens?.accessToken ?? ''
    expect(await statusOf(access)).toBe(200)
    const { code, out } = await home.run(['logout', warder.endpoint])
    expect([code, out]).toEqual([0, expect.stringContaining(`and revoked at ${warder.issuer}.`)])
    expect(await tokensOf()).toBeUndefined()
    await expect.poll(() => statusOf(access)).toBe(401)
    const status = await home.run(['status', warder.endpoint])
    expect([status.code, status.err]).toEqual([3, expect.stringContaining('warder login')])
    const again = await home.run(['logout', warder.endpoint, '--json'])
    expect([again.code, JSON.parse(again.out).signed_in]).toEqual([0, false])
    expect((await home.run(['token', 'explain', warder.endpoint])).code).toBe(3)
  })

  test('a stored sign-in that was damaged is told as that, never as nobody being signed in, and logout deletes it', async () => {
    await home.run(['login', warder.endpoint], { env: await desktop() })
    const files = readdirSync(home.directory, { recursive: true, encoding: 'utf8' })
    const tokens = join(home.directory, files.find((file) => /\/tokens-[^/]*$/.test(file)) ?? '')
    writeFileSync(tokens, `${readFileSync(tokens, 'utf8').slice(0, -8)}AAAAAAA=`)
    const status = await home.run(['status'])
    expect([status.code, status.out]).toEqual([1, ''])
    expect(status.err).toContain(`${warder.endpoint} (profile default): `)
    expect(status.err).toContain('was changed or damaged')
    const { code, out } = await home.run(['logout', warder.endpoint])
    expect([code, out]).toEqual([0, expect.stringContaining('NOT revoked')])
    expect((await home.run(['status'])).out).toContain('You are signed in nowhere')
  })

  test('a sign-in that says nothing of where its tokens are is deleted, and it is told that they may remain', async () => {
    await home.run(['login', warder.endpoint], { env: await desktop() })
    const files = readdirSync(home.directory, { recursive: true, encoding: 'utf8' })
    const record = join(home.directory, files.find((file) => /\/server-[^/]*$/.test(file)) ?? '')
    writeFileSync(record, `${readFileSync(record, 'utf8').slice(0, -8)}AAAAAAA=`)
    const { code, out } = await home.run(['logout', warder.endpoint])
    expect([code, out]).toEqual([0, expect.stringContaining('NOT revoked')])
    expect(out).toContain('tokens may be left in the store')
    const again = await home.run(['logout', warder.endpoint, '--json'])
    expect(JSON.parse(again.out).signed_in).toBe(false)
  })

  test('a record that is damaged hides no other sign-in, and --all deletes it too', async () => {
    const env = await desktop()
    await home.run(['login', warder.endpoint, '--profile', 'work'], { env })
    const recordOf = (): string[] =>
      readdirSync(home.directory, { recursive: true, encoding: 'utf8' }).filter((file) =>
        /\/server-[^/]*$/.test(file),
      )
    const record = join(home.directory, recordOf()[0] ?? '')
    await home.run(['login', warder.endpoint], { env })
    writeFileSync(record, `${readFileSync(record, 'utf8').slice(0, -8)}AAAAAAA=`)
    const status = await home.run(['status', '--json'])
    expect([status.code, JSON.parse(status.out)]).toMatchObject([
      1,
      [{ server: warder.endpoint, profile: 'default', signed_in: true }],
    ])
    expect(status.err).toMatch(/a server: the credential server-[0-9a-f]{64} was changed or damaged/)
    expect((await home.run(['logout', '--all', '--profile', 'default'])).code).toBe(0)
    expect(recordOf()).toHaveLength(1)
    const all = await home.run(['logout', '--all'])
    expect([all.code, all.out]).toEqual([
      0,
      expect.stringContaining('You are signed out of a server whose record cannot be read'),
    ])
    expect(recordOf()).toEqual([])
  })

  test('a server that may not be used any more can still be signed out of, by its name', async () => {
    await home.run(['login', warder.endpoint], { env: await desktop() })
    const folder = join(home.env['HOME'] ?? '', '.config', 'warder')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const entry = {
      type: 'http',
      url: warder.endpoint,
      headers: { Authorization: `Bearer \${NOT_SET}` },
    }
    const lists = { unset: entry, off: { type: 'http', url: warder.endpoint, disabled: true } }
    writeFileSync(join(folder, 'servers.json'), JSON.stringify({ mcpServers: lists }), { mode: 0o600 })
    for (const name of ['unset', 'off']) {
      // Whoever would send something to it is refused.
      const doctor = await home.run(['doctor', name])
      expect([doctor.code, doctor.err]).toEqual([1, expect.stringMatching(/cannot be used|is not used/)])
      expect((await home.run(['status', name])).out).toContain(warder.endpoint)
      expect((await home.run(['token', 'explain', name])).code).toBe(0)
    }
    const { code, out } = await home.run(['logout', 'unset'])
    expect([code, out]).toEqual([0, expect.stringContaining(`and revoked at ${warder.issuer}.`)])
    expect(await tokensOf()).toBeUndefined()
  })

  test('logout --all --profile ends those of one profile', async () => {
    const env = await desktop()
    for (const profile of ['default', 'work'])
      await home.run(['login', warder.endpoint, '--profile', profile], { env })
    const nobody = await home.run(['logout', '--all', '--profile', 'home'])
    expect([nobody.code, nobody.out]).toEqual([0, 'You are signed in nowhere with the profile home.\n'])
    const { out } = await home.run(['logout', '--all', '--profile', 'work', '--json'])
    expect(JSON.parse(out)).toMatchObject([{ profile: 'work', signed_in: true }])
    const left = JSON.parse((await home.run(['status', '--json'])).out)
    expect(left).toMatchObject([{ profile: 'default', signed_in: true }])
  })

  test('logout --all ends every one', async () => {
    const env = await desktop()
    for (const profile of ['home', 'work'])
      await home.run(['login', warder.endpoint, '--profile', profile], { env })
    const { out } = await home.run(['logout', '--all', '--json'])
    expect(JSON.parse(out)).toMatchObject([{ revocation: { refreshToken: 'revoked' } }, { signed_in: true }])
    expect((await home.run(['status'])).out).toContain('You are signed in nowhere')
    expect((await home.run(['logout', '--all'])).out).toContain('You are signed in nowhere')
  })
})

describe('what goes wrong is said in words', () => {
  test.each([
    ['a server that nobody answers for', ['login', 'http://127.0.0.1:1/mcp'], 4, 'nothing listens there'],
    ['an address without its scheme', ['login', 'notes.example.com/mcp'], 2, 'warder add'],
    ['no server', ['login'], 2, 'say where to sign in'],
    [
      'two ways at once',
      ['login', 'http://127.0.0.1:1/mcp', '--device', '--no-browser'],
      2,
      'exclude each other',
    ],
    [
      'a port that is none',
      ['login', 'http://127.0.0.1:1/mcp', '--callback-port', '80'],
      2,
      'from 1024 to 65535',
    ],
    ['a profile that is none', ['status', '--profile', '../x'], 2, 'a short name'],
    [
      'a store in memory',
      ['login', 'http://127.0.0.1:1/mcp', '--store', 'memory'],
      2,
      'would end with this command',
    ],
    ['--resume of nothing', ['login', 'http://127.0.0.1:1/mcp', '--resume', 'abc'], 1, 'no such sign-in'],
    [
      'a secret without a client',
      ['login', 'http://127.0.0.1:1/mcp', '--client-secret-stdin'],
      2,
      'needs a --client-id',
    ],
  ])('%s', async (_name, args, code, words) => {
    const ended = await home.run(args, { env: await desktop() })
    expect([ended.code, ended.out, browser?.visited]).toEqual([code, '', []])
    expect(ended.err).toContain(words)
    expect(ended.err).not.toContain('    at ')
  })

  test('a person who says no', async () => {
    const command = home.start(['login', warder.endpoint, '--no-browser'])
    const url = await shownBy(command)
    const answer = new URL(url.searchParams.get('redirect_uri') ?? '')
    const said = { error: 'access_denied', error_description: 'no\u001b[2J thanks', iss: warder.issuer }
    answer.search = String(new URLSearchParams({ ...said, state: url.searchParams.get('state') ?? '' }))
    const page = await fetch(answer)
    expect(await page.text()).not.toContain('thanks')
    const { code, err } = await command.ended
    expect([code, err]).toEqual([1, expect.stringContaining('The authorization server did not sign you in.')])
    expect(err).not.toContain('\u001b')
  })

  test('nobody who comes', async () => {
    const { code, err } = await home.run([
      'login',
      warder.endpoint,
      '--print-handoff',
      '--wait',
      '--timeout',
      '1',
    ])
    expect([code, err]).toEqual([1, expect.stringContaining('Nobody finished the sign-in in time.')])
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
