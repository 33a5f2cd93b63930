import { describe, expect, test } from 'vitest'
import {
  dialects,
  findSecrets,
  type Host,
  hosts,
  looksSecret,
  unreadFields,
  type WritableServer,
  writeEntry,
  writeEntryText,
} from '../src/index.ts'
import { makeHome, variable } from './make-home.ts'

const full: WritableServer = {
  name: 'tracker',
  transport: 'http',
  url: 'https://mcp.example.com/mcp',
  headers: { 'X-Team': 'core', Authorization: `Bearer ${variable('TOKEN')}` },
  oauth: {
    clientId: 'abc',
    callbackPort: 8123,
    scopes: ['a', 'b'],
    metadataUrl: 'https://as.example.com/meta',
  },
  timeoutMs: 5000,
}

describe('a server in the words of each host', () => {
  test.each([
    [
      'warder',
      {
        type: 'http',
        url: full.url,
        headers: full.headers,
        oauth: {
          clientId: 'abc',
          callbackPort: 8123,
          scopes: 'a b',
          authServerMetadataUrl: 'https://as.example.com/meta',
        },
        timeout: 5000,
      },
      [],
    ],
    [
      'vscode',
      {
        type: 'http',
        url: full.url,
        headers: { 'X-Team': 'core', Authorization: `Bearer ${variable('env:TOKEN')}` },
        oauth: { clientId: 'abc' },
      },
      ['the time limit', 'the callback port', 'the scopes', 'where the metadata'],
    ],
    [
      'cursor',
      {
        url: full.url,
        headers: { 'X-Team': 'core', Authorization: `Bearer ${variable('env:TOKEN')}` },
        auth: { CLIENT_ID: 'abc', scopes: ['a', 'b'] },
      },
      ['the time limit', 'the callback port', 'where the metadata'],
    ],
    [
      'codex',
      {
        url: full.url,
        http_headers: { 'X-Team': 'core' },
        bearer_token_env_var: 'TOKEN',
        oauth: { client_id: 'abc' },
        scopes: ['a', 'b'],
        tool_timeout_sec: 5,
      },
      ['the callback port', 'where the metadata'],
    ],
    [
      'gemini',
      {
        httpUrl: full.url,
        headers: full.headers,
        oauth: { enabled: true, clientId: 'abc', scopes: ['a', 'b'] },
        timeout: 5000,
      },
      ['the callback port', 'where the metadata'],
    ],
    ['claude-desktop', undefined, ['a http server']],
  ] as const)('%s', (host, entry, lost) => {
    const written = writeEntry(full, 'shell', host)
    expect(
      written.entry === undefined
        ? undefined
        : {
            ...written.entry,
            headers: written.entry['headers'] && { ...(written.entry['headers'] as object) },
          },
    ).toEqual(
      entry === undefined ? undefined : { ...entry, headers: 'headers' in entry ? entry.headers : undefined },
    )
    expect(written.lost).toHaveLength(lost.length)
    for (const [at, words] of lost.entries()) expect(written.lost[at]).toContain(words)
  })

  test.each(hosts.filter((host) => host !== 'claude-desktop'))(
    'what %s can say comes back when it is read again',
    async (host) => {
      const home = makeHome({ TOKEN: 't' })
      const { entry } = writeEntry(full, 'shell', host)
      const text = writeEntryText(host, [{ name: 'tracker', entry: entry! }])
      const files = {
        warder: 'home/.config/warder/servers.json',
        'claude-code': 'home/.claude.json',
        vscode: 'home/.config/Code/User/mcp.json',
        cursor: 'home/.cursor/mcp.json',
        codex: 'home/.codex/config.toml',
        gemini: 'home/.gemini/settings.json',
      }
      home.write(files[host], text)
      const { servers, findings } = await home.load()
      expect(findings).toEqual([])
      expect(servers).toMatchObject([
        { name: 'tracker', transport: 'http', url: full.url, oauth: { clientId: 'abc' } },
      ])
      const { resolveServer } = await import('../src/index.ts')
      expect({ ...resolveServer(await home.load(), 'tracker', host)?.expanded.headers }).toEqual({
        'X-Team': 'core',
        Authorization: 'Bearer t',
      })
    },
  )

  test('what a host would take for a variable, or not for one, is not written there', () => {
    const one = writeEntry({ ...full, headers: { 'X-A': '$HOME' } }, 'shell', 'gemini')
    expect(one.entry?.['headers']).toBeUndefined()
    const two = writeEntry({ ...full, headers: { 'X-A': variable('A:-b') } }, 'shell', 'vscode')
    expect(two.lost.join()).toContain(`${variable('A:-b')} in the header X-A`)
    const three = writeEntry(
      { name: 'a', transport: 'stdio', command: 'x', args: [variable('A')] },
      'shell',
      'claude-desktop',
    )
    expect(three.entry).toBeUndefined()
  })

  test('a reference to the credential store is for Warder alone', () => {
    const server = { ...full, headers: { Authorization: 'Bearer keychain://tracker' } }
    expect(writeEntry(server, 'shell', 'warder').entry?.['headers']).toEqual(server.headers)
    for (const host of ['claude-code', 'vscode', 'codex'] as const) {
      const { entry, lost } = writeEntry(server, 'shell', host)
      expect(entry?.['headers'] ?? entry?.['http_headers']).toBeUndefined()
      expect(lost.join()).toContain('the header Authorization')
    }
  })

  test('the tools that it is limited to go along where there are fields for them, and are told as lost elsewhere', async () => {
    const limited: WritableServer = {
      ...full,
      oauth: {},
      tools: { only: ['read', 'list'], without: ['delete'] },
      isDisabled: true,
    }
    const command: WritableServer = { name: 'c', transport: 'stdio', command: 'x', tools: { without: ['y'] } }
    const of = (host: Host): readonly unknown[] => {
      const { entry, lost } = writeEntry(limited, 'shell', host)
      return [Object.entries(entry ?? {}).filter(([key]) => /tools/i.test(key)), lost]
    }
    const [kept, off] = [
      [
        ['includeTools', limited.tools!.only],
        ['excludeTools', ['delete']],
      ],
      (title: string) => `that it is switched off (${title} has no field for it)`,
    ] as const
    expect(of('warder')).toEqual([kept, [off('Warder')]])
    expect(of('gemini')).toEqual([kept, [off('Gemini CLI')]])
    expect(of('codex')).toEqual([
      [
        ['enabled_tools', limited.tools!.only],
        ['disabled_tools', ['delete']],
      ],
      [off('Codex')],
    ])
    const lost = ['the only tools that it lets through', 'the tools that it leaves out']
    const said = (title: string, words: readonly string[]): readonly string[] =>
      words.map((what) => `${what} (${title} has no field for it)`)
    expect(of('claude-code')).toEqual([[], [off('Claude Code'), ...said('Claude Code', lost)]])
    for (const [host, title] of [
      ['vscode', 'VS Code'],
      ['cursor', 'Cursor'],
    ] as const) {
      const all = ['the time limit of a call', 'that it is switched off', ...lost]
      expect(of(host)).toEqual([[], said(title, all)])
    }
    expect(writeEntry(command, 'shell', 'codex').entry).toMatchObject({ disabled_tools: ['y'] })
    expect(writeEntry(command, 'shell', 'vscode').lost).toEqual(said('VS Code', lost.slice(1)))
  })

  test('Warder’s own entry limits tools as Gemini’s does, and fields that nobody reads are named', async () => {
    const home = makeHome()
    home.write('home/.config/warder/servers.json', {
      mcpServers: {
        a: { type: 'http', url: full.url, includeTools: ['read'], excludeTools: ['b'], cwd: '/x' },
      },
    })
    const [server] = (await home.load()).servers
    expect(server?.tools).toEqual({ only: ['read'], without: ['b'] })
    expect(unreadFields(server!)).toEqual(['cwd'])
  })

  test('a command', () => {
    const local: WritableServer = {
      name: 'files',
      transport: 'stdio',
      command: 'npx',
      args: ['-y', 'a b'],
      env: { LEVEL: 'debug' },
    }
    const plain = { command: 'npx', args: ['-y', 'a b'], env: { LEVEL: 'debug' } }
    expect(
      hosts
        .filter((host) => dialects[host].speaks.includes('stdio'))
        .map((host) => [host, writeEntry(local, 'shell', host).entry]),
    ).toEqual([
      ['claude-code', { type: 'stdio', ...plain }],
      ['claude-desktop', plain],
      ['vscode', { type: 'stdio', ...plain }],
      ['cursor', { type: 'stdio', ...plain }],
      ['codex', plain],
      ['gemini', plain],
    ])
  })
})

