import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listServers, resolveServer } from '../src/index.ts'
import { type Home, makeHome, remote, variable } from './make-home.ts'

const claude = (
  home: Home,
  { user, local, project = {} }: { user?: object; local?: object; project?: object },
): void =>
  void home.write('home/.claude.json', {
    ...(user === undefined ? {} : { mcpServers: user }),
    projects: { [home.places.cwd]: { ...(local === undefined ? {} : { mcpServers: local }), ...project } },
  })

const approvedTracker = { enabledMcpjsonServers: ['tracker'] }

describe('which entry a name stands for in Claude Code', () => {
  test('local goes before project before user, a whole entry wins, and the trail says which file lost and why', async () => {
    const home = makeHome()
    claude(home, {
      user: { tracker: remote('https://user.example', { headers: { 'X-From': 'user' } }) },
      local: { tracker: remote('https://local.example') },
      project: approvedTracker,
    })
    home.write('project/.mcp.json', { mcpServers: { tracker: remote('https://project.example') } })
    const found = resolveServer(await home.load(), 'tracker')
    expect(found).toMatchObject({ status: 'active', expanded: { url: 'https://local.example' } })
    expect(found?.expanded.headers).toBeUndefined()
    expect(found?.trail.map(({ server, status }) => [server.source.scope, status])).toEqual([
      ['local', 'active'],
      ['project', 'overridden'],
      ['user', 'overridden'],
    ])
    expect(found?.trail[2]?.why).toContain(`${join(home.root, 'home/.claude.json')}:`)
    expect(found?.trail[2]?.why).toContain('the local scope of Claude Code')
  })

  test.each([
    ['project', { project: approvedTracker }, 'https://project.example'],
    ['user', {}, 'https://user.example'],
  ])('without a local one it is the one of the %s scope', async (_scope, more, url) => {
    const home = makeHome()
    claude(home, { user: { tracker: remote('https://user.example') }, ...more })
    if (_scope === 'project')
      home.write('project/.mcp.json', { mcpServers: { tracker: remote('https://project.example') } })
    expect(resolveServer(await home.load(), 'tracker')).toMatchObject({ status: 'active', expanded: { url } })
  })

  test('a broken entry hides the weaker one: a mistake does not bring another server to life', async () => {
    const home = makeHome()
    claude(home, {
      user: { tracker: remote('https://user.example') },
      local: { tracker: { url: 'https://local.example' } },
    })
    const found = resolveServer(await home.load(), 'tracker')
    expect(found?.trail.map(({ status }) => status)).toEqual(['broken', 'overridden'])
    expect(found?.why).toContain('needs its type')
  })

  test('an entry of the checkout that nobody has approved hides nothing', async () => {
    const home = makeHome()
    claude(home, { user: { tracker: remote('https://user.example') } })
    home.write('project/.mcp.json', { mcpServers: { tracker: remote('https://evil.example') } })
    const found = resolveServer(await home.load(), 'tracker')
    expect(found).toMatchObject({ status: 'active', expanded: { url: 'https://user.example' } })
    expect(found?.trail.map(({ status }) => status)).toEqual(['pending', 'active'])
  })

  test('from a directory below, the nearer tables go first', async () => {
    const home = makeHome()
    const below = join(home.places.cwd, 'sub')
    home.write('home/.claude.json', {
      projects: {
        [home.places.cwd]: {
          mcpServers: { a: remote('https://root.example'), b: remote('https://b.example') },
        },
        [below]: { mcpServers: { a: remote('https://below.example') } },
      },
    })
    const { loadHostConfig } = await import('../src/index.ts')
    const config = await loadHostConfig({ ...home.places, cwd: below })
    expect(resolveServer(config, 'a')).toMatchObject({ expanded: { url: 'https://below.example' } })
    expect(resolveServer(config, 'b')).toMatchObject({ expanded: { url: 'https://b.example' } })
  })

  test('CLAUDE_PROJECT_DIR says which project it is', async () => {
    const home = makeHome()
    const other = join(home.root, 'other')
    home.write('home/.claude.json', {
      projects: { [other]: { mcpServers: { a: remote('https://other.example') } } },
    })
    const { loadHostConfig } = await import('../src/index.ts')
    expect(
      resolveServer(await loadHostConfig({ ...home.places, env: { CLAUDE_PROJECT_DIR: other } }), 'a')
        ?.status,
    ).toBe('active')
    expect(resolveServer(await home.load(), 'a')).toBeUndefined()
  })

  test('a plugin’s server whose endpoint is there already is not loaded twice; another is', async () => {
    const home = makeHome()
    const root = join(home.root, 'home/.claude/plugins/p')
    claude(home, { user: { tracker: remote('https://same.example/mcp') } })
    home.write('home/.claude/settings.json', { enabledPlugins: { 'p@m': true } })
    home.write('home/.claude/plugins/installed_plugins.json', { plugins: { 'p@m': [{ installPath: root }] } })
    home.write('home/.claude/plugins/p/.claude-plugin/plugin.json', {
      name: 'p',
      mcpServers: { twin: remote('https://same.example/mcp'), own: remote('https://own.example/mcp') },
    })
    const listed = listServers(await home.load()).map(({ server, status }) => [server.name, status])
    expect(listed).toEqual([
      ['tracker', 'active'],
      ['plugin:p:twin', 'overridden'],
      ['plugin:p:own', 'active'],
    ])
  })

  test('a switch in the user’s file turns a server off', async () => {
    const home = makeHome()
    claude(home, {
      user: { a: remote('https://a.example'), b: remote('https://b.example') },
      project: { disabledMcpServers: ['a'] },
    })
    expect(listServers(await home.load()).map(({ status }) => status)).toEqual(['disabled', 'active'])
  })
})

