import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openMemory } from '@warder/client'
import { describe, expect, test } from 'vitest'
import { findServer } from '../../src/client/find-server.ts'
import { keepSecret, loadHeaders } from '../../src/client/secret-references.ts'
import { type OwnHome, ownHome } from './own-home.ts'

const tracker = 'https://mcp.example.com/mcp'
const own = 'home/.config/warder/servers.json'
const pins = 'home/.config/warder/trusted-helpers.json'

function addServer(home: OwnHome, entry: object, name = 'tracker'): void {
  home.write(own, { mcpServers: { [name]: { type: 'http', url: tracker, ...entry } } })
}

const load = async (home: OwnHome, store = openMemory()): Promise<Record<string, string>> =>
  loadHeaders(await findServer('tracker', { places: home.places }), { store })

describe('headers that refer to the credential store', () => {
  test('the secret is put in where it is referred to, and only there', async () => {
    const home = ownHome()
    const store = openMemory()
    await keepSecret(store, 'tracker', 'canary', tracker)
    addServer(home, {
      headers: { Authorization: 'Bearer keychain://tracker', 'X-Key': 'secret://tracker', 'X-Team': 'core' },
    })
    expect(await load(home, store)).toEqual({
      Authorization: 'Bearer canary',
      'X-Key': 'canary',
      'X-Team': 'core',
    })
  })

  test('Q16 the secret of one server does not go to another: who writes a list chooses name and URL', async () => {
    const home = ownHome()
    const store = openMemory()
    await keepSecret(store, 'tracker', 'canary', 'https://other.example.com/mcp')
    addServer(home, { headers: { Authorization: 'Bearer keychain://tracker' } })
    const error = await load(home, store).catch((thrown: Error) => thrown)
    expect(String(error)).toContain('is kept for https://other.example.com, not for https://mcp.example.com')
    expect(String(error)).not.toContain('canary')
  })

  test('one that is not there is asked for, and the store is not opened without a reference', async () => {
    const home = ownHome()
    addServer(home, { headers: { Authorization: 'Bearer keychain://tracker' } })
    await expect(load(home)).rejects.toThrow('--secret-stdin')
    addServer(home, { headers: { 'X-Team': 'core' } })
    const found = await findServer('tracker', { places: home.places })
    const never = (): Promise<never> => Promise.reject(new Error('opened'))
    expect(await loadHeaders(found, { store: never })).toEqual({ 'X-Team': 'core' })
  })

  test.each([
    ['a name with a way upwards', { Authorization: 'Bearer keychain://../x' }],
    ['Host', { Host: 'evil.example' }],
    ['the session of MCP', { 'mcp-session-id': 'x' }],
  ])('%s is refused', async (_what, headers) => {
    const home = ownHome()
    addServer(home, { headers })
    await expect(load(home)).rejects.toThrow(/A reference is keychain|not for a list of servers to set/)
  })

  test('Q29 a credential does not cross the network in the clear; to this computer itself it may', async () => {
    const home = ownHome()
    addServer(home, { url: 'http://intern.example/mcp', headers: { 'X-Api-Key': 'a1' } })
    await expect(load(home)).rejects.toThrow('in the clear')
    addServer(home, { url: 'http://127.0.0.1:3000/mcp', headers: { 'X-Api-Key': 'a1' } })
    expect(await load(home)).toEqual({ 'X-Api-Key': 'a1' })
  })
})

