import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type FakeBrowser, startFakeBrowser } from './fake-browser.ts'
import { startWarderForClients, type WarderForClients } from './warder-for-clients.ts'

const program = join(import.meta.dirname, '..', '..', 'node_modules', 'mcp-remote', 'dist', 'proxy.js')

/** A host that knows only stdio servers, with mcp-remote as one of them. */
interface Bridged {
  readonly client: Client
  /** What mcp-remote wrote to standard error. */
  said(): string
}

describe('mcp-remote as the bridge of a host that knows only stdio servers', () => {
  let warder: WarderForClients
  let browser: FakeBrowser
  let switchOn: readonly string[] = []
  const running: Client[] = []

  beforeAll(async () => {
    warder = await startWarderForClients()
    browser = await startFakeBrowser(warder.directory, (url) => warder.follow(url, switchOn))
  })

  afterEach(async () => {
    await Promise.all(running.splice(0).map((client) => client.close()))
    expect(browser.failures).toEqual([])
  })

  afterAll(async () => {
    browser?.close()
    await warder?.end()
  })

  const start = async (home: string, ...args: string[]): Promise<Bridged> => {
    const directory = join(warder.directory, home)
    mkdirSync(directory, { recursive: true })
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [program, warder.endpoint, '--auth-timeout', '60', ...args],
      env: { ...browser.env, HOME: directory, MCP_REMOTE_CONFIG_DIR: directory },
      stderr: 'pipe',
    })
    let said = ''
    transport.stderr?.on('data', (chunk) => (said += chunk))
    const client = new Client({ name: 'host', version: '1' })
    running.push(client)
    await client.connect(transport)
    return { client, said: () => said }
  }

  const storedFile = (home: string, name: string): string => {
    const files = readdirSync(join(warder.directory, home), { recursive: true, encoding: 'utf8' })
    return join(warder.directory, home, files.find((file) => file.endsWith(`_${name}`)) ?? name)
  }
  const stored = (home: string, name: string): Record<string, unknown> =>
    JSON.parse(readFileSync(storedFile(home, name), 'utf8'))

  /** The next start finds an access token that is over. */
  const age = (home: string): void =>
    writeFileSync(
      storedFile(home, 'tokens.json'),
      JSON.stringify({ ...stored(home, 'tokens.json'), expires_at: 1 }),
    )

  const echo = async ({ client }: Bridged): Promise<string> =>
    JSON.stringify(await client.callTool({ name: 'echo', arguments: { message: 'hello' } }))

  test('initialize → sign-in → tools/list → tools/call', async () => {
    const bridged = await start('one')
    expect(browser.visited).toHaveLength(1)
    const asked = browser.visited[0]?.searchParams
    expect(asked?.get('resource')).toBe(warder.endpoint)
    expect(asked?.get('scope')).toBe('everything:read')
    const { tools } = await bridged.client.listTools()
    expect(tools.map(({ name }) => name).sort()).toEqual(['echo', 'get-env', 'get-sum'])
    expect(await echo(bridged)).toContain('hello')
  })

  test('a second start uses the stored tokens; an aged one is refreshed without the person', async () => {
    expect(await echo(await start('one'))).toContain('hello')
    const before = stored('one', 'tokens.json')
    age('one')
    expect(await echo(await start('one'))).toContain('hello')
    expect(stored('one', 'tokens.json')['refresh_token']).not.toBe(before['refresh_token'])
    expect(browser.visited).toHaveLength(1)
  })

  test('RS-21 a call that was not granted takes the person to a wider consent, and then works', async () => {
    const { client } = await start('one')
    switchOn = ['everything:env']
    const result = await client.callTool({ name: 'get-env', arguments: {} })
    expect(JSON.stringify(result)).toContain('PATH')
    expect(browser.visited).toHaveLength(2)
    expect(browser.visited[1]?.searchParams.get('scope')?.split(' ').sort()).toEqual([
      'everything:env',
      'everything:read',
    ])
    switchOn = []
  })

  test('a tool that the policy hides is unknown, and nobody is asked for anything', async () => {
    const { client } = await start('one')
    await expect(client.callTool({ name: 'toggle-simulated-logging', arguments: {} })).rejects.toThrow(
      /Unknown tool/,
    )
    expect(browser.visited).toHaveLength(2)
  })

  test('two at once with aged tokens: both work, and nobody has to sign in again', async () => {
    age('one')
    const both = await Promise.all([start('one'), start('one')])
    for (const bridged of both) expect(await echo(bridged)).toContain('hello')
    age('one')
    expect(await echo(await start('one'))).toContain('hello')
    expect(browser.visited).toHaveLength(2)
  })

  test('two at once without tokens: one sign-in is enough for both', async () => {
    const both = await Promise.all([start('two'), start('two')])
    for (const bridged of both) expect(await echo(bridged)).toContain('hello')
    expect(browser.visited).toHaveLength(3)
  })

  test('a registration that Warder does not know any more: one start fails, and the next one registers again', async () => {
    const unknown = 'wcl_AAAAAAAAAAAAAAAAAAAAAA'
    writeFileSync(
      storedFile('two', 'client_info.json'),
      JSON.stringify({ ...stored('two', 'client_info.json'), client_id: unknown }),
    )
    rmSync(storedFile('two', 'tokens.json'))
    // It sees `invalid_client` before it opens the browser and registers again, but then waits for a sign-in that it never began.
    const waiting = expect(start('two')).rejects.toThrow()
    await expect
      .poll(() => existsSync(storedFile('two', 'client_info.json')) && stored('two', 'client_info.json'), {
        timeout: 30_000,
      })
      .toMatchObject({ client_id: expect.not.stringMatching(unknown) })
    await running.pop()?.close()
    await waiting
    expect(browser.visited).toHaveLength(3)
    expect(await echo(await start('two'))).toContain('hello')
    expect(browser.visited).toHaveLength(4)
  })

  test('in front of a host of 2025-11-25 it speaks 2026-07-28 when it is told to', async () => {
    const bridged = await start('two', '--protocol', 'auto')
    expect(bridged.said()).toContain('speaks MCP 2026-07-28')
    expect((await bridged.client.listTools()).tools.map(({ name }) => name)).toContain('echo')
    expect(await echo(bridged)).toContain('hello')
    expect(browser.visited).toHaveLength(4)
  })
})