describe('approvals of servers that come with the checkout', () => {
  const project = (home: Home): void =>
    void home.write('project/.mcp.json', { mcpServers: { tracker: remote('https://t.example') } })
  const statusOf = async (home: Home): Promise<string | undefined> =>
    resolveServer(await home.load(), 'tracker')?.status

  test.each([
    ['nothing', {}, {}, 'pending'],
    ['the user’s settings by name', { user: { enabledMcpjsonServers: ['tracker'] } }, {}, 'active'],
    ['the user’s settings for all', { user: { enableAllProjectMcpServers: true } }, {}, 'active'],
    ['the user’s settings for another', { user: { enabledMcpjsonServers: ['other'] } }, {}, 'pending'],
    ['what Claude Code remembers', {}, { enabledMcpjsonServers: ['tracker'] }, 'active'],
    [
      'the checkout itself, in a folder without trust',
      { shared: { enableAllProjectMcpServers: true } },
      {},
      'pending',
    ],
    [
      'the checkout itself, in a trusted folder',
      { shared: { enableAllProjectMcpServers: true } },
      { hasTrustDialogAccepted: true },
      'active',
    ],
    [
      'the personal file, in a folder without trust',
      { personal: { enabledMcpjsonServers: ['tracker'] } },
      {},
      'pending',
    ],
    [
      'the personal file, in a trusted folder',
      { personal: { enabledMcpjsonServers: ['tracker'] } },
      { hasTrustDialogAccepted: true },
      'active',
    ],
    [
      'a rejection in the checkout beside an approval',
      { user: { enableAllProjectMcpServers: true }, shared: { disabledMcpjsonServers: ['tracker'] } },
      {},
      'rejected',
    ],
    [
      'a rejection that Claude Code remembers',
      { user: { enableAllProjectMcpServers: true } },
      { disabledMcpjsonServers: ['tracker'] },
      'rejected',
    ],
    ['a word that is not true', { user: { enableAllProjectMcpServers: 'yes' } }, {}, 'pending'],
  ] as const)(
    '%s',
    async (_what, settings: { user?: object; shared?: object; personal?: object }, remembered, status) => {
      const home = makeHome()
      project(home)
      claude(home, { project: remembered })
      if (settings.user) home.write('home/.claude/settings.json', settings.user)
      if (settings.shared) home.write('project/.claude/settings.json', settings.shared)
      if (settings.personal) home.write('project/.claude/settings.local.json', settings.personal)
      expect(await statusOf(home)).toBe(status)
    },
  )

  test('Codex: a project’s servers wait until the user’s file trusts the project', async () => {
    const home = makeHome()
    home.write('project/.codex/config.toml', '[mcp_servers.a]\nurl = "https://a.example"\n')
    expect(resolveServer(await home.load(), 'a', 'codex')?.status).toBe('pending')
    home.write(
      'home/.codex/config.toml',
      `[projects.${JSON.stringify(home.places.cwd)}]\ntrust_level = "trusted"\n`,
    )
    expect(resolveServer(await home.load(), 'a', 'codex')?.status).toBe('active')
  })

  test.each(['project/.vscode/mcp.json', 'project/.cursor/mcp.json', 'project/.gemini/settings.json'])(
    '%s: only its host knows whether it is trusted, so for Warder it waits',
    async (file) => {
      const home = makeHome()
      home.write(file, {
        servers: { a: { url: 'https://a.example' } },
        mcpServers: { a: { url: 'https://a.example' } },
      })
      expect(listServers(await home.load()).map(({ status }) => status)).toEqual(['pending'])
    },
  )
})

