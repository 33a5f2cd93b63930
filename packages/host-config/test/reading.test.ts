import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeAt } from '../src/index.ts'
import { type Home, makeHome, remote, variable } from './make-home.ts'

const rulesOf = async (home: Home): Promise<readonly string[]> =>
  (await home.load()).findings.map(({ rule }) => rule)

describe('what each host says about a server', () => {
  test('Claude Code: every documented field of a remote entry, with the place of each', async () => {
    const home = makeHome()
    home.write(
      'home/.claude.json',
      `{
  "numStartups": 3,
  "mcpServers": {
    "tracker": {
      "type": "streamable-http",
      "url": "https://mcp.example.com/mcp",
      "headers": { "X-Team": "core" },
      "headersHelper": "/opt/helper --team core",
      "oauth": { "clientId": "abc", "callbackPort": 8123, "scopes": "issues:read  issues:write",
                 "authServerMetadataUrl": "https://as.example.com/.well-known/oauth-authorization-server" },
      "timeout": 5000,
      "alwaysLoad": true
    }
  }
}`,
    )
    const { servers, findings } = await home.load()
    expect(findings).toEqual([])
    expect(servers).toMatchObject([
      {
        name: 'tracker',
        transport: 'http',
        url: 'https://mcp.example.com/mcp',
        headers: { 'X-Team': 'core' },
        headersHelper: '/opt/helper --team core',
        oauth: {
          clientId: 'abc',
          callbackPort: 8123,
          scopes: ['issues:read', 'issues:write'],
          metadataUrl: 'https://as.example.com/.well-known/oauth-authorization-server',
        },
        timeoutMs: 5000,
        source: { host: 'claude-code', scope: 'user', line: 4, column: 5, path: ['mcpServers', 'tracker'] },
      },
    ])
    const { node } = servers[0]!
    expect(nodeAt(node, ['headers', 'X-Team'])?.place).toMatchObject({ line: 7, column: 30 })
    expect(nodeAt(node, ['alwaysLoad'])).toMatchObject({
      kind: 'boolean',
      value: true,
      place: { line: 12, column: 21 },
    })
  })

  test('Claude Code: a stdio entry, with type and without', async () => {
    const home = makeHome()
    home.write('home/.claude.json', {
      mcpServers: {
        plain: { command: 'npx', args: ['-y', 'server@1.2.3'], env: { LEVEL: 'debug' } },
        typed: { type: 'stdio', command: 'server' },
      },
    })
    expect((await home.load()).servers).toMatchObject([
      {
        name: 'plain',
        transport: 'stdio',
        command: 'npx',
        args: ['-y', 'server@1.2.3'],
        env: { LEVEL: 'debug' },
      },
      { name: 'typed', transport: 'stdio', command: 'server' },
    ])
  })

  test('VS Code: servers and comments; Cursor: its auth block; Gemini: httpUrl, trust and tool lists', async () => {
    const home = makeHome()
    home.write(
      'home/.config/Code/User/mcp.json',
      `{
  // mine
  "servers": { "a": { "type": "http", "url": "https://a.example/mcp", "oauth": { "clientId": "x" } }, },
  "inputs": []
}`,
    )
    home.write('home/.cursor/mcp.json', {
      mcpServers: {
        b: {
          url: 'https://b.example/mcp',
          auth: { CLIENT_ID: 'y', CLIENT_SECRET: 'hidden-b', scopes: ['r', 'w'] },
        },
      },
    })
    home.write('home/.gemini/settings.json', {
      theme: 'dark',
      mcpServers: {
        c: {
          httpUrl: 'https://c.example/mcp',
          trust: true,
          includeTools: ['read'],
          excludeTools: ['drop'],
          oauth: { enabled: true, clientId: 'z', scopes: ['s'] },
        },
        d: { url: 'https://d.example/sse' },
      },
    })
    const { servers, findings } = await home.load()
    expect(servers).toMatchObject([
      { name: 'a', transport: 'http', oauth: { clientId: 'x' }, source: { host: 'vscode', line: 3 } },
      {
        name: 'b',
        transport: 'http',
        oauth: { clientId: 'y', scopes: ['r', 'w'] },
        source: { host: 'cursor' },
      },
      {
        name: 'c',
        transport: 'http',
        isTrusted: true,
        tools: { only: ['read'], without: ['drop'] },
        oauth: { clientId: 'z' },
      },
      { name: 'd', transport: 'sse', source: { host: 'gemini' } },
    ])
    expect(findings).toMatchObject([{ level: 'warning', rule: 'ignored-field', server: 'b' }])
    expect(JSON.stringify(findings)).not.toContain('hidden-b')
  })

  test('Codex: TOML with every way to write a table, and headers from variables', async () => {
    const home = makeHome()
    home.write(
      'home/.codex/config.toml',
      `model = "o"
mcp_servers.inline = { url = "https://inline.example/mcp", scopes = ["a"], oauth = { client_id = "c" } }

[mcp_servers.remote]
url = "https://remote.example/mcp"
bearer_token_env_var = "REMOTE_TOKEN"
env_http_headers = { X-Key = "REMOTE_KEY" }
http_headers = { X-Team = "core" }
enabled_tools = ["read"]
tool_timeout_sec = 30

[mcp_servers.local]
command = "server"
enabled = false
[mcp_servers.local.env]
LEVEL = "debug"
`,
    )
    const { servers, findings } = await home.load()
    expect(findings).toEqual([])
    expect(servers).toMatchObject([
      { name: 'inline', oauth: { clientId: 'c', scopes: ['a'] }, source: { line: 2, column: 13 } },
      {
        name: 'remote',
        headers: { 'X-Team': 'core' },
        headersFromEnv: {
          Authorization: { variable: 'REMOTE_TOKEN', prefix: 'Bearer ' },
          'X-Key': { variable: 'REMOTE_KEY', prefix: '' },
        },
        tools: { only: ['read'] },
        timeoutMs: 30_000,
        source: { line: 4, column: 14 },
      },
      { name: 'local', env: { LEVEL: 'debug' }, isDisabled: true },
    ])
    expect(nodeAt(servers[1]!.node, ['url'])?.place).toMatchObject({ line: 5, column: 7 })
  })

  test('Claude Desktop, Warder’s own list, a plugin that is on, none of one that is off', async () => {
    const home = makeHome()
    const plugin = (name: string): string => join(home.root, 'home/.claude/plugins', name)
    home.write('home/.config/Claude/claude_desktop_config.json', { mcpServers: { desk: { command: 'x' } } })
    home.write('home/.config/warder/servers.json', {
      mcpServers: { own: { ...remote('https://own.example/mcp'), headersHelper: ['/bin/h', 'a b'] } },
    })
    home.write('home/.claude/settings.json', { enabledPlugins: { 'good@market': true, 'off@market': false } })
    home.write('home/.claude/plugins/installed_plugins.json', {
      version: 2,
      plugins: {
        'good@market': [{ installPath: plugin('good') }],
        'off@market': { installPath: plugin('off') },
      },
    })
    home.write('home/.claude/plugins/good/.mcp.json', {
      tracker: { command: `${variable('CLAUDE_PLUGIN_ROOT')}/bin` },
    })
    home.write('home/.claude/plugins/off/.mcp.json', { mcpServers: { other: { command: 'y' } } })
    expect((await home.load()).servers).toMatchObject([
      { name: 'own', headersHelper: ['/bin/h', 'a b'], source: { host: 'warder' } },
      { name: 'desk', source: { host: 'claude-desktop' } },
      {
        name: 'plugin:good:tracker',
        source: { scope: 'plugin', plugin: { name: 'good', root: plugin('good') } },
      },
    ])
  })

  test.each([
    ['linux', {}, 'home/.config/Code/User/mcp.json'],
    ['linux', { XDG_CONFIG_HOME: 'home/xdg' }, 'home/xdg/Code/User/mcp.json'],
    ['darwin', {}, 'home/Library/Application Support/Code/User/mcp.json'],
    ['win32', { APPDATA: 'home/roaming' }, 'home/roaming/Code/User/mcp.json'],
  ] as const)('on %s %j VS Code’s user file is %s', async (platform, env, file) => {
    const home = makeHome()
    const own = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, join(home.root, value)]))
    home.write(file, { servers: { a: { url: 'https://a.example' } } })
    const { loadHostConfig } = await import('../src/index.ts')
    expect((await loadHostConfig({ ...home.places, platform, env: own })).servers).toMatchObject([
      { name: 'a' },
    ])
  })

  test('CLAUDE_CONFIG_DIR and CODEX_HOME move their hosts’ files', async () => {
    const home = makeHome()
    home.write('home/elsewhere/.claude.json', { mcpServers: { a: remote('https://a.example') } })
    home.write('home/elsewhere/config.toml', '[mcp_servers.b]\ncommand = "b"\n')
    home.write('home/.claude.json', { mcpServers: { no: remote('https://no.example') } })
    const { loadHostConfig } = await import('../src/index.ts')
    const directory = join(home.root, 'home/elsewhere')
    const env = { CLAUDE_CONFIG_DIR: directory, CODEX_HOME: directory }
    expect((await loadHostConfig({ ...home.places, env })).servers.map(({ name }) => name)).toEqual([
      'a',
      'b',
    ])
  })
})

