import { once } from 'node:events'
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import {
  providerTokenName,
  readServerEntry,
  readTokens,
  serverName,
  type TokenSet,
  tokenName,
} from '@warder/client'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  clientKey,
  type ProtectedServer,
  startProtectedServer,
} from '../../packages/client/test/ways/protected-server.ts'
import { startHost, startProcess } from '../connect/hosted-bridge.ts'
import { warderProgram } from '../e2e/warder-process.ts'
import { childrenOf } from '../hosting/processes.ts'
import { type FakeBrowser, startFakeBrowser } from './fake-browser.ts'
import { createLoginHome, type EndedCommand, type LoginHome } from './login-program.ts'
import { atIdp, atServer, type Form, type Organisation, startOrganisation } from './organisation.ts'

let home: LoginHome

beforeEach(() => {
  home = createLoginHome()
})

afterEach(() => home.end())

/** A file of the user's. */
function put(name: string, text: string, mode = 0o600): string {
  const file = join(home.directory, name)
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}

async function tokensOf(server: string): Promise<TokenSet | undefined> {
  const store = await home.openStore()
  const entry = await readServerEntry(store, serverName({ server, profile: 'default' }))
  return entry && (await readTokens(store, tokenName(entry)))
}

/** Everything that is stored, in the clear. */
async function recordsOf(): Promise<readonly (string | undefined)[]> {
  const store = await home.openStore()
  return Promise.all((await store.list()).map((name) => store.read(name)))
}

/** Stored tokens end now. */
async function expire(which: (record: Readonly<Record<string, unknown>>) => boolean): Promise<void> {
  const store = await home.openStore()
  for (const name of (await store.list()).filter((one) => one.startsWith('tokens-'))) {
    const record = JSON.parse((await store.read(name)) ?? '{}')
    if (which(record)) await store.write(name, JSON.stringify({ ...record, expiresAt: 1 }))
  }
}

const initialize = {
  ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'host', version: '1' } },
}

/** `warder connect` in the same home as the sign-in. */
const connectTo = (...args: readonly string[]) => ({
  command: process.execPath,
  args: [...warderProgram, 'connect', ...args],
  env: { ...home.env },
})