describe('variables', () => {
  const load = async (
    entry: object,
    env: Record<string, string> = {},
    file = 'home/.claude.json',
    table = 'mcpServers',
  ) => {
    const home = makeHome(env)
    home.write(file, { [table]: { a: entry } })
    const config = await home.load()
    return { server: config.servers[0]!, found: resolveServer(config, 'a', config.servers[0]!.source.host)! }
  }

  test('are put in at use, in command, args, env, url and headers, and stay as they are in the entry', async () => {
    const env = { TOKEN: 'canary', HOST: 'mcp.example.com', LEVEL: 'debug' }
    const one = await load(
      remote(`https://${variable('HOST')}/mcp`, {
        headers: { Authorization: `Bearer ${variable('TOKEN')}` },
      }),
      env,
    )
    expect(one.found.expanded).toMatchObject({
      url: 'https://mcp.example.com/mcp',
      headers: { Authorization: 'Bearer canary' },
      blocks: [],
    })
    expect(JSON.stringify(one.server)).not.toContain('canary')
    const two = await load(
      {
        command: variable('LEVEL'),
        args: [variable('NO:-a b'), variable('LEVEL:-x')],
        env: { L: variable('LEVEL') },
      },
      env,
    )
    expect(two.found.expanded).toMatchObject({
      command: 'debug',
      args: ['a b', 'debug'],
      env: { L: 'debug' },
    })
  })

  test('what a variable holds is not expanded again', async () => {
    const { found } = await load(remote('https://a.example', { headers: { 'X-A': variable('OUTER') } }), {
      OUTER: variable('INNER'),
      INNER: 'canary',
    })
    expect(found.expanded.headers).toEqual({ 'X-A': variable('INNER') })
  })

  test('unset without a default: the literal text is kept and told, and a header with a credential stops the server', async () => {
    const { found } = await load(
      remote('https://a.example', {
        headers: { Authorization: `Bearer ${variable('TOKEN')}`, 'X-Team': variable('TEAM') },
      }),
    )
    expect(found.expanded.headers).toEqual({
      Authorization: `Bearer ${variable('TOKEN')}`,
      'X-Team': variable('TEAM'),
    })
    expect(found.expanded.findings.map(({ rule, level }) => [rule, level])).toEqual([
      ['unset-variable', 'warning'],
      ['unset-variable', 'warning'],
    ])
    expect(found.expanded.blocks).toEqual(['the variable TOKEN in the header Authorization is not set'])
    const { found: twin } = await load(
      remote('https://a.example', { headers: { 'X-Team': variable('TEAM') } }),
    )
    expect(twin.expanded.blocks).toEqual([])
  })

  test.each(['x-api-key', 'Cookie', 'X-GitHub-Token', 'clientSecret', 'proxy-authorization'])(
    '%s holds a credential',
    async (name) => {
      const { found } = await load(remote('https://a.example', { headers: { [name]: variable('NO') } }))
      expect(found.expanded.blocks).toHaveLength(1)
    },
  )

  test('an unset variable in the URL stops the server: nobody knows where it leads', async () => {
    const { found } = await load(remote(`https://${variable('HOST')}/mcp`))
    expect(found.expanded.blocks).toEqual(['the variable HOST in the URL is not set'])
  })

  test('a variable that would begin another header stops the server', async () => {
    const { found } = await load(remote('https://a.example', { headers: { 'X-A': variable('A') } }), {
      A: 'x\r\nX-Evil: y',
    })
    expect(found.expanded.blocks).toEqual(['the header X-A would hold a control character'])
  })

  test.each([
    ['home/.config/Code/User/mcp.json', 'servers', variable('env:TOKEN'), 'canary'],
    ['home/.config/Code/User/mcp.json', 'servers', variable('TOKEN'), variable('TOKEN')],
    ['home/.cursor/mcp.json', 'mcpServers', variable('env:TOKEN'), 'canary'],
    ['home/.gemini/settings.json', 'mcpServers', '$TOKEN', 'canary'],
    ['home/.gemini/settings.json', 'mcpServers', variable('TOKEN'), 'canary'],
    ['home/.claude.json', 'mcpServers', '$TOKEN', '$TOKEN'],
    ['home/.claude.json', 'mcpServers', variable('env:TOKEN'), variable('env:TOKEN')],
    ['home/.claude.json', 'mcpServers', variable('__proto__'), variable('__proto__')],
    ['home/.claude.json', 'mcpServers', variable('toString'), variable('toString')],
  ])('%s: each host has its own way (%s %s → %s)', async (file, table, text, expected) => {
    const { found } = await load(
      { type: 'http', url: 'https://a.example', headers: { 'X-A': text } },
      { TOKEN: 'canary' },
      file,
      table,
    )
    expect(found.expanded.headers?.['X-A']).toBe(expected)
  })

  test('what VS Code would ask the user for is not there', async () => {
    const text = variable('input:key')
    const { found } = await load(
      { type: 'http', url: 'https://a.example', headers: { Authorization: text } },
      {},
      'home/.config/Code/User/mcp.json',
      'servers',
    )
    expect(found.expanded.blocks).toEqual(['the variable key in the header Authorization is not set'])
  })

  test('Codex: a variable that is not set stops a server whose credential it is', async () => {
    const home = makeHome({ SET: 'canary' })
    home.write(
      'home/.codex/config.toml',
      '[mcp_servers.a]\nurl = "https://a.example"\nbearer_token_env_var = "NO"\n[mcp_servers.b]\nurl = "https://b.example"\nbearer_token_env_var = "SET"\n',
    )
    const config = await home.load()
    expect(resolveServer(config, 'a', 'codex')?.expanded.blocks).toEqual([
      'the variable NO for the header Authorization is not set',
    ])
    expect(resolveServer(config, 'b', 'codex')?.expanded).toMatchObject({
      headers: { Authorization: 'Bearer canary' },
      blocks: [],
    })
  })
})
