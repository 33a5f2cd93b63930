import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  readServerEntry,
  readTokens,
  type ServerEntry,
  serverName,
  type TokenSet,
  tokenName,
  writeTokens,
} from '@warder/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Finding } from '../../apps/cli/src/doctor/finding.ts'
import { type HostileServer, startHostileServer } from '../../apps/cli/src/hostile/hostile-server.ts'
import { traps } from '../../apps/cli/src/hostile/traps/index.ts'
import {
  clientKey,
  clientSecret,
  type ProtectedServer,
  startProtectedServer,
} from '../../packages/client/test/ways/protected-server.ts'
import { startFakeBrowser } from '../clients/fake-browser.ts'
import { createLoginHome, type LoginHome } from '../clients/login-program.ts'
import { startWarderForClients, type WarderForClients } from '../clients/warder-for-clients.ts'

let warder: WarderForClients
let hostile: HostileServer
let home: LoginHome

beforeAll(async () => {
  warder = await startWarderForClients()
  hostile = await startHostileServer({ traps })
})
afterAll(async () => {
  await hostile?.stop()
  await warder?.end()
})
beforeEach(() => {
  home = createLoginHome()
})
afterEach(() => home.end())

interface Report {
  readonly exitCode: number
  readonly findings: readonly Finding[]
}

async function examine(
  url: string,
  ...more: readonly string[]
): Promise<Report & { readonly code: number | null }> {
  const { code, out, err } = await home.run(['doctor', url, '--json', ...more])
  expect(err).not.toContain('unexpected')
  return { ...(JSON.parse(out) as Report), code }
}

const badOf = ({ findings }: Report): readonly string[] =>
  findings.filter(({ outcome }) => outcome === 'bad').map(({ check }) => check)

const trapAt = (name: string): string => {
  const trap = traps.find((one) => one.name === name)
  if (trap === undefined) throw new Error(`there is no trap ${name}`)
  return hostile.placeOf(trap).resource
}

/** Signs in by a browser whose person says yes. */
async function signIn(): Promise<void> {
  const browser = await startFakeBrowser(home.directory, async (link) => {
    const started = await fetch(link, { redirect: 'manual' })
    await warder.follow(new URL(started.headers.get('location') ?? ''))
  })
  const env = { PATH: browser.env['PATH'] ?? '', DISPLAY: ':0' }
  expect((await home.run(['login', warder.endpoint], { env })).code).toBe(0)
  browser.close()
}

