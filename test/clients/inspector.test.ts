import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type FakeBrowser, startFakeBrowser } from './fake-browser.ts'
import { startWarderForClients, type WarderForClients } from './warder-for-clients.ts'

const program = join(
  import.meta.dirname,
  '../../node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
)

interface Answer {
  readonly code: number | null
  /** What stands in the JSON that it printed, if it printed any. */
  readonly result: unknown
  readonly said: string
}

describe('the command line of the MCP Inspector', () => {
  let warder: WarderForClients
  let browser: FakeBrowser
  let switchOn: readonly string[] = []
  let callbackUrl: string
  let config: string
  let home: string

  beforeAll(async () => {
    warder = await startWarderForClients()
    browser = await startFakeBrowser(warder.directory, (url) => warder.follow(url, switchOn))
    callbackUrl = `http://127.0.0.1:${await freePort()}/oauth/callback`
    home = join(warder.directory, 'home')
    mkdirSync(home)
    config = join(warder.directory, 'mcp.json')
    writeFileSync(
      config,
      JSON.stringify({
        mcpServers: {
          everything: { type: 'streamable-http', url: warder.endpoint, oauth: { scopes: 'everything:read' } },
        },
      }),
    )
  })

  afterEach(() => expect(browser.failures).toEqual([]))

  afterAll(async () => {
    browser?.close()
    await warder?.end()
  })

  const inspect = async (args: readonly string[], input = ''): Promise<Answer> => {
    const child = spawn(
      process.execPath,
      [program, '--cli', ...args, '--format', 'json', '--callback-url', callbackUrl],
      {
        env: {
          ...browser.env,
          HOME: home,
          MCP_INSPECTOR_SECRET_STORE: 'file',
          // It opens no browser without a terminal unless it is told to.
          MCP_AUTO_OPEN_ENABLED: 'true',
        },
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    )
    let [out, said] = ['', '']
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (said += chunk))
    child.stdin.end(input)
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, said, result: out === '' ? undefined : JSON.parse(out).result }
  }

  const byUrl = (): readonly string[] => [warder.endpoint, '--transport', 'http']
  const byConfig = (): readonly string[] => ['--config', config, '--server', 'everything']
  const echo = ['--method', 'tools/call', '--tool-name', 'echo', '--tool-arg', 'message=hello']
  const getEnv = ['--method', 'tools/call', '--tool-name', 'get-env']

  test('without a sign-in it says that one is needed (exit 3)', async () => {
    const { code, said } = await inspect([...byUrl(), '--method', 'tools/list', '--stored-auth-only'])
    expect([code, said]).toEqual([3, expect.stringContaining('auth_required')])
    expect(browser.visited).toEqual([])
  })

  test('tools/list: 401 → discovery → registration → sign-in → the filtered list', async () => {
    const { code, result } = await inspect([...byUrl(), '--method', 'tools/list'])
    expect(code).toBe(0)
    const { tools } = result as { tools: { name: string }[] }
    expect(tools.map(({ name }) => name).sort()).toEqual(['echo', 'get-env', 'get-sum'])
    expect(browser.visited).toHaveLength(1)
    expect(browser.visited[0]?.searchParams.get('resource')).toBe(warder.endpoint)
    expect(browser.visited[0]?.searchParams.get('redirect_uri')).toBe(callbackUrl)
  })

  test('tools/call with the stored tokens, in both eras', async () => {
    for (const era of ['legacy', 'modern']) {
      const { code, result } = await inspect([
        ...byUrl(),
        ...echo,
        '--stored-auth-only',
        '--protocol-era',
        era,
      ])
      expect([era, code]).toEqual([era, 0])
      expect(JSON.stringify(result)).toContain('hello')
    }
    expect(browser.visited).toHaveLength(1)
  })

  test('RS-21 a call that was not granted asks in the terminal, takes the person to a wider consent, and then works', async () => {
    const refused = await inspect([...byConfig(), ...getEnv, '--stored-auth-only'])
    expect(refused.code).toBe(3)
    switchOn = ['everything:env']
    const { code, result, said } = await inspect([...byConfig(), ...getEnv], 'y\n')
    expect(said).toContain('everything:env')
    expect([code, JSON.stringify(result)]).toEqual([0, expect.stringContaining('PATH')])
    expect(browser.visited).toHaveLength(2)
    expect(browser.visited[1]?.searchParams.get('scope')?.split(' ').sort()).toEqual([
      'everything:env',
      'everything:read',
    ])
    switchOn = []
  })

  test('--relogin forgets what it has and signs in again', async () => {
    const { code, result } = await inspect([...byConfig(), '--method', 'tools/list', '--relogin'])
    expect([code, JSON.stringify(result)]).toEqual([0, expect.stringContaining('echo')])
    expect(browser.visited).toHaveLength(3)
    expect(browser.visited[2]?.searchParams.get('client_id')).not.toBe(
      browser.visited[0]?.searchParams.get('client_id'),
    )
  })

  test('without any store it takes a token that somebody else got, as a header', async () => {
    const secrets = readFileSync(join(home, '.mcp-inspector/secrets.json'), 'utf8')
    const [token = ''] = /eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(secrets) ?? []
    home = join(warder.directory, 'empty-home')
    mkdirSync(home)
    const withToken = (bearer: string): Promise<Answer> =>
      inspect([...byUrl(), ...echo, '--stored-auth-only', '--header', `Authorization: Bearer ${bearer}`])
    const { code, result } = await withToken(token)
    expect([code, JSON.stringify(result)]).toEqual([0, expect.stringContaining('hello')])
    expect((await withToken(token.slice(0, -8))).code).toBe(3)
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}