describe('mistakes are findings with a place, and one bad server leaves the others', () => {
  const broken: readonly (readonly [string, unknown, string, string])[] = [
    ['a url without a type', { url: 'https://a.example' }, 'transport', 'needs its type'],
    [
      'an unknown type',
      { type: 'carrier-pigeon', url: 'https://a.example' },
      'transport',
      'type must be one of',
    ],
    ['no command', { args: ['x'] }, 'transport', 'needs a command'],
    ['args that are no list', { command: 'x', args: 'y' }, 'wrong-type', 'args must be a list of texts'],
    ['a number among env', { command: 'x', env: { A: 1 } }, 'wrong-type', 'env must be a table of texts'],
    ['a text instead of an object', 'https://a.example', 'wrong-type', 'object'],
    ['no URL at all', remote('not a url'), 'url', 'not a URL'],
    ['another scheme', remote('ftp://a.example'), 'url', 'http:// or https://'],
    [
      'a header that begins a line',
      remote('https://a.example', { headers: { 'X-A': 'b\r\nX-C: d' } }),
      'hidden-character',
      'X-A',
    ],
    [
      'a header name with a blank',
      remote('https://a.example', { headers: { 'X A': 'b' } }),
      'wrong-type',
      'name of a header',
    ],
    [
      'scopes as a list',
      remote('https://a.example', { oauth: { scopes: ['a'] } }),
      'wrong-type',
      'scopes must be a text',
    ],
    [
      'scopes with commas',
      remote('https://a.example', { oauth: { scopes: 'a,b' } }),
      'wrong-type',
      'without commas',
    ],
    [
      'a port that is none',
      remote('https://a.example', { oauth: { callbackPort: 70_000 } }),
      'wrong-type',
      'port',
    ],
    [
      'metadata over http',
      remote('https://a.example', { oauth: { authServerMetadataUrl: 'http://as.example' } }),
      'url',
      'https://',
    ],
    ['a NUL in an argument', { command: 'x', args: ['a\0b'] }, 'hidden-character', 'NUL'],
  ]
  test.each(broken)('%s', async (_what, entry, rule, words) => {
    const home = makeHome()
    const file = home.write('home/.claude.json', {
      mcpServers: { bad: entry, good: remote('https://good.example') },
    })
    const { servers, findings } = await home.load()
    expect(servers.map(({ name, broken }) => [name, broken?.rule])).toEqual([
      ['bad', rule],
      ['good', undefined],
    ])
    expect(findings).toMatchObject([{ level: 'error', rule, server: 'bad', place: { file } }])
    expect(findings[0]!.message).toContain(words)
    expect(findings[0]!.place.line).toBeGreaterThanOrEqual(3)
  })

  test.each(['__proto__', 'constructor', 'prototype', ''])(
    'a server called %j is left out, and no object changes',
    async (name) => {
      const home = makeHome()
      home.write(
        'home/.claude.json',
        `{"mcpServers":{${JSON.stringify(name)}:{"type":"http","url":"https://evil.example","polluted":"yes"},"good":{"command":"x"}}}`,
      )
      const { servers, findings } = await home.load()
      expect(servers.map((server) => server.name)).toEqual(['good'])
      expect(findings).toMatchObject([{ rule: 'dangerous-name', level: 'error' }])
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    },
  )

  test('names of headers and variables like __proto__ are only names', async () => {
    const home = makeHome()
    home.write(
      'home/.claude.json',
      '{"mcpServers":{"a":{"command":"x","env":{"__proto__":"polluted","toString":"t"}}}}',
    )
    const [server] = (await home.load()).servers
    expect(Object.getPrototypeOf(server!.env)).toBeNull()
    expect(Object.entries(server!.env!)).toEqual([
      ['__proto__', 'polluted'],
      ['toString', 't'],
    ])
  })

  test('a name with a character that nobody sees is unusable; reserved and odd names are warned about', async () => {
    const home = makeHome()
    home.write('home/.claude.json', {
      mcpServers: {
        'trac\u202eker': { command: 'x' },
        workspace: { command: 'x' },
        'a b': { command: 'x' },
        ok: { command: 'x' },
      },
    })
    const { servers, findings } = await home.load()
    expect(servers.map(({ broken }) => broken?.rule)).toEqual([
      'hidden-character',
      undefined,
      undefined,
      undefined,
    ])
    expect(findings.map(({ rule, level }) => [rule, level])).toEqual([
      ['hidden-character', 'error'],
      ['server-name', 'warning'],
      ['server-name', 'warning'],
    ])
  })

  test('a key that stands twice is told, and the last counts, as for the host', async () => {
    const home = makeHome()
    home.write(
      'home/.claude.json',
      '{"mcpServers":{\n"a":{"type":"http","url":"https://first.example"},\n"a":{"type":"http","url":"https://last.example"}}}',
    )
    const { servers, findings } = await home.load()
    expect(servers).toMatchObject([{ url: 'https://last.example', source: { line: 3 } }])
    expect(findings).toMatchObject([{ rule: 'duplicate-key', place: { line: 3, column: 1 } }])
  })

  test('a syntax error gives nothing of that file and all of the others; the value beside it is not quoted', async () => {
    const home = makeHome()
    home.write('home/.claude.json', '{"mcpServers": {"a": {"command": "canary-1" "args": []}}}')
    home.write('home/.codex/config.toml', '[mcp_servers.b]\ncommand = canary-2\n')
    home.write('home/.cursor/mcp.json', { mcpServers: { c: { command: 'x' } } })
    const { servers, findings } = await home.load()
    expect(servers.map(({ name }) => name)).toEqual(['c'])
    expect(findings).toMatchObject([
      { rule: 'syntax', place: { line: 1, column: 45 } },
      { rule: 'syntax', place: { line: 2 } },
    ])
    expect(JSON.stringify(findings)).not.toContain('canary')
  })

  test.each([
    ['a comment', '{ // mine\n"mcpServers":{"a":{"command":"x"}}}'],
    ['a comma at the end', '{"mcpServers":{"a":{"command":"x"},}}'],
  ])('%s, which Claude Code does not read, makes its servers unusable', async (_what, text) => {
    const home = makeHome()
    home.write('home/.claude.json', text)
    home.write('home/.cursor/mcp.json', text)
    const { servers, findings } = await home.load()
    expect(servers.map(({ source, broken }) => [source.host, broken?.rule])).toEqual([
      ['claude-code', 'not-strict-json'],
      ['cursor', undefined],
    ])
    expect(findings).toMatchObject([{ rule: 'not-strict-json', place: { line: 1 } }])
  })

  test('a byte order mark is told and read over; what is not UTF-8 is not read', async () => {
    const home = makeHome()
    home.write('home/.claude.json', '\ufeff{"mcpServers":{"a":{"command":"x"}}}')
    const { writeFileSync } = await import('node:fs')
    writeFileSync(home.write('home/.cursor/mcp.json', ''), Buffer.from([0x7b, 0xff, 0x7d]))
    const { servers, findings } = await home.load()
    expect(servers).toMatchObject([{ name: 'a', source: { line: 1, column: 16 } }])
    expect(findings.map(({ rule }) => rule)).toEqual(['byte-order-mark', 'encoding'])
  })

  test('a mistake in a header of Codex has the place of that header', async () => {
    const home = makeHome()
    home.write(
      'home/.codex/config.toml',
      '[mcp_servers.a]\nurl = "https://a.example"\n[mcp_servers.a.http_headers]\nX-A = "b\\u0001"\n',
    )
    expect((await home.load()).findings).toMatchObject([
      { rule: 'hidden-character', place: { line: 4, column: 7 } },
    ])
  })

  test('blanks around values are told without the value', async () => {
    const home = makeHome()
    home.write('home/.claude.json', {
      mcpServers: {
        a: remote('https://a.example ', { headers: { Authorization: ' Bearer canary' } }),
        b: { command: 'x ', args: [' canary'] },
      },
    })
    const { findings } = await home.load()
    expect(findings.map(({ rule }) => rule)).toEqual(['whitespace', 'whitespace', 'whitespace', 'whitespace'])
    expect(JSON.stringify(findings)).not.toContain('canary')
  })

  test('tables under another host’s name, fields that a host does not read', async () => {
    const home = makeHome()
    home.write('home/.config/Code/User/mcp.json', { mcpServers: { a: { command: 'x' } } })
    home.write(
      'home/.codex/config.toml',
      '[mcp_servers.b]\nurl = "https://b.example"\nheaders = { X = "y" }\n',
    )
    home.write('home/.claude.json', { mcpServers: { c: { command: 'x', oauth: { clientId: 'y' } } } })
    expect((await home.load()).findings.map(({ rule, message }) => [rule, message])).toEqual([
      ['ignored-field', 'oauth means nothing for a stdio server.'],
      ['ignored-field', 'VS Code does not read mcpServers; its table of servers is servers.'],
      ['ignored-field', 'Codex does not read headers; it reads http_headers.'],
    ])
  })
})