describe('warder doctor', () => {
  test('finds nothing wrong with a protected server, but that nobody is signed in (exit code 3)', async () => {
    const report = await examine(warder.endpoint)
    expect([report.code, badOf(report)]).toEqual([3, ['signed in']])
    const five = report.findings.filter(({ group }) => group === 'the five things')
    expect(five.map(({ outcome }) => outcome)).toEqual(['good', 'good', 'good', 'good', 'good'])
  })

  test('after a sign-in all is well (0): token, client and server agree', async () => {
    await signIn()
    const report = await examine(warder.endpoint)
    expect([report.code, badOf(report)]).toEqual([0, []])
    const checks = report.findings.filter(({ group }) => group === 'your sign-in')
    expect(checks.map(({ check, outcome }) => [check, outcome])).toEqual([
      ['where', 'good'],
      ['token', 'good'],
      ['refresh', 'good'],
      ['client', 'good'],
      ['accepted', 'good'],
    ])
  })

  test('a token that the server does not take is found, and what to do', async () => {
    await signIn()
    const store = await home.openStore()
    const entry = await readServerEntry(store, serverName({ server: warder.endpoint, profile: 'default' }))
    if (entry === undefined) throw new Error('no entry')
    const tokens = await readTokens(store, tokenName(entry))
    if (tokens === undefined) throw new Error('no tokens')
    await writeTokens(store, tokenName(entry), { ...tokens, accessToken: 'opaque-and-unknown' })
    const report = await examine(warder.endpoint)
    expect([report.code, badOf(report)]).toEqual([1, ['accepted']])
    expect(report.findings.at(-1)?.fix).toContain('warder login')
  })

  test('nothing there: exit code 4, and in words', async () => {
    const { code, out } = await home.run(['doctor', 'http://127.0.0.1:9/mcp'])
    expect(code).toBe(4)
    expect(out).toContain('✗ connection: nothing listens there')
    expect(out).toContain('→ start the server, or check the port')
  })

  test('Q03 Q05 Q06 Q07 dishonest discovery is named; the honest twin has none of it', async () => {
    const wrong: Readonly<Record<string, readonly string[]>> = {
      honest: ['signed in'],
      'issuer-differs': ['result', '1. an authorization server', 'signed in'],
      'other-resource': ['result', '1. an authorization server', 'signed in'],
      'metadata-redirects': ['result', '1. an authorization server', 'signed in'],
      'no-pkce': ['1. an authorization server', 'signed in'],
      'page-javascript': ['result', '1. an authorization server', 'signed in'],
    }
    for (const [name, expected] of Object.entries(wrong)) {
      const report = await examine(trapAt(name))
      expect([name, badOf(report)]).toEqual([name, expected])
      expect(report.code).toBe(name === 'honest' ? 3 : 1)
    }
  })

  test('a server that lets everybody in, with a clock of its own', async () => {
    const open = createServer((_, res) => {
      res.sendDate = false
      res.writeHead(200, { date: new Date(Date.now() - 3_600_000).toUTCString() }).end('{}')
    })
    await new Promise<void>((resolve) => open.listen(0, '127.0.0.1', resolve))
    const report = await examine(`http://127.0.0.1:${(open.address() as AddressInfo).port}/mcp`)
    open.close()
    const found = new Map(report.findings.map(({ check, found }) => [check, found]))
    expect(found.get('2. a resource server')).toBe('everybody gets in: it answered without a token')
    expect(found.get('clock')).toMatch(/^the clock here is 3\d\d\d seconds ahead of the server's$/)
  })

  test('Q16 the bundle holds no secret, is for the user alone, and replaces nothing', async () => {
    await signIn()
    const store = await home.openStore()
    const entry = await readServerEntry(store, serverName({ server: warder.endpoint, profile: 'default' }))
    const tokens = entry && (await readTokens(store, tokenName(entry)))
    const file = join(home.directory, 'bundle.json')
    const { code } = await home.run([
      'doctor',
      `${warder.endpoint}?key=canary-in-the-query`,
      '--bundle',
      file,
    ])
    expect(code).not.toBe(70)
    const text = readFileSync(file, 'utf8')
    expect(JSON.parse(text)['server']).toBe(warder.endpoint)
    for (const secret of ['canary-in-the-query', tokens?.accessToken, tokens?.refreshToken]) {
      expect(secret).toBeDefined()
      expect(text).not.toContain(secret)
    }
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect((await home.run(['doctor', warder.endpoint, '--bundle', file])).code).toBe(2)
  })
})

/** Answers everybody in the same way, and only there. */
async function startDoor(status: number): Promise<{ readonly origin: string; end(): void }> {
  const door = createServer((_, res) => {
    res.writeHead(status).end('{}')
  })
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
    end: () => {
      door.closeAllConnections()
      door.close()
    },
  }
}

describe('Q16 what the doctor leaves out', () => {
  const key = 'NzI4ZjM0YmMtOTg3Ny00ZTEyLWE1YzItMWQ5ZjM0YmM5ODc3LTRlMTI'

  test('a key in the path of the address is not in the bundle, nor in the JSON', async () => {
    const door = await startDoor(401)
    const url = `${door.origin}/api/mcp/s/${key}/mcp`
    const file = join(home.directory, 'bundle.json')
    const { out } = await home.run(['doctor', url, '--json', '--bundle', file])
    door.end()
    const shown = `${door.origin}/api/mcp/s/…/mcp`
    expect(JSON.parse(readFileSync(file, 'utf8'))['server']).toBe(shown)
    expect(readFileSync(file, 'utf8')).not.toContain(key)
    const report = JSON.parse(out) as Report & { readonly server: string }
    expect(report.server).toBe(shown)
    expect(JSON.stringify(report.findings.map(({ found }) => found))).not.toContain(key)
  })

  test('what a variable holds in the address of an entry is shown nowhere', async () => {
    const door = await startDoor(401)
    const folder = join(home.env['HOME'] ?? '', '.config', 'warder')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const entry = { type: 'http', url: `${door.origin}/mcp?api_key=\${T_X}` }
    writeFileSync(join(folder, 'servers.json'), JSON.stringify({ mcpServers: { keyed: entry } }), {
      mode: 0o600,
    })
    const file = join(home.directory, 'bundle.json')
    const env = { T_X: 'canary-of-a-variable' }
    const inWords = await home.run(['doctor', 'keyed', '--bundle', file], { env })
    const asJson = await home.run(['doctor', 'keyed', '--json'], { env })
    door.end()
    expect(inWords.out).toContain('answers with 401')
    expect(JSON.parse(asJson.out)['server']).toBe(`${door.origin}/mcp`)
    for (const text of [inWords.out, inWords.err, asJson.out, asJson.err, readFileSync(file, 'utf8')])
      expect(text).not.toContain('canary')
  })
})