describe('headers helpers', () => {
  const script = (body: string): string => `#!/bin/sh\n${body}\n`
  const prints = (headers: object): string => script(`echo '${JSON.stringify(headers)}'`)

  function addHelper(home: OwnHome, body: string, ...args: readonly string[]): string {
    const file = home.write('home/bin/helper', body, 0o700)
    addServer(home, {
      headers: { Authorization: 'Bearer static', 'X-Team': 'core' },
      headersHelper: [file, ...args],
    })
    return file
  }

  async function trust(home: OwnHome): Promise<void> {
    expect((await home.warder(['get', 'tracker', '--trust-headers-helper', '--yes'])).code).toBe(0)
  }

  test('is not run before it is trusted; then what it prints beats the static header of its name', async () => {
    const home = ownHome()
    const mark = join(home.root, 'ran')
    addHelper(home, script(`touch ${mark}; echo '{"authorization":"Bearer fresh"}'`))
    await expect(load(home)).rejects.toThrow('you have not trusted it as it is now')
    expect(() => statSync(mark)).toThrow('ENOENT')
    await trust(home)
    expect(await load(home)).toEqual({ authorization: 'Bearer fresh', 'X-Team': 'core' })
    expect(statSync(join(home.root, pins)).mode & 0o777).toBe(0o600)
  })

  test('CL-74 trusting one shows its whole command, and asks', async () => {
    const home = ownHome()
    const file = addHelper(home, prints({}), 'a b')
    const asked = await home.warder(['get', 'tracker', '--trust-headers-helper'])
    expect(asked).toMatchObject({ code: 2, err: expect.stringContaining(`${file} "a b"`) })
    expect(asked.err).toContain(`What it prints is sent to ${tracker}`)
  })

  test.each([
    ['the program', (home: OwnHome) => home.write('home/bin/helper', prints({ 'X-A': '2' }), 0o700)],
    [
      'an argument',
      (home: OwnHome) =>
        addServer(home, {
          headersHelper: [join(home.root, 'home/bin/helper'), 'y', join(home.root, 'home/data')],
        }),
    ],
    ['a file among the arguments', (home: OwnHome) => home.write('home/data', 'changed')],
    [
      'the server',
      (home: OwnHome) => home.write(own, home.read(own).replace('mcp.example.com', 'evil.example.com')),
    ],
  ])('when %s changes, trust ends', async (_what, change) => {
    const home = ownHome()
    const data = home.write('home/data', 'data')
    addHelper(home, prints({ 'X-A': '1' }), 'x', data)
    await trust(home)
    expect(await load(home)).toMatchObject({ 'X-A': '1' })
    change(home)
    await expect(load(home)).rejects.toThrow('you have not trusted it as it is now')
  })

  test('add --headers-helper asks once and pins it', async () => {
    const home = ownHome()
    const file = home.write('home/bin/helper', prints({ 'X-A': '1' }), 0o700)
    const added = await home.warder([
      'add',
      'tracker',
      tracker,
      '--headers-helper',
      file,
      '--headers-helper',
      'x',
      '--yes',
    ])
    expect(added).toMatchObject({ code: 0, err: expect.stringContaining(`${file} x`) })
    expect(JSON.parse(home.read(own)).mcpServers.tracker.headersHelper).toEqual([file, 'x'])
    expect(await load(home)).toEqual({ 'X-A': '1' })
  })

  test('arguments are arguments: no shell acts on them', async () => {
    const home = ownHome()
    const mark = join(home.root, 'ran')
    addHelper(
      home,
      `#!${process.execPath}\nconsole.log(JSON.stringify({ 'X-Arg': process.argv[2] }))\n`,
      `$(touch ${mark}); touch ${mark}`,
    )
    await trust(home)
    expect(await load(home)).toMatchObject({ 'X-Arg': `$(touch ${mark}); touch ${mark}` })
    expect(() => statSync(mark)).toThrow('ENOENT')
  })

  test.each([
    ['no JSON', script('echo canary')],
    ['no object', script("echo '[1]'")],
    ['a number', script(`echo '{"X-A": 1}'`)],
    ['the same key twice', script(`echo '{"X-A": "canary", "X-A": "b"}'`)],
    ['a header name that is none', script(`echo '{"X A": "canary"}'`)],
    ['a new line in a value', script(`printf '{"X-A": "canary\\\\nb"}'`)],
    ['too much', script('yes canary | head -c 100000')],
    [
      'too many headers',
      script(
        `echo '${JSON.stringify(Object.fromEntries(Array.from({ length: 33 }, (_one, at) => [`X-${at}`, 'canary'])))}'`,
      ),
    ],
    ['an error', script('echo canary >&2; exit 3')],
    ['the header of the transport', prints({ 'Content-Length': '0' })],
  ])('Q16 what prints %s gives no header, and nothing of it is repeated', async (_what, body) => {
    const home = ownHome()
    addHelper(home, body)
    await trust(home)
    const error = await load(home).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ name: 'Problem' })
    expect(String(error)).not.toContain('canary')
  })

  test('P01 in a checkout it loses every variable that may hold a credential; the user’s own keeps them, but for Warder’s', async () => {
    const env = {
      GITHUB_TOKEN: 'x',
      MY_API_KEY: 'x',
      DB_DSN: 'x',
      NPM_AUTH: 'x',
      WARDER_STORE_PASSPHRASE: 'x',
      MCP_CLIENT_SECRET: 'x',
      GIT_CONFIG_KEY_0: 'x',
      AUTHOR: 'x',
      KEYBOARD: 'x',
      LANG: 'C',
    }
    const body = `#!${process.execPath}\nconsole.log(JSON.stringify({ 'X-Env': Object.keys(process.env).sort().join(' ') }))\n`
    const home = ownHome({ ...env, GITHUB_TOKEN: 'x' })
    const file = home.write('home/bin/helper', body, 0o700)
    addServer(home, { headersHelper: [file] }, 'mine')
    home.write('project/.mcp.json', {
      mcpServers: { theirs: { type: 'http', url: tracker, headersHelper: file } },
    })
    home.write('home/.claude/settings.json', { enabledMcpjsonServers: ['theirs'] })
    const names = async (name: string): Promise<readonly string[]> => {
      await home.warder(['get', name, '--trust-headers-helper', '--yes'])
      const headers = await loadHeaders(await findServer(name, { places: home.places }), {
        store: openMemory(),
      })
      return headers['X-Env']!.split(' ')
    }
    const told = ['CLAUDE_CODE_MCP_SERVER_NAME', 'CLAUDE_CODE_MCP_SERVER_URL']
    expect(await names('theirs')).toEqual([
      'AUTHOR',
      ...told,
      'GIT_CONFIG_KEY_0',
      'HOME',
      'KEYBOARD',
      'LANG',
      'PATH',
    ])
    expect(await names('mine')).toEqual([
      'AUTHOR',
      ...told,
      'DB_DSN',
      'GITHUB_TOKEN',
      'GIT_CONFIG_KEY_0',
      'HOME',
      'KEYBOARD',
      'LANG',
      'MY_API_KEY',
      'NPM_AUTH',
      'PATH',
    ])
  })

  test.each([
    ['a pipe', 'helper | sh'],
    ['a variable', '$HOME/bin/helper'],
    ['quotes', '"/bin/helper"'],
    ['a home', '~/bin/helper'],
    ['a second command', '/bin/helper; id'],
    ['a placeholder of a plugin', `/bin/helper \${user_config.KEY}`],
  ])('Claude Code’s line with %s is not run: it is one for a shell', async (_what, line) => {
    const home = ownHome()
    home.write('home/.claude.json', {
      mcpServers: { tracker: { type: 'http', url: tracker, headersHelper: line } },
    })
    await expect(load(home)).rejects.toThrow('is a line for a shell, and Warder runs none')
  })

  test('a line of plain words means the same without a shell, and is run once it is trusted', async () => {
    const home = ownHome()
    const file = home.write(
      'home/bin/helper',
      `#!${process.execPath}\nconsole.log(JSON.stringify({ 'X-Arg': process.argv[2] }))\n`,
      0o700,
    )
    home.write('home/.claude.json', {
      mcpServers: { tracker: { type: 'http', url: tracker, headersHelper: `${file} --team=core` } },
    })
    await expect(load(home)).rejects.toThrow('you have not trusted it')
    await trust(home)
    expect(await load(home)).toEqual({ 'X-Arg': '--team=core' })
  })

  test('one that is not there is told', async () => {
    const home = ownHome()
    addServer(home, { headersHelper: ['/nowhere/helper'] })
    await expect(load(home)).rejects.toThrow('is not there, or is no program')
    expect(() => readFileSync(join(home.root, pins))).toThrow('ENOENT')
  })
})