describe('files that somebody else may have made', () => {
  test.each([
    ['brackets', '['.repeat(200_000)],
    ['objects', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`],
    ['a hundred levels and one', `${'['.repeat(101)}${']'.repeat(101)}`],
  ])('%s in each other are a finding, not a crash', async (_what, text) => {
    const home = makeHome()
    home.write('home/.claude.json', text)
    home.write('home/.codex/config.toml', `a = ${'['.repeat(20_000)}${']'.repeat(20_000)}`)
    const rules = await rulesOf(home)
    expect(rules[0]).toMatch(/too-deep|syntax/)
    expect((await home.load()).servers).toEqual([])
  })

  test('a pipe is not waited for, a directory is not read, a file of 40 MB is not taken in', async () => {
    const home = makeHome()
    execFileSync('mkfifo', [join(home.root, 'project/.mcp.json')])
    home.write('home/.cursor/mcp.json/x', '')
    home.write('home/.claude.json', `{"a":"${'x'.repeat(40 * 1024 * 1024)}"}`)
    expect([...(await rulesOf(home))].sort()).toEqual(['not-a-file', 'not-a-file', 'too-large'])
  })

  test('P14 a link in the checkout that leads out of it is not followed; one that stays inside is', async () => {
    const home = makeHome()
    const outside = home.write('home/private.json', { mcpServers: { stolen: { command: 'x' } } })
    symlinkSync(outside, join(home.root, 'project/.mcp.json'))
    expect(await rulesOf(home)).toEqual(['outside-project'])
    expect((await home.load()).servers).toEqual([])

    const twin = makeHome()
    const inside = twin.write('project/config/mcp.json', { mcpServers: { own: { command: 'x' } } })
    symlinkSync(inside, join(twin.root, 'project/.mcp.json'))
    expect((await twin.load()).servers).toMatchObject([{ name: 'own' }])
  })

  test('the user’s own file may be a link, as people who keep their settings in a repository have it', async () => {
    const home = makeHome()
    const target = home.write('home/dotfiles/claude.json', { mcpServers: { own: { command: 'x' } } })
    symlinkSync(target, join(home.root, 'home/.claude.json'))
    expect((await home.load()).servers).toMatchObject([{ name: 'own' }])
  })

  test('whatever a file says, reading it throws nothing, and quotes no value in a finding', async () => {
    const home = makeHome()
    const canary = 'canary-5f1c'
    const field = fc.constantFrom(
      'type',
      'url',
      'command',
      'args',
      'env',
      'headers',
      'oauth',
      'headersHelper',
      'timeout',
      'scopes',
      'auth',
    )
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        fc.constant(canary),
        fc.constant(null),
        fc.integer(),
        fc.boolean(),
        fc.constant(`https://${canary}.example/`),
        fc.array(tie('any'), { maxLength: 2 }),
        fc.dictionary(field, tie('any'), { maxKeys: 2 }),
      ),
    })).any
    const entry = fc.oneof(value, fc.dictionary(field, value, { maxKeys: 5 }))
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), entry, { maxKeys: 3 }), async (servers) => {
        const table = {
          mcpServers: servers,
          servers,
          permissions: { deny: [canary, 'mcp__a(b'] },
          allowedMcpServers: servers,
          deniedMcpServers: [servers],
        }
        for (const file of [
          'home/.claude.json',
          'home/.claude/settings.json',
          'home/.cursor/mcp.json',
          'home/.config/Code/User/mcp.json',
          'home/.gemini/settings.json',
        ])
          home.write(file, table)
        const config = await home.load()
        expect(JSON.stringify(config.findings)).not.toContain(canary)
      }),
      { numRuns: 100 },
    )
  })

  test('any text as a file is read or told, and what is told has a line of that file', async () => {
    const home = makeHome()
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom(...'{}[]",:/*#=\n\r\t ax1.\\\u2028'), maxLength: 60 }),
        async (text) => {
          home.write('home/.claude.json', text)
          home.write('home/.codex/config.toml', text)
          home.write('home/.cursor/mcp.json', text)
          const lines = text.split('\n').length
          for (const { place } of (await home.load()).findings) {
            expect(place.line).toBeGreaterThanOrEqual(1)
            expect(place.line).toBeLessThanOrEqual(lines + 1)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})