/** Whoever writes into the home has to be gone before it is removed. */
async function end({ child }: ReturnType<typeof startProcess>): Promise<void> {
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

/** What the one tool answers, or why it does not. */
async function whoami(url: string): Promise<string> {
  const { client } = await startHost(connectTo(url), 'session')
  try {
    return JSON.stringify(await client.callTool({ name: 'whoami', arguments: {} }))
  } catch (error) {
    return String(error)
  } finally {
    await client.close()
  }
}

const quiet = ({ code, err }: EndedCommand): readonly unknown[] => [code, err]

describe('warder login with a private key', () => {
  let server: ProtectedServer
  const pem = clientKey.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  const jwk = JSON.stringify(clientKey.privateKey.export({ format: 'jwk' }))
  // As a JWK and as PEM.
  const parts = [clientKey.privateKey.export({ format: 'jwk' }).d ?? '', pem.split('\n')[1] ?? '']
  const withoutKey = (text: string): void => expect(parts.filter((part) => text.includes(part))).toEqual([])
  const login = (...args: readonly string[]): readonly string[] => [
    ...['login', server.url, '--client-credentials', '--client-id', 'keyed'],
    ...args,
  ]

  beforeAll(async () => {
    server = await startProtectedServer({ dpop: true })
  })
  afterAll(() => server?.stop())

  test.each([
    ['PEM', pem],
    ['JWK', jwk],
  ])(
    'CC-02 a key in %s, in a file that only the user can read; the next time it is found again',
    async (_, text) => {
      const file = put('client-key', text)
      const first = await home.run(login('--private-key', file))
      expect(quiet(first)).toEqual([0, ''])
      expect(first.out).toContain(`by         the client itself, with the key in ${file}\n`)
      expect(first.out).toContain('it is renewed without you')
      const before = (await tokensOf(server.url))?.accessToken
      const second = await home.run(['login', server.url])
      expect([second.code, second.err]).toEqual([
        0,
        expect.stringContaining(`key in ${file}, as the last time.`),
      ])
      const after = (await tokensOf(server.url))?.accessToken
      expect(after).not.toBe(before)
      await expire((record) => record['accessToken'] === after)
      const bridge = startProcess(connectTo(server.url))
      bridge.write(initialize)
      await expect
        .poll(async () => (await tokensOf(server.url))?.accessToken, { timeout: 20_000 })
        .not.toBe(after)
      await end(bridge)
      const store = await home.openStore()
      const records = await Promise.all((await store.list()).map((name) => store.read(name)))
      const secret = clientKey.privateKey.export({ format: 'jwk' }).d ?? 'none'
      expect(records.join() + first.out + second.out + second.err).not.toContain(secret)
    },
  )

  test.each([
    ['that others can read', 0o644],
    ['that the group can read', 0o640],
  ])('CC-07 a key %s is refused, and nothing is asked for', async (_, mode) => {
    const asked = server.asked.length
    const file = put('client-key', pem, mode)
    const { code, err } = await home.run(login('--private-key', file))
    expect([code, err]).toEqual([1, expect.stringContaining(`chmod 600 ${file}`)])
    expect(server.asked.slice(asked)).not.toContain('/token')
  })

  test('CC-07 a key signs nothing for a client that a configuration file names', async () => {
    expect((await home.run(login('--private-key', put('client-key', pem)))).code).toBe(0)
    const asked = server.asked.length
    const directory = home.env['HOME'] ?? ''
    const trusted = { hasTrustDialogAccepted: true, enabledMcpjsonServers: ['notes'] }
    writeFileSync(join(directory, '.claude.json'), JSON.stringify({ projects: { [directory]: trusted } }))
    for (const [clientId, code] of [
      ['another', 1],
      ['keyed', 0],
    ] as const) {
      const named = { notes: { type: 'http', url: server.url, oauth: { clientId } } }
      writeFileSync(join(directory, '.mcp.json'), JSON.stringify({ mcpServers: named }))
      const ended = await home.run(['login', 'notes'])
      expect([clientId, ended.code, ended.err]).toEqual([clientId, code, expect.any(String)])
      expect(server.asked.slice(asked).includes('/token')).toBe(code === 0)
    }
  })

  test('a key that is gone, and one that is none, are told in words', async () => {
    const file = put('client-key', pem)
    expect((await home.run(login('--private-key', file))).code).toBe(0)
    rmSync(file)
    const bridge = startProcess(connectTo(server.url))
    bridge.write(initialize)
    await expect.poll(bridge.err, { timeout: 20_000 }).toContain(`there is no file ${file}`)
    await end(bridge)
    const gone = await home.run(['login', server.url])
    expect([gone.code, gone.err]).toEqual([1, expect.stringContaining(`there is no file ${file}`)])
    const { out } = await home.run(['status'])
    expect(out).toContain(`${file}, which is not there any more`)
    const none = await home.run(login('--private-key', put('other', 'canary, no key')))
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('neither PEM nor JWK')])
    expect(none.err).not.toContain('canary')
    // Without the key nothing can be revoked, but all is deleted.
    expect((await home.run(['logout', server.url])).out).toContain('its credentials are deleted here')
    expect(await tokensOf(server.url)).toBeUndefined()
  })

  test.each([
    ['always', 'DPoP'],
    ['auto', 'DPoP'],
    ['never', 'Bearer'],
  ])('--dpop %s: the token is a %s one, and warder connect sends it so', async (mode, type) => {
    const args = login('--private-key', put('client-key', pem), '--dpop', mode)
    expect(quiet(await home.run(args))).toEqual([0, ''])
    expect((await tokensOf(server.url))?.tokenType).toBe(type)
    const seen = server.schemes.length
    const bridge = startProcess(connectTo(server.url))
    bridge.write(initialize)
    await expect.poll(() => server.schemes.slice(seen), { timeout: 20_000 }).toContain(type)
    expect(server.schemes.slice(seen)).not.toContain(type === 'DPoP' ? 'Bearer' : 'DPoP')
    await end(bridge)
  })

  test('a client with a key that signs a person in: the key is never kept, and is there for each refresh', async () => {
    const port = 20_000 + (process.pid % 20_000)
    const jwks = { keys: [{ ...clientKey.publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }] }
    const answer = await fetch(`${server.issuer}/reg`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        application_type: 'native',
        redirect_uris: [`http://localhost:${port}/callback`],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'private_key_jwt',
        jwks,
      }),
    })
    const { client_id: clientId } = (await answer.json()) as { client_id: string }
    const file = put('client-key', pem)
    const begun = await home.run([
      ...['login', server.url, `--client-id=${clientId}`, '--callback-port', String(port)],
      ...['--private-key', file, '--print-handoff'],
    ])
    expect(begun.code, begun.err).toBe(3)
    const line = JSON.parse(begun.err)
    withoutKey((await recordsOf()).join())
    const back = await server.follow(line.authorization_url)
    const ended = await home.run(line.resume.split(' ').slice(1), { input: `${back}\n` })
    expect([ended.code, ended.out], ended.err).toEqual([
      0,
      expect.stringContaining('it is renewed without you'),
    ])
    const before = await tokensOf(server.url)
    await expire((record) => record['accessToken'] === before?.accessToken)
    const bridge = startProcess(connectTo(server.url))
    bridge.write(initialize)
    await expect
      .poll(async () => (await tokensOf(server.url))?.refreshToken, { timeout: 20_000 })
      .not.toBe(before?.refreshToken)
    await end(bridge)
    withoutKey((await recordsOf()).join())
    expect((await home.run(['logout', server.url])).out).toContain('the refresh token is revoked')
  })

  test('what does not go together is told, before anything is asked', async () => {
    const asked = server.asked.length
    const { code, err } = await home.run(['login', server.url, '--key-id', 'one'])
    expect([code, err]).toEqual([2, 'warder: --key-id needs --private-key.\n'])
    expect(server.asked).toHaveLength(asked)
  })
})