describe('what must not be written into a file', () => {
  const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'
  const found = (more: Partial<WritableServer>): readonly string[] =>
    findSecrets({ name: 'a', transport: 'http', url: 'https://a.example/mcp', ...more }, 'shell')

  const secrets: readonly (readonly [string, Partial<WritableServer>, string])[] = [
    ['a bearer token', { headers: { Authorization: 'Bearer abcdef' } }, 'the header Authorization'],
    ['a key by its header', { headers: { 'X-Api-Key': 'abc' } }, 'the header X-Api-Key'],
    [
      'a token under a harmless name',
      { headers: { 'X-Team': `ghp_${'a1B2'.repeat(9)}` } },
      'the header X-Team',
    ],
    ['a JWT', { headers: { 'X-Team': jwt } }, 'the header X-Team'],
    [
      'the default of a variable',
      { headers: { Authorization: variable('TOKEN:-abc') } },
      'the header Authorization',
    ],
    [
      'a literal beside a variable',
      { headers: { Authorization: `Bearer abc${variable('X')}` } },
      'the header Authorization',
    ],
    ['a variable of the command', { env: { GITHUB_TOKEN: 'abc' } }, 'the variable GITHUB_TOKEN'],
    ['an argument', { args: ['--api-key=abc'] }, 'argument 1'],
    ['an argument behind its option', { args: ['--token', 'abc'] }, 'argument 2'],
    ['a password in the URL', { url: 'https://me:abc@a.example/' }, 'the URL'],
    ['a key in the query', { url: 'https://a.example/mcp?api_key=abc' }, 'the URL'],
    ['a token in the path', { url: 'https://a.example/k9Xq2LmZ7pRt4WvB8nYc3HdF6sJg1QaE/mcp' }, 'the URL'],
    ['the helper', { headersHelper: ['/bin/h', '--token=abc'] }, 'the headers helper'],
    [
      'a header of the helper, in a shell line',
      { headersHelper: "curl -H 'Authorization: Bearer abc' https://a.example" },
      'the headers helper',
    ],
    ['a header as an argument', { args: ['--header', 'Authorization: Bearer s3cret-value-9'] }, 'argument 2'],
    ['the same without a blank', { args: ['--header', 'My-Token:abc'] }, 'argument 2'],
    ['the same in one word', { args: ['--header=Authorization: Bearer abc'] }, 'argument 1'],
    ['a header that is known without its option', { args: ['Authorization:abc'] }, 'argument 1'],
    ['the address of a database', { args: ['postgresql://admin:hunter2pw@db/prod'] }, 'argument 1'],
    ['a token for an account', { args: [`postgres://ghp_${'a1B2'.repeat(9)}@db/prod`] }, 'argument 1'],
    ['a token of another scheme', { args: ['nats://my-token@broker.example:4222'] }, 'argument 1'],
    ['a token with an empty password', { args: ['https://my-token:@a.example'] }, 'argument 1'],
    ['the same for Java', { args: ['jdbc:postgresql://admin:hunter2pw@db/prod'] }, 'argument 1'],
    ['the same with a slash in the password', { args: ['postgres://admin:pa/ss@db/prod'] }, 'argument 1'],
    ['an address in an option', { args: ['--verbose', '--db=postgres://a:b@db/prod'] }, 'argument 2'],
    ['its fields', { args: ['Server=db;User Id=sa;Password=hunter2'] }, 'argument 1'],
    [
      'an address in a variable',
      { env: { DATABASE_URL: 'postgres://admin:hunter2pw@db/prod' } },
      'the variable DATABASE_URL',
    ],
    [
      'a header that holds an address',
      { headers: { 'X-Up': 'https://me:abc@a.example' } },
      'the header X-Up',
    ],
    ['a variable for a container', { args: ['run', '-e', 'API_KEY=hunter2hunter2'] }, 'argument 3'],
    ['the same in one word', { args: ['--env=API_KEY=hunter2'] }, 'argument 1'],
    ['the same without a blank', { args: ['-eAPI_KEY=hunter2'] }, 'argument 1'],
    ['a variable in a script', { args: ['-c', 'API_KEY=hunter2 npx server'] }, 'argument 2'],
    ['an option in a script', { args: ['-c', 'npx server --token "hunter2"'] }, 'argument 2'],
    ['a header in a script', { args: ['-c', 'curl -H "Authorization: Bearer abc" x'] }, 'argument 2'],
    ['a member of JSON', { args: ['--headers', '{"Authorization":"abc"}'] }, 'argument 2'],
    ['the default of a variable in an argument', { args: [`API_KEY=${variable('K:-abc')}`] }, 'argument 1'],
    ['the command itself', { command: 'API_KEY=hunter2 npx' }, 'the command'],
    ['a user name in the URL', { url: 'https://my-token-abc@mcp.example.com/mcp' }, 'the URL'],
    ['the same without slashes', { url: 'https:my-token-abc@mcp.example.com/mcp' }, 'the URL'],
    ['the same beside variables', { url: `https://${variable('U')}:abc@${variable('H')}/mcp` }, 'the URL'],
    ['a token in the fragment', { url: 'https://a.example/mcp#access_token=abc' }, 'the URL'],
    [
      'a token that is the fragment',
      { url: 'https://a.example/mcp#k9Xq2LmZ7pRt4WvB8nYc3HdF6sJg1QaE' },
      'the URL',
    ],
    ['a token without a name in the query', { url: `https://a.example/?ghp_${'a1B2'.repeat(9)}` }, 'the URL'],
    ['a token with a plus sign', { url: 'https://a.example/?x=k9Xq2LmZ7pRt+WvB8nYc3HdF6sJg1QaE' }, 'the URL'],
    ['a token with escapes', { url: `https://a.example/g%68p%5F${'a1B2'.repeat(9)}/mcp` }, 'the URL'],
    ['a token behind a variable', { url: `${variable('BASE')}k9Xq2LmZ7pRt4WvB8nYc3HdF6sJg1QaE` }, 'the URL'],
    ['a key beside a variable host', { url: `https://${variable('H')}:8443/?api_key=abc` }, 'the URL'],
    [
      'a password in the address of the metadata',
      { oauth: { metadataUrl: 'https://me:abc@as.example/m' } },
      'the URL of the metadata',
    ],
    ['equals signs without end', { args: [`${'a='.repeat(50_000)}ghp_${'a1B2'.repeat(9)}`] }, 'argument 1'],
  ]
  test.each(secrets)('Q16 %s', (_what, more, where) => {
    expect(found(more)).toEqual([where])
  })

  const harmless: readonly (readonly [string, Partial<WritableServer>])[] = [
    [
      'a variable',
      { headers: { Authorization: `Bearer ${variable('TOKEN')}`, 'X-Api-Key': variable('KEY') } },
    ],
    ['a reference', { headers: { Authorization: 'Bearer keychain://tracker', 'X-Api-Key': 'secret://t' } }],
    [
      'words',
      {
        headers: { 'X-Team': 'core', 'X-Trace-Level': 'debug' },
        env: { LEVEL: 'debug', LANG: 'en_US.UTF-8' },
      },
    ],
    [
      'a package, a path, a version',
      { args: ['-y', '@modelcontextprotocol/server-filesystem@2025.11.25', '/home/me/some-Long-Path-1/x'] },
    ],
    ['an address with a port and a query', { url: 'https://mcp.example.com:8443/v1/mcp?tenant=core' }],
    ['a variable in the query', { url: `https://a.example/mcp?key=${variable('KEY')}` }],
    ['a fragment and a switch', { url: 'https://a.example/mcp?auth=none#section' }],
    ['a helper', { headersHelper: 'print-headers --for a --token-file ~/.token' }],
    ['a database without an account', { env: { DATABASE_URL: 'postgres://localhost/db' } }],
    ['a command with its path', { command: '/nix/store/0c4w6xq2lmz7prt4wvb8nyc3hdf6sjg1-node-24/bin/npx' }],
    ['a command with blanks', { command: 'C:\\Program Files\\nodejs\\npx.cmd' }],
    [
      'variables of a command',
      { env: { GITHUB_TOKEN: variable('GITHUB_TOKEN') }, args: ['--token', variable('T')] },
    ],
  ]
  test.each([
    ['a variable for a container', ['run', '-i', '--rm', '-e', 'NODE_ENV=production', '-e', 'API_KEY']],
    ['a header', ['--header', 'Accept: application/json', '--header', 'X-Team:core']],
    ['the address of a database without an account', ['postgres://localhost/db', 'redis://localhost:6379/0']],
    ['an account whose password is a variable', [`postgres://admin:${variable('PASS')}@db/prod`]],
    ['an account without a password', ['mysql://root@localhost/db', 'mongodb+srv://me@cluster.example/db']],
    ['several hosts', ['mongodb://one:27017,two:27017/db']],
    ['a number behind an option', ['--port=8080', '--max-tokens=4096', '-e', 'MAX_TOKENS=4096']],
    ['a switch', ['--auth=none', '--use-token', 'false']],
    ['a path', ['--token-file', '/run/secrets/token', '-e', 'GOOGLE_APPLICATION_CREDENTIALS=/app/key.json']],
    ['a fragment', ['https://host.example/path#section', '--help-url=https://h.example/p#section']],
    ['a repository', ['--from', 'git+ssh://git@github.com/org/repo.git', 'git@github.com:org/repo']],
    ['a package under an address', ['https://registry.npmjs.org/@scope/pkg', 'git+https://h.example/x@v1']],
    ['a port, a version, a scope', ['auth.example.com:443', 'token-server:1.2', 'session:read,auth:write']],
    ['a drive', ['C:\\Users\\me\\session', 'D:/token']],
    ['variables', [`API_KEY=${variable('API_KEY')}`, `-e=T=${variable('T')}`]],
    ['a header that is a variable', ['--header', `Authorization: Bearer ${variable('AUTH_TOKEN')}`]],
    ['the same without a blank', ['--header', `Authorization:${variable('AUTH_HEADER')}`]],
    ['an account that is variables', [`postgres://${variable('U')}:${variable('P')}@db/prod`]],
    ['a script', ['-c', 'TOKEN=$(cat /run/t) npx server --token "$TOKEN" -H "Authorization: Bearer $TOKEN"']],
    ['JSON', ['{"scope":"read","token_endpoint_auth_method":"none"}']],
    ['a host with many letters', ['https://mcp-7f3a9c2b4d5e.eu-west-1.example.com/mcp']],
  ])('%s may be written as an argument', (_what, args) => {
    expect(found({ args })).toEqual([])
  })

  test('what a program puts in itself is no secret in any host, and that of the host is none in its own words', () => {
    const local: WritableServer = { name: 'a', transport: 'stdio', command: 'npx' }
    for (const host of hosts)
      expect(
        findSecrets(
          { ...local, args: ['--header', `Authorization: Bearer ${variable('AUTH_TOKEN')}`] },
          dialects[host].expansion,
        ),
      ).toEqual([])
    const args = ['--header', `Authorization: Bearer ${variable('env:TOKEN')}`]
    expect(findSecrets({ ...local, args }, 'cursor')).toEqual([])
    expect(findSecrets({ ...local, args }, 'shell')).toEqual(['argument 2'])
  })

  test.each(harmless)('%s may be written', (_what, more) => {
    expect(found(more)).toEqual([])
  })

  test.each(['X-Monkey', 'PATH', 'Keyboard', 'X-Patient'])('the name %s only looks like one', (name) => {
    expect(looksSecret(name, 'x')).toBe(false)
  })
})
