import { describe, expect, test } from 'vitest'
import { findServer, toolRulesOf } from '../../src/client/find-server.ts'
import { type OwnHome, ownHome } from './own-home.ts'

const tracker = 'https://mcp.example.com/mcp'
const own = 'home/.config/warder/servers.json'
const find = (home: OwnHome, word: string, host?: 'vscode' | 'claude-code' | 'cursor') =>
  findServer(word, { places: home.places, ...(host === undefined ? {} : { host }) })
const list = (servers: object): object => ({ mcpServers: servers })

describe('the server that a word means', () => {
  test('a URL is taken as it is written', async () => {
    expect(await find(ownHome(), 'https://MCP.example.com:443/mcp?x=1')).toMatchObject({
      server: 'https://MCP.example.com:443/mcp?x=1',
      headers: {},
    })
  })

  test.each(['ftp://a.example', 'https://me:canary@a.example', 'https://'])('%s is none', async (word) => {
    const error = await find(ownHome(), word).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ name: 'Problem', exitCode: 2 })
    expect(String(error)).not.toContain('canary')
  })

  test('Warder’s own list goes before the others; the entry of a bridge is not what it leads to', async () => {
    const home = ownHome()
    home.write(
      own,
      list({ tracker: { type: 'http', url: tracker, oauth: { scopes: 'a b' }, timeout: 5000 } }),
    )
    home.write('home/.claude.json', list({ tracker: { command: 'warder', args: ['connect', 'tracker'] } }))
    home.write('home/.cursor/mcp.json', list({ tracker: { url: 'https://other.example' } }))
    expect(await find(home, 'tracker')).toMatchObject({
      server: tracker,
      name: 'tracker',
      scopes: ['a', 'b'],
      timeoutMs: 5000,
    })
    expect(await find(home, 'tracker', 'cursor')).toMatchObject({ server: 'https://other.example' })
  })

  test('a name with two meanings is asked about; with one meaning in two hosts it is not', async () => {
    const home = ownHome()
    home.write('home/.claude.json', list({ tracker: { type: 'http', url: tracker } }))
    home.write('home/.cursor/mcp.json', list({ tracker: { url: 'https://other.example' } }))
    await expect(find(home, 'tracker')).rejects.toThrow('--host claude-code or --host cursor')
    home.write('home/.cursor/mcp.json', list({ tracker: { url: tracker } }))
    expect(await find(home, 'tracker')).toMatchObject({ server: tracker })
  })

  test('what comes with a checkout is not used before somebody has approved it', async () => {
    const home = ownHome()
    home.write('project/.mcp.json', list({ tracker: { type: 'http', url: 'https://evil.example' } }))
    await expect(find(home, 'tracker')).rejects.toThrow(
      /not used: it comes with the project.*warder import --from claude-code tracker/,
    )
    home.write('home/.claude/settings.json', { enabledMcpjsonServers: ['tracker'] })
    expect(await find(home, 'tracker')).toMatchObject({ server: 'https://evil.example' })
  })

  test('managed lists hold for names, for URLs and for what a bridge leads to', async () => {
    const home = ownHome()
    home.write('managed/managed-settings.json', {
      allowedMcpServers: [{ serverUrl: 'https://mcp.example.com/*' }, { serverName: 'bridge' }],
    })
    home.write(
      own,
      list({ good: { type: 'http', url: tracker }, bad: { type: 'http', url: 'https://evil.example' } }),
    )
    expect(await find(home, 'good')).toMatchObject({ server: tracker })
    expect(await find(home, tracker)).toMatchObject({ server: tracker })
    await expect(find(home, 'bad')).rejects.toThrow('no entry of the allow list covers its URL')
    await expect(find(home, 'https://evil.example/')).rejects.toThrow('is not allowed here')
    home.write(
      'home/.cursor/mcp.json',
      list({ bridge: { command: 'warder', args: ['connect', 'https://evil.example/'] } }),
    )
    await expect(find(home, 'bridge')).rejects.toThrow('leads to a remote server')
  })

  test('what may not be used any more is still found by whoever only looks for its sign-in', async () => {
    const home = ownHome()
    const look = (word: string, host?: 'cursor' | 'claude-code') =>
      findServer(word, {
        places: home.places,
        purpose: 'look',
        ...(host === undefined ? {} : { host }),
      })
    const header = { Authorization: `Bearer \${TOKEN}` }
    home.write('managed/managed-settings.json', {
      deniedMcpServers: [{ serverUrl: 'https://evil.example/*' }],
    })
    home.write(
      own,
      list({
        denied: { type: 'http', url: 'https://evil.example/mcp' },
        unset: { type: 'http', url: tracker, headers: header },
        place: { type: 'http', url: `https://\${HOST_THAT_IS_NOT_SET}/mcp` },
        broken: { type: 'no-such', url: tracker },
      }),
    )
    home.write('project/.mcp.json', list({ pending: { type: 'http', url: tracker } }))
    home.write(
      'home/.cursor/mcp.json',
      list({
        off: { url: tracker, disabled: true },
        bridge: { command: 'warder', args: ['connect', 'https://evil.example/mcp'] },
        local: { command: 'x' },
      }),
    )
    for (const [word, url] of [
      ['denied', 'https://evil.example/mcp'],
      ['https://evil.example/mcp', 'https://evil.example/mcp'],
      ['bridge', 'https://evil.example/mcp'],
      ['unset', tracker],
      ['broken', tracker],
      ['pending', tracker],
    ] as const) {
      await expect(find(home, word), word).rejects.toMatchObject({ name: 'Problem' })
      expect((await look(word)).server, word).toBe(url)
    }
    expect((await look('off')).server).toBe(tracker)
    // Under this address nothing can be stored: better a problem than "nobody is signed in".
    await expect(look('place')).rejects.toThrow('HOST_THAT_IS_NOT_SET in the URL is not set')
    await expect(look('local')).rejects.toThrow('there is nothing to sign in to')
    await expect(look('https://me:canary@a.example')).rejects.toThrow('carries a name or a password')
  })

  test('who looks is asked which, where a name has several meanings and none of them may be used', async () => {
    const home = ownHome()
    home.write('managed/managed-settings.json', { allowedMcpServers: [] })
    home.write('home/.claude.json', list({ tracker: { type: 'http', url: tracker } }))
    home.write('home/.cursor/mcp.json', list({ tracker: { url: 'https://other.example' } }))
    const look = (host?: 'cursor') =>
      findServer('tracker', { places: home.places, purpose: 'look', ...(host && { host }) })
    await expect(look()).rejects.toThrow('--host claude-code or --host cursor')
    expect((await look('cursor')).server).toBe('https://other.example')
  })

  test.each([
    ['a local server', { command: 'x' }, 'there is nothing to sign in to'],
    ['a WebSocket', { type: 'ws', url: 'wss://a.example' }, 'WebSocket'],
    ['a mistake', { url: tracker }, 'needs its type'],
  ])('%s: a problem in words', async (_what, entry, words) => {
    const home = ownHome()
    home.write('home/.claude.json', list({ tracker: entry }))
    await expect(find(home, 'tracker')).rejects.toThrow(words)
  })

  test('an unset variable in a credential: nothing is sent', async () => {
    const home = ownHome()
    const header = { Authorization: `Bearer \${TOKEN}` }
    home.write(own, list({ tracker: { type: 'http', url: tracker, headers: header } }))
    await expect(find(home, 'tracker')).rejects.toThrow(
      'the variable TOKEN in the header Authorization is not set. Nothing was sent.',
    )
    const twin = ownHome({ TOKEN: 't' })
    twin.write(own, list({ tracker: { type: 'http', url: tracker, headers: header } }))
    expect((await find(twin, 'tracker')).headers['Authorization']).toBe('Bearer t')
  })

  test('Q27 a word from the command line is repeated without what a terminal acts on', async () => {
    await expect(find(ownHome(), 'x\u001b[2J')).rejects.toThrow(/no list of servers has x\[2J /)
  })
})