describe('in an organisation', () => {
  let org: Organisation
  let from: number

  beforeAll(async () => {
    org = await startOrganisation()
  })
  afterAll(() => org?.stop())
  beforeEach(() => {
    from = org.forms.length
  })

  const first = (): string => org.servers[0]?.url ?? ''
  const second = (): string => org.servers[1]?.url ?? ''
  const issuer = (): string => org.servers[0]?.issuer ?? ''
  const formsAt = (at: string): readonly Form[] => org.forms.slice(from).filter((form) => form.at === at)

  describe('warder login as a workload', () => {
    test('WI-01 the JWT of the file, and no client; each time what the file holds then', async () => {
      const file = put('token', await org.workloadToken(issuer()), 0o644)
      const signedIn = await home.run(['login', first(), '--workload-token-file', file])
      expect(quiet(signedIn)).toEqual([0, ''])
      expect(signedIn.out).toContain(`the token of this workload in ${file}\n`)
      expect(
        formsAt(issuer()).map(({ fields, authorization }) => [fields['client_id'], authorization]),
      ).toEqual([[undefined, undefined]])
      put('token', await org.workloadToken(issuer(), 'another-job'), 0o644)
      expect(await whoami(first())).toContain('you are job')
      org.endAccess()
      expect(await whoami(first())).toContain('you are another-job')
    })

    test('WARDER_WORKLOAD_TOKEN_FILE is enough, also for warder connect alone', async () => {
      const file = put('token', await org.workloadToken(issuer()))
      const started = connectTo(first())
      const env = { ...started.env, WARDER_WORKLOAD_TOKEN_FILE: file }
      const { client } = await startHost({ ...started, env }, 'session')
      expect(JSON.stringify(await client.callTool({ name: 'whoami', arguments: {} }))).toContain(
        'you are job',
      )
      await client.close()
    })

    test('a file that is gone is named by login, by connect and by status', async () => {
      const file = put('token', await org.workloadToken(issuer()))
      await home.run(['login', first(), '--workload-token-file', file])
      rmSync(file)
      org.endAccess()
      expect(await whoami(first())).toContain(`${file} cannot be read`)
      const { code, err } = await home.run(['login', first()])
      expect([code, err]).toEqual([1, expect.stringContaining(`${file} cannot be read`)])
      expect((await home.run(['status'])).out).toContain(`${file}, which is not there any more`)
    })

    test('a JWT for another server is not sent', async () => {
      const file = put('token', await org.workloadToken('https://other.example.com'))
      const { code, err } = await home.run(['login', first(), '--workload-token-file', file])
      expect([code, err]).toEqual([1, expect.stringContaining(`it is not meant for ${issuer()}`)])
      expect(formsAt(issuer())).toEqual([])
    })
  })

  describe('warder login by exchange', () => {
    test('the token goes to the issuer that was named, with what it is; connect does it again', async () => {
      const file = put('token', await org.workloadToken('https://anything.example.com'))
      const args = ['--exchange', '--subject-token-file', file, '--subject-token-type', 'jwt']
      const signedIn = await home.run(['login', first(), ...args, '--issuer', issuer()])
      expect(quiet(signedIn)).toEqual([0, ''])
      expect(formsAt(issuer())[0]?.fields).toMatchObject({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        resource: first(),
      })
      org.endAccess()
      expect(await whoami(first())).toContain('you are job')
    })

    test('another authorization server never sees it', async () => {
      const file = put('token', await org.workloadToken(issuer()))
      const args = ['--exchange', '--subject-token-file', file, '--issuer', 'https://as.example.com']
      const { code, err } = await home.run(['login', first(), ...args])
      expect([code, err]).toEqual([1, expect.stringContaining(`the server names ${issuer()} as its`)])
      expect(formsAt(issuer())).toEqual([])
    })
  })

  describe('warder login by the identity provider', () => {
    let browser: FakeBrowser
    const seen = { commandLines: '', environments: '', children: 0 }
    const said: string[] = []

    beforeEach(async () => {
      browser = await startFakeBrowser(home.directory, async (link) => {
        const started = await fetch(link, { redirect: 'manual' })
        await fetch(started.headers.get('location') ?? '')
      })
    })
    afterEach(() => browser.close())

    const env = (): Record<string, string> => ({
      PATH: browser.env['PATH'] ?? '',
      DISPLAY: ':0',
      MCP_CLIENT_SECRET: atServer.secret,
    })
    const enterprise = ['--enterprise', '--client-id', atServer.id]
    const firstTime = (): string[] => [
      ...['login', first(), ...enterprise, '--idp', org.idp],
      ...['--idp-client-id', atIdp.id, '--idp-client-secret-stdin'],
    ]

    /** Runs a command and looks at its children, as anybody on the computer can. */
    async function run(args: readonly string[], more: object = {}, input = ''): Promise<EndedCommand> {
      const command = home.start(args, { env: { ...env(), ...more }, input })
      const looks = setInterval(() => look(command.pid), 5)
      const ended = await command.ended
      clearInterval(looks)
      said.push(ended.out + ended.err)
      return ended
    }

    function look(pid: number): void {
      const own = read(pid, 'cmdline')
      seen.commandLines += own
      for (const child of childrenOf(pid)) {
        const words = read(child.pid, 'cmdline')
        // Between fork and exec a child is a copy of its parent.
        if (words === own || words === '') continue
        seen.children++
        seen.commandLines += words
        seen.environments += read(child.pid, 'environ')
      }
    }

    test('EM-01 EM-03 EM-04 EM-11 EM-30 one page for all servers; connect goes on by itself; --all forgets it', async () => {
      const begun = await run(firstTime(), {}, `${atIdp.secret}\n`)
      expect([begun.code, browser.failures], begun.err).toEqual([0, []])
      expect(begun.out).toContain(`the identity provider of your organisation, ${org.idp}\n`)
      expect(browser.visited).toHaveLength(1)
      const exchange = formsAt(org.idp).at(-1)?.fields
      expect(exchange).toMatchObject({
        requested_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
        subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
        audience: issuer(),
        resource: first(),
      })

      const next = await run(['login', second(), ...enterprise])
      expect(quiet(next)).toEqual([0, ''])
      expect([browser.visited.length, decodeJwt(exchange?.['subject_token'] ?? '').aud]).toEqual([
        1,
        atIdp.id,
      ])

      org.endAccess()
      expect(await whoami(second())).toContain('you are alice')

      const { out } = await run(['status'])
      expect(out).toContain(`${org.idp} (identity provider)\n`)
      expect(out).toContain('alice@example.com')
      const listed: readonly Record<string, unknown>[] = JSON.parse((await run(['status', '--json'])).out)
      expect(listed).toHaveLength(3)
      expect(listed.find((one) => one['server'] === undefined)).toMatchObject({
        identity_provider: org.idp,
        signed_in: true,
      })
      expect(listed.find((one) => one['server'] === second())).toMatchObject({
        signed_in: true,
        way: 'enterprise',
        identity_provider: org.idp,
      })

      const ended = await run(['logout', '--all'])
      expect(ended.out).toContain(`You are signed out of ${org.idp}`)
      expect(formsAt(org.idp).some(({ path }) => path === '/revoke')).toBe(true)
      expect((await run(['status'])).out).toContain('You are signed in nowhere')
      const again = await run(['login', second(), ...enterprise])
      expect([again.code, again.err]).toEqual([2, expect.stringContaining('the first time')])
      expect((await recordsOf()).join()).not.toMatch(/canary-(idp|refresh|access)/)
    })

    test('--all with a profile forgets the provider of that profile alone', async () => {
      const secret = `${atIdp.secret}\n`
      expect((await run(firstTime(), {}, secret)).code).toBe(0)
      expect((await run([...firstTime(), '--profile', 'work'], {}, secret)).code).toBe(0)
      const ended = await run(['logout', '--all', '--profile', 'work', '--json'])
      expect(JSON.parse(ended.out)).toMatchObject([
        { server: first(), profile: 'work', signed_in: true },
        { server: org.idp, profile: 'work', signed_in: true },
      ])
      const left: readonly object[] = JSON.parse((await run(['status', '--json'])).out)
      expect(left).toMatchObject([
        { server: first(), profile: 'default', signed_in: true },
        { identity_provider: org.idp, profile: 'default', signed_in: true },
      ])
      const again = await run(['login', first(), ...enterprise, '--profile', 'work'])
      expect([again.code, again.err]).toEqual([2, expect.stringContaining('the first time')])
    })

    test('a sign-in at the provider that was damaged is told by status, and --all deletes it', async () => {
      expect((await run(firstTime(), {}, `${atIdp.secret}\n`)).code).toBe(0)
      const of = { issuer: org.idp, client: { clientId: atIdp.id }, profile: 'default' }
      const files = readdirSync(home.directory, { recursive: true, encoding: 'utf8' })
      const record = files.find((file) => basename(file).startsWith(providerTokenName(of))) ?? 'none'
      const place = join(home.directory, record)
      writeFileSync(place, `${readFileSync(place, 'utf8').slice(0, -8)}AAAAAAA=`)
      const status = await run(['status'])
      expect(status.code).toBe(1)
      expect(status.err).toContain(`${org.idp} (profile default): `)
      const ended = await run(['logout', '--all'])
      expect([ended.code, ended.err]).toEqual([0, ''])
      expect(ended.out).toContain(
        `You are signed out of ${org.idp}: its credentials are deleted here. They were NOT`,
      )
      const nowhere = await run(['status'])
      expect([nowhere.code, nowhere.out]).toEqual([0, expect.stringContaining('You are signed in nowhere')])
    })

    test('where nobody can be shown a page, that is said, with exit code 3; nothing is kept', async () => {
      const { code, err } = await run(firstTime(), { DISPLAY: '' }, `${atIdp.secret}\n`)
      expect([code, err]).toEqual([3, expect.stringContaining('no browser can be opened here')])
      expect(await (await home.openStore()).list()).toEqual([])
    })

    test('EM-04 a wrong secret at the provider is refused, and the right one stays', async () => {
      expect((await run(firstTime(), {}, `${atIdp.secret}\n`)).code).toBe(0)
      await run(['logout', first()])
      const wrong = await run(firstTime(), {}, 'canary-wrong\n')
      const words = `at your identity provider, ${org.idp}: the authorization server answered invalid_client`
      expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining(words)])
      expect((await run(['login', first(), ...enterprise])).code).toBe(0)
    })

    test('when the session at the provider has ended, connect says where to sign in again', async () => {
      expect((await run(firstTime(), {}, `${atIdp.secret}\n`)).code).toBe(0)
      org.endAccess()
      org.endSessions()
      await expire((record) => record['idToken'] !== undefined)
      const bridge = startProcess(connectTo(first()))
      bridge.write(initialize)
      bridge.write({ jsonrpc: '2.0', id: 2, method: 'tools/list' })
      await expect.poll(bridge.err, { timeout: 20_000 }).toContain('auth_required')
      const line =
        bridge
          .err()
          .split('\n')
          .find((one) => one.startsWith('{')) ?? ''
      expect(JSON.parse(line)).toMatchObject({ server: first(), resume: `warder login ${first()}` })
      await expect.poll(() => bridge.child.exitCode, { timeout: 20_000 }).toBe(3)
      const before = browser.visited.length
      const again = await run(['login', first()])
      expect([again.code, browser.visited.length]).toEqual([0, before + 1])
    })

    test('Q16 EM-20 no secret was in a command line, in the environment of a child, or said', () => {
      expect(seen.children).toBeGreaterThan(0)
      expect(seen.environments).toContain('DISPLAY=:0')
      for (const text of [seen.commandLines, seen.environments, said.join()])
        expect(/canary|eyJ[\w-]+\.eyJ/.exec(text)?.[0]).toBeUndefined()
    })
  })
})

function read(pid: number, what: string): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'latin1')
  } catch {
    return ''
  }
}
