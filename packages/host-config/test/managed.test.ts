import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decideManaged,
  listServers,
  type ManagedDecision,
  matchesUrl,
  readUrlPattern,
  resolveServer,
} from '../src/index.ts'
import { type Home, makeHome, remote, variable } from './make-home.ts'

type Target = Parameters<typeof decideManaged>[1]

const site: Target = { name: 'tracker', url: 'https://mcp.example.com/mcp' }
const local: Target = { name: 'files', argv: ['npx', '-y', 'server@1.2.3'] }

async function decide(
  managed: unknown,
  target: Target,
  { env = {}, user }: { env?: Record<string, string>; user?: object } = {},
): Promise<boolean> {
  const home = makeHome(env)
  home.write('managed/managed-settings.json', managed)
  if (user) home.write('home/.claude/settings.json', user)
  return decideManaged((await home.load()).policy, target).isAllowed
}

const url = (serverUrl: string): object => ({ serverUrl })
const name = (serverName: string): object => ({ serverName })
const command = (...serverCommand: string[]): object => ({ serverCommand })

describe('managed allow and deny lists', () => {
  const rows: readonly (readonly [string, object, Target, boolean])[] = [
    ['no lists: everything', {}, site, true],
    ['an empty allow list: nothing', { allowedMcpServers: [] }, site, false],
    ['an empty allow list: no command either', { allowedMcpServers: [] }, local, false],
    ['allowed by URL', { allowedMcpServers: [url('https://mcp.example.com/*')] }, site, true],
    ['another URL', { allowedMcpServers: [url('https://other.example.com/*')] }, site, false],
    ['allowed by name', { allowedMcpServers: [name('tracker')] }, site, true],
    [
      'names count no more once there is a URL',
      { allowedMcpServers: [name('tracker'), url('https://other.example.com')] },
      site,
      false,
    ],
    [
      'names still count for commands then',
      { allowedMcpServers: [name('files'), url('https://other.example.com')] },
      local,
      true,
    ],
    [
      'names count no more once there is a command',
      { allowedMcpServers: [name('files'), command('node')] },
      local,
      false,
    ],
    [
      'names still count for URLs then',
      { allowedMcpServers: [name('tracker'), command('node')] },
      site,
      true,
    ],
    ['allowed by command', { allowedMcpServers: [command('npx', '-y', 'server@1.2.3')] }, local, true],
    ['one argument more', { allowedMcpServers: [command('npx', '-y')] }, local, false],
    ['one argument less', { allowedMcpServers: [command('npx', '-y', 'server@1.2.3', 'x')] }, local, false],
    ['a star in a command is a star', { allowedMcpServers: [command('npx', '-y', '*')] }, local, false],
    [
      'denied by URL, although allowed',
      { allowedMcpServers: [url('https://*')], deniedMcpServers: [url('https://mcp.example.com')] },
      site,
      false,
    ],
    [
      'denied by name, although allowed by URL',
      { allowedMcpServers: [url('https://*')], deniedMcpServers: [name('tracker')] },
      site,
      false,
    ],
    ['denied by command', { deniedMcpServers: [command('npx', '-y', 'server@1.2.3')] }, local, false],
    ['another is denied', { deniedMcpServers: [url('https://other.example.com')] }, site, true],
    [
      'a name to deny may have any character',
      { deniedMcpServers: [name('plugin:p:s')] },
      { name: 'plugin:p:s', url: site.url! },
      false,
    ],
  ]
  test.each(rows)('%s', async (_what, managed, target, expected) => {
    expect(await decide(managed, target)).toBe(expected)
  })

  test('users may widen the list, unless only the managed one counts; denials always add up', async () => {
    const user = { allowedMcpServers: [url('https://mcp.example.com/*')], deniedMcpServers: [name('files')] }
    const managed = { allowedMcpServers: [url('https://other.example.com/*')] }
    expect(await decide(managed, site, { user })).toBe(true)
    expect(await decide({ ...managed, allowManagedMcpServersOnly: true }, site, { user })).toBe(false)
    expect(await decide({ allowManagedMcpServersOnly: true }, local, { user })).toBe(false)
  })

  const invalid: readonly (readonly [string, object, Target, boolean])[] = [
    [
      'an allow list that is none allows nothing',
      { allowedMcpServers: { serverName: 'tracker' } },
      site,
      false,
    ],
    ['an allow list that is a text', { allowedMcpServers: '*' }, site, false],
    [
      'bad entries are left out, good ones count',
      { allowedMcpServers: [{}, 7, null, { serverUrl: 3 }, url('https://mcp.example.com')] },
      site,
      true,
    ],
    [
      'nothing but bad entries: an empty list',
      { allowedMcpServers: [{ serverUrl: 'https://mcp.example.com', serverName: 'tracker' }] },
      site,
      false,
    ],
    [
      'a name with a blank allows nothing',
      { allowedMcpServers: [name('trac ker')] },
      { name: 'trac ker', url: site.url! },
      false,
    ],
    [
      'an unknown kind of entry allows nothing',
      { allowedMcpServers: [{ serverHost: 'mcp.example.com' }] },
      site,
      false,
    ],
    ['__proto__ is no kind of entry', { allowedMcpServers: [JSON.parse('{"__proto__": "x"}')] }, site, false],
    ['a deny list that is none denies nothing', { deniedMcpServers: 'tracker' }, site, true],
    ['the good entries of a deny list count', { deniedMcpServers: [7, name('tracker')] }, site, false],
    ['a command that is no list', { deniedMcpServers: [{ serverCommand: 'npx' }] }, local, true],
  ]
  test.each(invalid)('invalid values: %s', async (_what, managed, target, expected) => {
    const home = makeHome()
    const file = home.write('managed/managed-settings.json', managed)
    const config = await home.load()
    expect(decideManaged(config.policy, target).isAllowed).toBe(expected)
    expect(config.findings.length).toBeGreaterThan(0)
    for (const { rule, place } of config.findings)
      expect([rule.slice(0, 6), place.file]).toEqual(['policy', file])
  })

  test('allowManagedMcpServersOnly that is neither true nor false counts as true', async () => {
    const user = { allowedMcpServers: [url('https://mcp.example.com/*')] }
    const managed = { allowedMcpServers: [], allowManagedMcpServersOnly: 'no' }
    expect(await decide(managed, site, { user })).toBe(false)
    expect(await decide({ ...managed, allowManagedMcpServersOnly: false }, site, { user })).toBe(true)
  })

  test('a managed file that is no JSON gives nothing, and is told; one that is no file forbids everything', async () => {
    const home = makeHome()
    home.write('managed/managed-settings.json', '{"deniedMcpServers": [{"serverName": "tracker"}]')
    const config = await home.load()
    expect(decideManaged(config.policy, site).isAllowed).toBe(true)
    expect(config.findings).toMatchObject([{ rule: 'syntax' }])
    const twin = makeHome()
    twin.write('managed/managed-settings.json/x', '')
    expect(decideManaged((await twin.load()).policy, site)).toMatchObject({
      isAllowed: false,
      why: expect.stringContaining('cannot be read'),
    })
  })

  const text =
    '{"companyAnnouncements":["Grüße"],"deniedMcpServers":[{"serverUrl":"https://evil.example/*"}]}'
  test.each([
    ['Latin-1', 'managed-settings.json', Buffer.from(text, 'latin1')],
    ['Latin-1 beside another', 'managed-settings.d/10-a.json', Buffer.from(text, 'latin1')],
    ['UTF-16', 'managed-settings.json', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['a Latin-1 list of servers', 'managed-mcp.json', Buffer.from('{"mcpServers":{"ü":{}}}', 'latin1')],
    ['deeper than Warder reads', 'managed-settings.json', `{"a":${'['.repeat(250)}${']'.repeat(250)}}`],
  ])('a managed file that Warder cannot read forbids everything: %s', async (_what, file, content) => {
    const home = makeHome()
    const path = home.write(`managed/${file}`, '')
    writeFileSync(path, content)
    expect(decideManaged((await home.load()).policy, site)).toEqual({
      isAllowed: false,
      why: `the managed settings in ${path}:1 cannot be read, so no server is allowed`,
    })
  })

  test('the same in UTF-8, and the user’s own file in Latin-1, forbid what they name', async () => {
    const home = makeHome()
    home.write('managed/managed-settings.json', text)
    writeFileSync(home.write('home/.claude/settings.json', ''), Buffer.from(text, 'latin1'))
    const { policy } = await home.load()
    expect(decideManaged(policy, site).isAllowed).toBe(true)
    expect(decideManaged(policy, { name: 'x', url: 'https://evil.example/mcp' }).isAllowed).toBe(false)
  })

  test.runIf(process.getuid?.() !== 0)('a managed file that nobody may read forbids everything', async () => {
    const home = makeHome()
    chmodSync(home.write('managed/managed-settings.json', {}), 0)
    expect(decideManaged((await home.load()).policy, site).isAllowed).toBe(false)
  })

  test('files of managed-settings.d come in the order of their names: lists add up, the last switch counts', async () => {
    const home = makeHome()
    home.write('managed/managed-settings.json', {
      allowedMcpServers: [url('https://a.example')],
      allowManagedMcpServersOnly: true,
    })
    home.write('managed/managed-settings.d/20-b.json', { allowManagedMcpServersOnly: false })
    home.write('managed/managed-settings.d/10-a.json', {
      allowedMcpServers: [url('https://mcp.example.com')],
      allowManagedMcpServersOnly: true,
    })
    home.write('managed/managed-settings.d/.hidden.json', { deniedMcpServers: [name('tracker')] })
    home.write('managed/managed-settings.d/notes.txt', 'not JSON')
    home.write('home/.claude/settings.json', { allowedMcpServers: [url('https://user.example')] })
    const { policy } = await home.load()
    const isAllowed = (address: string): boolean =>
      decideManaged(policy, { name: 'x', url: address }).isAllowed
    expect(
      ['https://a.example', 'https://mcp.example.com', 'https://user.example', 'https://no.example'].map(
        isAllowed,
      ),
    ).toEqual([true, true, true, false])
  })

  test('the reason names file and line of the entry that denies', async () => {
    const home = makeHome()
    const file = home.write(
      'managed/managed-settings.json',
      '{\n  "deniedMcpServers": [\n    {"serverName": "tracker"}\n  ]\n}',
    )
    const decision = decideManaged((await home.load()).policy, site)
    expect(decision).toMatchObject({ isAllowed: false, why: `a deny list names it (${file}:3)` })
  })
})

describe('URL patterns', () => {
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['https://mcp.example.com/*', 'https://mcp.example.com/mcp', true],
    ['https://mcp.example.com', 'https://mcp.example.com/any/path?x=1', true],
    ['https://mcp.example.com/mcp', 'https://mcp.example.com/mcp', true],
    ['https://mcp.example.com/mcp', 'https://mcp.example.com/mcp?tenant=1', true],
    ['https://mcp.example.com/mcp', 'https://mcp.example.com/MCP', false],
    ['https://mcp.example.com/mcp', 'https://mcp.example.com/mcp/x', false],
    ['https://MCP.Example.COM/mcp', 'https://mcp.example.com/mcp', true],
    ['https://mcp.example.com/mcp', 'HTTPS://MCP.EXAMPLE.COM/mcp', true],
    ['https://mcp.example.com./mcp', 'https://mcp.example.com/mcp', true],
    ['https://mcp.example.com/mcp', 'https://mcp.example.com./mcp', true],
    ['https://*.example.com/*', 'https://mcp.example.com/x', true],
    ['https://*.example.com/*', 'https://example.com/x', false],
    ['https://*.example.com/*', 'https://evil.example/.example.com/x', false],
    ['https://*.example.com/*', 'https://evil.example/?x=.example.com/', false],
    ['https://*.example.com/*', 'https://a.example.com@evil.example/', false],
    ['https://mcp.example.com/*', 'https://mcp.example.com.evil.example/', false],
    ['https://mcp.example.com/*', 'http://mcp.example.com/', false],
    ['*://mcp.example.com/*', 'http://mcp.example.com/', true],
    ['http*://mcp.example.com/*', 'https://mcp.example.com/', true],
    ['https://mcp.example.com/*', 'https://mcp.example.com:8443/', false],
    ['https://mcp.example.com:8443/*', 'https://mcp.example.com:8443/', true],
    ['https://mcp.example.com:443/*', 'https://mcp.example.com/', true],
    ['http://localhost:*/*', 'http://localhost:3000/mcp', true],
    ['http://localhost:*/*', 'http://localhost.evil.example:3000/mcp', false],
    ['https://mcp.example.com/team/*', 'https://mcp.example.com/team/../admin', false],
    ['https://mcp.example.com/team/*', 'https://mcp.example.com/team/%2e%2e/admin', false],
    ['https://mcp.example.com/team/*', 'https://mcp.example.com/team/..%2fadmin', false],
    ['https://mcp.example.com/team/*', 'https://mcp.example.com/team/..%252fadmin', false],
    ['https://mcp.example.com/team/*', 'https://mcp.example.com/team/a%20b', true],
    ['https://bücher.example/*', 'https://xn--bcher-kva.example/x', true],
    ['https://[::1]/*', 'https://[::1]/x', true],
    ['*', 'https://anything.example/', true],
    ['https://mcp.example.com/team/*', 'https://mcp.example.com/team/..%2fadmin/%ff', false],
    ['https://mcp.example.com/team/*', 'https://mcp.example.com/team/x/%ff', true],
    ['https://mcp.example.com/team/*', 'https://mcp.example.com/team%2fx', false],
    ['https://mcp.example.com/My%20Team/*', 'https://mcp.example.com/My%20Team/mcp', true],
    ['https://mcp.example.com/My Team/*', 'https://mcp.example.com/My%20Team/mcp', true],
    ['https://mcp.example.com/My%20Team/*', 'https://mcp.example.com/My%2520Team/mcp', false],
    ['https://mcp.example.com/My%20Team/*', 'https://mcp.example.com/My%20Team/..%2fadmin', false],
    ['https://mcp.example.com/b%c3%bccher/*', 'https://mcp.example.com/bücher/mcp', true],
    ['https://mcp.example.com/a%2fb/*', 'https://mcp.example.com/a%2Fb/mcp', true],
    ['https://mcp.example.com/a%2fb/*', 'https://mcp.example.com/a/b/mcp', false],
    ['https://mcp.example.com/a%2ab', 'https://mcp.example.com/a%2ab', true],
    ['https://mcp.example.com/a%2ab', 'https://mcp.example.com/axb', false],
    ['https://mcp.example.com/a%2ab', 'https://mcp.example.com/a%2fb', false],
    ['https://mcp.example.com/mcp?team=a*', 'https://mcp.example.com/mcp?team=ab', true],
    ['https://mcp.example.com/mcp?team=a*', 'https://mcp.example.com/mcp?team=b', false],
    ['https://[2001:db8:0:0::1]/*', 'https://[2001:db8::1]/x', true],
    ['https://[2001:DB8::1]:8443/*', 'https://[2001:db8::1]:8443/x', true],
    ['https://*.bücher.example/*', 'https://a.xn--bcher-kva.example/x', true],
    ['https://*.bücher.example/*', 'https://a.bücher.example/x', true],
    ['https://*.BÜCHER。example./*', 'https://a.bücher.example/x', true],
    ['https://*.bücher.example/*', 'https://a.bucher.example/x', false],
  ]
  test.each(rows)('to allow, %s covers %s: %s', (pattern, address, expected) => {
    expect(matchesUrl(readUrlPattern(pattern)!, address, 'allow')).toBe(expected)
  })

  test.each([
    ['https://evil.example/mcp', 'https://evil.example/%6dcp'],
    ['https://evil.example/mcp', 'https://evil.example/x/..%2fmcp'],
    ['https://evil.example/mcp', 'https://EVIL.example./mcp?x=1#y'],
    ['https://evil.example', 'https://evil.example:443/'],
    ['https://evil.example/admin/*', 'https://evil.example/%61dmin/mcp/%ff'],
    ['https://evil.example/admin/*', 'https://evil.example/%61dmin/mcp%'],
    ['https://evil.example/admin/*', 'https://evil.example/%c3x/..%2f%61dmin/%e0%a4%A'],
    ['https://evil.example/%61dmin/*', 'https://evil.example/admin/mcp'],
    ['https://evil.example/My%20Team/*', 'https://evil.example/My%2520Team/mcp'],
    ['https://127.1/*', 'https://127.0.0.1/mcp'],
    ['https://ev%69l.example/*', 'https://evil.example/mcp'],
  ])('to deny, %s covers %s too', (pattern, address) => {
    expect(matchesUrl(readUrlPattern(pattern)!, address, 'deny')).toBe(true)
  })

  test('a star that is an escape denies that star only', () => {
    const pattern = readUrlPattern('https://evil.example/a%2ab')!
    expect(matchesUrl(pattern, 'https://evil.example/a%2Ab', 'deny')).toBe(true)
    expect(matchesUrl(pattern, 'https://evil.example/a*b', 'deny')).toBe(true)
    expect(matchesUrl(pattern, 'https://evil.example/axb', 'deny')).toBe(false)
  })

  test.each([
    'https://[2001:db8:::1]/*',
    'https://*ü.example/*',
    'https://me@evil.example/*',
    'https://a:b/',
  ])('%s is no pattern, and that is told', async (text) => {
    expect(readUrlPattern(text)).toBeUndefined()
    const home = makeHome()
    home.write('managed/managed-settings.json', {
      deniedMcpServers: [url(text), url('h.example/?u=https://x')],
    })
    expect((await home.load()).findings).toMatchObject([{ rule: 'policy-entry' }])
  })

  test('a deny entry without a scheme denies with every one; an allow entry without one allows nothing', async () => {
    expect(await decide({ deniedMcpServers: [url('mcp.example.com/*')] }, site)).toBe(false)
    expect(await decide({ allowedMcpServers: [url('mcp.example.com/*')] }, site)).toBe(false)
  })

  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
  const path = fc
    .array(fc.stringMatching(/^[A-Za-z0-9]{1,6}$/), { maxLength: 3 })
    .map((parts) => `/${parts.join('/')}`)

  test('a URL covers itself, its host alone covers it, and no other host’s pattern does', () => {
    fc.assert(
      fc.property(label, label, path, (host, other, rest) => {
        const address = `https://${host}.example${rest}`
        expect(matchesUrl(readUrlPattern(address)!, address, 'allow')).toBe(true)
        expect(matchesUrl(readUrlPattern(`https://${host}.example`)!, address, 'allow')).toBe(true)
        if (other !== host)
          expect(matchesUrl(readUrlPattern(`https://${other}.example/*`)!, address, 'allow')).toBe(false)
      }),
    )
  })

  test('a star in the host reaches neither into the path nor out of it: what is allowed ends in that host', () => {
    const piece = fc.constantFrom(
      'evil',
      '.',
      '/',
      '@',
      ':',
      '\\',
      '#',
      '?',
      '%2f',
      '%2e',
      '.example.com',
      'a',
      '443',
      '..',
      '*',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const address = `https://${pieces.join('')}`
        if (!matchesUrl(readUrlPattern('https://*.example.com/*')!, address, 'allow')) return
        expect(new URL(address).hostname.replace(/\.$/, '')).toMatch(/\.example\.com$/)
      }),
      { numRuns: 3000 },
    )
  })

  test('what is allowed by a path stays below it, however the path is written', () => {
    const piece = fc.constantFrom(
      '/',
      '..',
      '.',
      '%2e',
      '%2F',
      '%5c',
      '\\',
      'team',
      'admin',
      '%252e',
      'a',
      ';',
      '%ff',
      '%61',
      '%',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const address = `https://h.example/team/${pieces.join('')}`
        if (!matchesUrl(readUrlPattern('https://h.example/team/*')!, address, 'allow')) return
        // Byte by byte, as a server does that takes whatever comes.
        const decoded = new URL(address).pathname.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        )
        expect(new URL(`https://h.example${decoded}`).pathname).toMatch(/^\/team\//)
      }),
      { numRuns: 3000 },
    )
  })

  test('deny covers whatever allow covers', () => {
    const text = fc
      .array(fc.constantFrom('https', '*', '://', 'a', '.', 'example', '/', 'B', '%41', '?', ':1'), {
        maxLength: 10,
      })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, text, (pattern, rest) => {
        const read = readUrlPattern(pattern)
        const address = `https://a.example/${rest}`
        if (read !== undefined && matchesUrl(read, address, 'allow'))
          expect(matchesUrl(read, address, 'deny')).toBe(true)
      }),
    )
  })

  test('many stars take no long time', () => {
    const pattern = readUrlPattern(`https://h.example/${'*a'.repeat(200)}b`)!
    expect(matchesUrl(pattern, `https://h.example/${'a'.repeat(4000)}`, 'allow')).toBe(false)
  })
})