test('a proxy that Warder cannot speak to is a finding, without the password in it; a good one is none', async () => {
  const door = await startDoor(401)
  const url = `${door.origin}/mcp`
  const env = { ALL_PROXY: 'socks5://me:canary@127.0.0.1:1080' }
  const { code, out, err } = await home.run(['doctor', url], { env })
  expect([code, err]).toEqual([1, ''])
  expect(out).toContain('✗ network settings: ALL_PROXY is not the URL of an http or https proxy')
  expect(out).not.toContain('canary')
  const asJson = await home.run(['doctor', url, '--json'], { env })
  expect(badOf(JSON.parse(asJson.out) as Report)).toEqual(['network settings'])
  const twin = await home.run(['doctor', url], { env: { ALL_PROXY: 'http://me:canary@127.0.0.1:1080' } })
  door.end()
  expect(twin.out).not.toContain('network settings')
  expect(twin.out).toContain('answers with 401')
})

describe('a client that proves itself', () => {
  let server: ProtectedServer

  beforeAll(async () => {
    server = await startProtectedServer()
  })
  afterAll(() => server?.stop())

  const mine = async (): Promise<readonly (readonly string[])[]> => {
    const { findings } = await examine(server.url)
    const checks = findings.filter(({ group }) => group === 'your sign-in')
    return checks.map(({ check, outcome, found }) => [check, outcome, found])
  }

  /** Its access token ends now. */
  async function expire(): Promise<void> {
    const store = await home.openStore()
    const entry = (await readServerEntry(
      store,
      serverName({ server: server.url, profile: 'default' }),
    )) as ServerEntry
    const tokens = (await readTokens(store, tokenName(entry))) as TokenSet
    await writeTokens(store, tokenName(entry), { ...tokens, expiresAt: 1 })
  }

  test('CC-02 one with a secret is not called forgotten, and is renewed without anybody', async () => {
    const args = ['--client-credentials', '--client-id', 'basic', '--client-secret-stdin']
    const signedIn = await home.run(['login', server.url, ...args], { input: `${clientSecret}\n` })
    expect([signedIn.code, signedIn.err]).toEqual([0, ''])
    const asked = server.asked.length
    expect(await mine()).toEqual([
      ['where', 'good', expect.any(String)],
      ['token', 'good', 'its claims fit'],
      ['refresh', 'good', 'it is renewed without you, by the client itself'],
      ['client', 'skipped', expect.stringContaining('proves itself')],
      ['accepted', 'good', expect.any(String)],
    ])
    expect(server.asked.slice(asked)).not.toContain('/token')
    await expire()
    expect((await mine()).map(([check, outcome]) => [check, outcome])).toEqual([
      ['where', 'good'],
      ['token', 'good'],
      ['refresh', 'good'],
      ['client', 'skipped'],
      ['accepted', 'skipped'],
    ])
  })

  test('CC-02 one whose key is gone is told so; once its token has ended, that nothing renews it', async () => {
    const file = join(home.directory, 'client-key')
    writeFileSync(file, clientKey.privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 })
    const args = ['--client-credentials', '--client-id', 'keyed', '--private-key', file]
    expect((await home.run(['login', server.url, ...args])).code).toBe(0)
    expect(await mine()).toContainEqual([
      'refresh',
      'good',
      `it is renewed without you, by the client itself, with the key in ${file}`,
    ])
    rmSync(file)
    expect(await mine()).toContainEqual([
      'refresh',
      'note',
      `${file} is not there any more, and without it nothing is renewed`,
    ])
    await expire()
    expect((await mine()).at(-1)).toEqual(['accepted', 'bad', 'it has ended, and nothing renews it'])
  })
})