test('rules for tools: of the settings, the entry and the command line together', async () => {
  const home = ownHome()
  home.write('home/.claude/settings.json', { permissions: { deny: ['mcp__tracker__delete_*'] } })
  home.write(own, list({ tracker: { type: 'http', url: tracker } }))
  const rules = toolRulesOf(await find(home, 'tracker'), { allow: ['read', 'delete_*'] })
  expect(['read', 'delete_all', 'write'].map((tool) => rules.decide(tool).allow)).toEqual([
    true,
    false,
    false,
  ])
  expect(() =>
    toolRulesOf(
      { server: tracker, transport: 'http', headers: {}, warnings: [], config: { toolRules: [] } as never },
      { allow: ['mcp__*'] },
    ),
  ).toThrow(/behind the name of its server/)
})

describe('rules for tools of an entry that is a bridge', () => {
  const decisions = async (home: OwnHome, tools: readonly string[], allow: readonly string[] = []) => {
    const rules = toolRulesOf(await find(home, 'notes'), { allow })
    return tools.map((tool) => rules.decide(tool).allow)
  }
  const bridge = (...args: readonly string[]): object =>
    list({ notes: { command: 'warder', args: ['connect', tracker, ...args] } })

  test('the value of another option is not where it leads to', async () => {
    const home = ownHome()
    const metadata = ['--metadata-url', 'https://as.example/meta']
    for (const args of [
      [tracker, ...metadata],
      [...metadata, tracker],
    ]) {
      home.write('home/.cursor/mcp.json', {
        mcpServers: { t: { command: 'warder', args: ['connect', ...args] } },
      })
      expect((await find(home, 't')).server).toBe(tracker)
    }
  })

  test('those of its name count, as they do without a bridge', async () => {
    const home = ownHome()
    home.write('home/.claude/settings.json', { permissions: { deny: ['mcp__notes__delete_*'] } })
    home.write('home/.cursor/mcp.json', bridge())
    expect(await decisions(home, ['delete_all', 'read'])).toEqual([false, true])
    home.write('home/.cursor/mcp.json', list({ notes: { url: tracker } }))
    expect(await decisions(home, ['delete_all', 'read'])).toEqual([false, true])
  })

  test.each([
    ['--deny-tool', ['--deny-tool', 'delete_*'], [true, false, true]],
    ['--deny-tool=', ['--debug', '--deny-tool=delete_*'], [true, false, true]],
    ['--ignore-tool', ['--ignore-tool', 'delete_*'], [true, false, true]],
    [
      '--allow-tool',
      ['--profile', 'work', '--allow-tool', 'read', '--allow-tool', 'delete_*'],
      [true, true, false],
    ],
    ['a variable', ['--deny-tool', `\${TOOLS:-delete_*}`], [true, false, true]],
    ['none', ['--profile', 'work'], [true, true, true]],
  ])('and what its own command line says: %s', async (_what, args, expected) => {
    const home = ownHome()
    home.write('home/.claude.json', bridge(...args))
    expect(await decisions(home, ['read', 'delete_all', 'write'])).toEqual(expected)
  })

  test('a tool has to be on both lists: that of the entry, and that of the command', async () => {
    const home = ownHome()
    home.write('home/.cursor/mcp.json', bridge('--allow-tool', 'read', '--allow-tool', 'write'))
    expect(await decisions(home, ['read', 'write', 'send'], ['read', 'send'])).toEqual([true, false, false])
  })

  test('the lists of tools beside the command count too', async () => {
    const home = ownHome()
    const entry = ['[mcp_servers.notes]', 'command = "warder"', `args = ["connect", "${tracker}"]`]
    home.write('home/.codex/config.toml', `${entry.join('\n')}\ndisabled_tools = ["delete_all"]\n`)
    expect(await decisions(home, ['delete_all', 'read'])).toEqual([false, true])
  })
})