describe('variables in the lists', () => {
  const allow = (text: string): object => ({ allowedMcpServers: [url(text)] })

  test.each([
    ['one piece of the path', `https://mcp.example.com/${variable('TEAM')}/*`, { TEAM: 'core' }, true],
    ['the host', `https://${variable('TEAM')}/*`, { TEAM: 'mcp.example.com' }, false],
    ['the scheme', `${variable('TEAM')}://mcp.example.com/*`, { TEAM: 'https' }, false],
    ['a star', `https://mcp.example.com/${variable('TEAM')}`, { TEAM: '*' }, false],
    ['a way upwards', `https://mcp.example.com/x/${variable('TEAM')}/*`, { TEAM: '..' }, false],
    ['more than a piece', `https://mcp.example.com/${variable('TEAM')}`, { TEAM: 'core/mcp' }, false],
    ['nothing', `https://mcp.example.com/${variable('TEAM')}/*`, {}, false],
  ] as const)('to allow, a variable that holds %s', async (_what, text, env, expected) => {
    expect(await decide(allow(text), { name: 'x', url: 'https://mcp.example.com/core/mcp' }, { env })).toBe(
      expected,
    )
  })

  test('the managed env goes before the one that the user has', async () => {
    const managed = { ...allow(`https://mcp.example.com/${variable('TEAM')}/*`), env: { TEAM: 'core' } }
    expect(
      await decide(
        managed,
        { name: 'x', url: 'https://mcp.example.com/core/mcp' },
        { env: { TEAM: 'evil' } },
      ),
    ).toBe(true)
    expect(
      await decide(
        managed,
        { name: 'x', url: 'https://mcp.example.com/evil/mcp' },
        { env: { TEAM: 'evil' } },
      ),
    ).toBe(false)
  })

  test('to deny, a variable may hold anything', async () => {
    const managed = { deniedMcpServers: [url(`https://${variable('BAD')}/*`)] }
    expect(await decide(managed, site, { env: { BAD: 'mcp.example.com' } })).toBe(false)
  })
})

describe('what a command hides', () => {
  const only = { allowedMcpServers: [url('https://mcp.example.com/*'), name('bridge')] }
  const argvs: readonly (readonly [string, readonly string[], boolean])[] = [
    ['the wrapped URL is allowed', ['npx', '-y', 'mcp-remote@0.1.16', 'https://mcp.example.com/mcp'], true],
    ['it is not', ['npx', '-y', 'mcp-remote@0.1.16', 'https://evil.example/mcp'], false],
    [
      'a second URL is not',
      ['npx', 'mcp-remote', 'https://mcp.example.com/mcp', 'https://evil.example'],
      false,
    ],
    ['it is an option', ['npx', 'supergateway', '--streamableHttp=https://evil.example/mcp'], false],
    ['it is inside a shell line', ['sh', '-c', 'npx mcp-remote https://evil.example/mcp'], false],
    ['through cmd', ['cmd', '/c', 'npx', 'mcp-remote', 'https://evil.example/mcp'], false],
    [
      'a path to the program',
      ['node', '/opt/node_modules/mcp-remote/dist/proxy.js', 'https://evil.example'],
      false,
    ],
    ['no URL is to be seen', ['sh', '-c', 'npx mcp-remote $URL'], false],
    ['Warder’s bridge to a URL', ['warder', 'connect', 'https://evil.example/mcp'], false],
    ['Warder’s bridge to an allowed URL', ['warder', 'connect', 'https://mcp.example.com/mcp'], true],
    ['Warder’s bridge to a name of its list', ['/usr/bin/warder', 'connect', 'evil'], false],
    ['Warder’s bridge to an allowed name', ['warder', 'connect', 'good'], true],
    ['Warder’s bridge to a name that nobody knows', ['warder', 'connect', 'unknown'], false],
    [
      'Warder’s bridge to a name behind an option that is an allowed URL',
      ['warder', 'connect', '--profile', 'https://mcp.example.com/mcp', 'evil'],
      false,
    ],
    ['user information', ['npx', 'mcp-remote', 'https://mcp.example.com;@evil.example/mcp'], false],
    ['the same behind a quote', ['npx', 'mcp-remote', "https://mcp.example.com'@evil.example/mcp"], false],
    ['the same before an allowed host', ['npx', 'mcp-remote', 'https://me@mcp.example.com/mcp'], false],
    [
      'what no parser takes',
      ['npx', 'mcp-remote', 'https://mcp.example.com:x/', 'https://mcp.example.com/'],
      false,
    ],
    ['a shell puts the host in', ['sh', '-c', 'npx mcp-remote https://$HOST.mcp.example.com/'], false],
    [
      'a header with an allowed origin',
      ['npx', 'mcp-remote', 'https://mcp.example.com/mcp', '--header', 'Origin: https://mcp.example.com'],
      true,
    ],
    ['another program with a URL is no bridge', ['curl-server', 'https://evil.example'], true],
  ]
  test.each(argvs)('%s', async (_what, argv, expected) => {
    const home = makeHome()
    home.write('managed/managed-settings.json', only)
    home.write('home/.config/warder/servers.json', {
      mcpServers: { evil: remote('https://evil.example/mcp'), good: remote('https://mcp.example.com/mcp') },
    })
    home.write('home/.cursor/mcp.json', { mcpServers: { bridge: { command: argv[0], args: argv.slice(1) } } })
    const found = resolveServer(await home.load(), 'bridge', 'cursor')!
    expect([found.status, found.why]).toEqual(
      expected
        ? ['active', '']
        : ['denied', expect.stringMatching(/leads to a remote server|hides which|no plain URL/)],
    )
  })

  const spellings: readonly (readonly string[])[] = [
    ['https://ok.example;@evil.example/mcp'],
    ["https://ok.example'@evil.example/mcp"],
    ['https:/evil.example/mcp'],
    ['https:evil.example/mcp'],
    ['https:\\\\evil.example\\mcp'],
    [' https:/evil.example/mcp\n'],
    ['ht\ntps:/evil.example/mcp'],
    ['--url=https:/evil.example/mcp'],
    ['-c', 'exec "https:/evil.example/mcp"'],
    ['https://ok.example @evil.example/mcp'],
    ['HTTPS:/EVIL.example/mcp'],
    ['--config', '{"url":"https://evil.example/mcp"}'],
    ['wss:/evil.example/mcp'],
  ]
  test.each(spellings)('a denied URL is denied however it is written: %j', async (...words) => {
    const managed = { deniedMcpServers: [url('https://evil.example/*'), url('wss://evil.example/*')] }
    const argv = ['npx', 'mcp-remote', ...words, '--header', 'X-Origin: https://ok.example']
    expect(await decide(managed, { name: 'x', argv })).toBe(false)
    const twin = argv.map((arg) => arg.replace(/.*@evil/s, 'https://fine').replace(/evil/i, 'fine'))
    expect(await decide(managed, { name: 'x', argv: twin })).toBe(true)
    expect(await decide({ deniedMcpServers: [name('y')] }, { name: 'x', argv })).toBe(true)
  })

  test('a host that a shell puts in may be the denied one', async () => {
    const managed = { deniedMcpServers: [url('https://evil.example/*')] }
    const script = (address: string): Target => ({
      name: 'x',
      argv: ['sh', '-c', `npx mcp-remote ${address}`],
    })
    expect(await decide(managed, script('https://$HOST/mcp'))).toBe(false)
    expect(await decide(managed, script('https://fine.example/mcp'))).toBe(true)
  })

  test('a denied URL is denied inside a command too, without any allow list', async () => {
    const managed = { deniedMcpServers: [url('https://evil.example')] }
    expect(
      await decide(managed, { name: 'x', argv: ['npx', 'mcp-remote', 'https://evil.example/mcp'] }),
    ).toBe(false)
    expect(
      await decide(managed, { name: 'x', argv: ['npx', 'mcp-remote', 'https://fine.example/mcp'] }),
    ).toBe(true)
  })
})

describe('what only the administrator has', () => {
  const servers = (home: Home): void => {
    home.write('home/.claude.json', { mcpServers: { own: remote('https://own.example') } })
    home.write('home/.cursor/mcp.json', { mcpServers: { cursor: { url: 'https://cursor.example' } } })
  }
  const statuses = async (home: Home): Promise<unknown> =>
    Object.fromEntries(listServers(await home.load()).map(({ server, status }) => [server.name, status]))

  test('a managed list of servers is the only one for Claude Code; its own lists still filter it', async () => {
    const home = makeHome()
    servers(home)
    home.write('managed/managed-mcp.json', {
      mcpServers: { given: remote('https://given.example'), barred: remote('https://barred.example') },
    })
    home.write('managed/managed-settings.json', { deniedMcpServers: [url('https://barred.example')] })
    expect(await statuses(home)).toEqual({
      given: 'active',
      barred: 'denied',
      own: 'excluded',
      cursor: 'active',
    })
  })

  test.each([
    ['an empty one', '{"mcpServers":{}}'],
    ['one that is no JSON', '{'],
  ])('%s leaves Claude Code with none', async (_what, text) => {
    const home = makeHome()
    servers(home)
    home.write('managed/managed-mcp.json', text)
    expect(await statuses(home)).toEqual({ own: 'excluded', cursor: 'active' })
  })

  test('only plugins may bring servers', async () => {
    const home = makeHome()
    servers(home)
    home.write('managed/managed-settings.json', { strictPluginOnlyCustomization: ['mcp'] })
    expect(await statuses(home)).toEqual({ own: 'excluded', cursor: 'active' })
    home.write('managed/managed-settings.json', { strictPluginOnlyCustomization: ['hooks'] })
    expect(await statuses(home)).toEqual({ own: 'active', cursor: 'active' })
  })

  test('user settings cannot lay down what only managed ones may', async () => {
    const home = makeHome()
    servers(home)
    home.write('home/.claude/settings.json', {
      strictPluginOnlyCustomization: ['mcp'],
      allowManagedMcpServersOnly: true,
      allowedMcpServers: [url('https://own.example')],
    })
    expect(await statuses(home)).toEqual({ own: 'active', cursor: 'denied' })
  })

  test('the lists hold for every host', async () => {
    const home = makeHome()
    servers(home)
    home.write('managed/managed-settings.json', { deniedMcpServers: [url('https://cursor.example')] })
    expect(await statuses(home)).toEqual({ own: 'active', cursor: 'denied' })
  })

  test.each([
    ['linux', '/etc/claude-code'],
    ['darwin', '/Library/Application Support/ClaudeCode'],
    ['win32', 'C:\\Program Files\\ClaudeCode'],
  ] as const)('on %s managed files are in %s, whatever the environment says', async (platform, directory) => {
    const { managedDirectory } = await import('../src/index.ts')
    const env = { WARDER_MANAGED_ROOT: '/tmp', ProgramData: '/tmp', PROGRAMFILES: '/tmp' }
    expect(managedDirectory({ cwd: '/', home: join('/', 'home'), env, platform })).toBe(directory)
  })
})

test('a decision is a plain object that can be shown', () => {
  const decision: ManagedDecision = decideManaged(
    { allowed: [], denied: [], isExclusive: false, pluginsOnly: false },
    site,
  )
  expect(decision).toEqual({ isAllowed: false, why: 'the allow list is empty: no server is allowed' })
})
