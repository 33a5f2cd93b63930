import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  basicScopes,
  decide,
  isRiskyTool,
  isServerName,
  proposePolicy,
  readPolicy,
  type ToolFacts,
  toolsOpenedBy,
} from '../src/index.ts'
import { anyText, notes, principal } from './principals.ts'

const harmless = { readOnlyHint: true, destructiveHint: false, openWorldHint: false }
const writing = { readOnlyHint: false, destructiveHint: false, openWorldHint: false }

const everything: readonly ToolFacts[] = [
  { name: 'echo', annotations: harmless },
  { name: 'get-sum', annotations: harmless },
  { name: 'get-env', description: 'Returns all environment variables', annotations: harmless },
  { name: 'toggle-logging', annotations: writing },
  { name: 'list_notes' },
  { name: 'frobnicate' },
]
const propose = (tools: readonly ToolFacts[], more: object = {}): string =>
  proposePolicy({ name: 'srv', run: ['npx', '-y', 'server', '--port', '80'], tools, ...more })

/** Tool name → the scopes that it needs in the proposal. */
const placed = (tools: readonly ToolFacts[]): Record<string, readonly string[]> =>
  Object.fromEntries(
    readPolicy(propose(tools))
      .servers.get('srv')
      ?.tools.map(({ match, scopes }) => [match, scopes]) ?? [],
  )

describe('judging tools', () => {
  test.each<ToolFacts>([
    { name: 'get-env', annotations: harmless },
    { name: 'printEnv', annotations: harmless },
    { name: 'readENVVars', annotations: harmless },
    { name: 'execute_sql', annotations: harmless },
    { name: 'run_command', annotations: harmless },
    { name: 'bash', annotations: harmless },
    { name: 'fetch', annotations: harmless },
    { name: 'getUrl', annotations: harmless },
    { name: 'http.get', annotations: harmless },
    { name: 'list_and_delete', annotations: harmless },
    { name: 'drop-table', annotations: harmless },
    { name: 'get_info', description: 'Reads environment variables.', annotations: harmless },
    { name: 'get_info', description: 'Downloads a page.', annotations: harmless },
    { name: 'get_info', title: 'Run shell', annotations: harmless },
    { name: 'get_info', annotations: { readOnlyHint: true, destructiveHint: true } },
    { name: 'get_info', annotations: { readOnlyHint: true, openWorldHint: true } },
  ])('RS-32 %o is risky, whatever its annotations claim, and never basic', (tool) => {
    expect(isRiskyTool(tool)).toBe(true)
    expect(placed([tool])).toEqual({ [tool.name]: ['srv:dangerous'] })
  })

  test.each<ToolFacts>([
    { name: 'search_notes', annotations: harmless },
    { name: 'list_seasons' },
    { name: 'get-tiny-image', description: 'Returns a tiny picture.' },
  ])('twin: %o is not, and is basic', (tool) => {
    expect(isRiskyTool(tool)).toBe(false)
    expect(placed([tool])).toEqual({ [tool.name]: ['srv:read'] })
  })

  test.each<ToolFacts>([
    { name: 'frobnicate' },
    { name: 'create_note' },
    { name: 'get_note', annotations: writing },
    { name: 'set_and_get' },
    { name: '数える' },
  ])('RS-32 %o does not look as if it only read, and is not basic', (tool) => {
    expect(isRiskyTool(tool)).toBe(false)
    expect(placed([tool])).toEqual({ [tool.name]: ['srv:write'] })
  })
})

describe('the proposal', { timeout: 60_000 }, () => {
  test('names each tool and no others, with the scopes that have tools', () => {
    expect(placed(everything)).toEqual({
      echo: ['srv:read'],
      'get-sum': ['srv:read'],
      list_notes: ['srv:read'],
      'toggle-logging': ['srv:write'],
      frobnicate: ['srv:write'],
      'get-env': ['srv:dangerous'],
    })
    const server = readPolicy(propose(everything)).servers.get('srv')
    expect(server?.tools.some(({ match }) => match.includes('*'))).toBe(false)
    expect([...(server?.scopes.keys() ?? [])]).toEqual(['srv:read', 'srv:write', 'srv:dangerous'])
    expect(server && basicScopes(server)).toEqual(['srv:read'])
    expect(server?.scopes.get('srv:write')?.implies).toEqual(['srv:read'])
    expect(server?.scopes.get('srv:dangerous')?.risk).toBe('high')
    expect(server?.run).toEqual(['npx', '-y', 'server', '--port', '80'])
    const small = readPolicy(propose([{ name: 'frobnicate' }])).servers.get('srv')
    expect([...(small?.scopes.keys() ?? [])]).toEqual(['srv:write'])
  })

  test('RS-32 opens to the owner, with any client, what was granted, and nothing that is new', () => {
    const policy = readPolicy(propose(everything))
    const ask = (name: string, scopes: string[], who = 'owner'): string =>
      decide(policy, 'srv', principal(scopes, { names: [who], class: 'self-registered' }), {
        kind: 'tool',
        name,
      }).outcome
    expect(ask('echo', ['srv:read'])).toBe('open')
    expect(ask('get-env', ['srv:read'])).toBe('locked')
    expect(ask('get-env', ['srv:dangerous'])).toBe('open')
    expect(ask('new-tool', ['srv:read', 'srv:write', 'srv:dangerous'])).toBe('hidden')
    expect(ask('echo', ['srv:read'], 'bob')).toBe('hidden')
  })

  test('has lines for resources and prompts only where the server has them', () => {
    const prompts = ['summarize', 'two words', 'summarize', '*']
    const with2 = readPolicy(propose([], { hasResources: true, prompts })).servers.get('srv')
    expect(with2?.resources).toEqual([{ match: '*', scopes: ['srv:read'], never: false }])
    expect(with2?.prompts).toEqual(
      ['summarize', 'two words'].map((match) => ({ match, scopes: ['srv:read'], never: false })),
    )
    const without = readPolicy(propose(everything)).servers.get('srv')
    expect([without?.resources, without?.prompts]).toEqual([[], []])
  })

  test('a server without anything still lets its owner in', () => {
    const policy = readPolicy(propose([]))
    expect(decide(policy, 'srv', principal(), { kind: 'session', method: 'tools/list' }).outcome).toBe('open')
  })

  test('RS-32 a name that is listed twice counts as the worst of the two, in either order', () => {
    const twice: readonly ToolFacts[] = [
      { name: 'x', annotations: { destructiveHint: true } },
      { name: 'x', annotations: harmless },
    ]
    expect(placed(twice)).toEqual({ x: ['srv:dangerous'] })
    expect(placed(twice.toReversed())).toEqual({ x: ['srv:dangerous'] })
    expect(
      placed([
        { name: 'x', annotations: harmless },
        { name: 'x', annotations: writing },
      ]),
    ).toEqual({ x: ['srv:write'] })
  })

  test('takes a url instead of a command, and another owner', () => {
    const text = proposePolicy({
      name: 'srv',
      url: 'http://127.0.0.1:3001/mcp?x=1',
      tools: [],
      owner: 'ann@example.com',
    })
    const policy = readPolicy(text)
    expect(policy.servers.get('srv')?.url).toBe('http://127.0.0.1:3001/mcp?x=1')
    expect(policy.access[0]).toMatchObject({ who: { kind: 'user', name: 'ann@example.com' }, client: 'any' })
  })

  test('throws for a server that no file can have', () => {
    for (const name of ['', 'A', 'token', 'a b']) {
      expect(isServerName(name)).toBe(false)
      expect(() => proposePolicy({ name, run: ['x'], tools: [] })).toThrow(TypeError)
    }
    expect(isServerName('srv')).toBe(true)
    expect(() => proposePolicy({ name: 'srv', tools: [] })).toThrow(TypeError)
    expect(() => proposePolicy({ name: 'srv', run: ['x'], url: 'http://x/', tools: [] })).toThrow(TypeError)
  })

  test.each([
    'a*',
    '*',
    'a\nb',
    'a\u2028b',
    'a\u0085b',
    ' a',
    '',
    '^a',
    'a|b',
    'a\u200bb',
    'a\ud800',
    '\u202ea',
  ])(
    'M09 the tool %j, which no line can name, is left out with a comment on one line, and denied',
    (name) => {
      const text = propose([{ name }, { name: 'echo' }])
      const policy = readPolicy(text)
      expect(policy.servers.get('srv')?.tools.map(({ match }) => match)).toEqual(['echo'])
      expect(text).toMatch(/# Denied, because its name cannot stand here: "/)
      expect(text).toMatch(/^[\x20-\x7e\n]*$/)
      const who = principal(['srv:read', 'srv:write', 'srv:dangerous'])
      expect(decide(policy, 'srv', who, { kind: 'tool', name }).outcome).toBe('hidden')
    },
  )

  test('M09 a look-alike letter in a tool name is shown by its number', () => {
    const text = propose([{ name: 'd\u0435lete_note' }])
    expect(text).toContain('"d\\u0435lete_note"')
    expect(Object.keys(placed([{ name: 'd\u0435lete_note' }]))).toEqual(['d\u0435lete_note'])
  })

  test('M05 M09 reads back whatever the tools are called, each tool once, in one place, or denied', () => {
    const name = fc.oneof(
      anyText,
      fc.string(),
      fc.constantFrom(
        'yes',
        'null',
        '~',
        '1',
        '1e3',
        '0x1',
        '1:2',
        '2020-01-01',
        '- a',
        'a: b',
        'a #b',
        '# a',
        '[a]',
        '{a}',
        '&a',
        '!a',
        '%a',
      ),
      fc.constantFrom(
        '@a',
        '`a`',
        '"a"',
        "'a'",
        'a,b',
        '\\',
        '\\u0041',
        '__proto__',
        'constructor',
        '<<',
        '=',
        '?',
        '-',
        '--- ',
        '😀',
        'é',
      ),
    )
    const hints = fc.record(
      { readOnlyHint: fc.boolean(), destructiveHint: fc.boolean(), openWorldHint: fc.boolean() },
      { requiredKeys: [] },
    )
    const tool = fc.record(
      { name, title: fc.string(), description: fc.string(), annotations: hints },
      { requiredKeys: ['name'] },
    )
    fc.assert(
      fc.property(
        fc.array(tool, { maxLength: 8 }),
        fc.array(
          fc.string().filter((word) => !word.includes('\0')),
          { maxLength: 3 },
        ),
        (tools, args) => {
          const run = ['npx', ...args]
          const text = proposePolicy({
            name: 'srv',
            run,
            tools,
            hasResources: true,
            prompts: tools.map((tool) => tool.name),
          })
          const policy = readPolicy(text)
          const server = policy.servers.get('srv')
          expect(server?.run).toEqual(run)
          const names = server?.tools.map(({ match }) => match) ?? []
          expect(new Set(names).size).toBe(names.length)
          for (const match of names) expect(tools.some((one) => one.name === match)).toBe(true)
          const all = principal(['srv:read', 'srv:write', 'srv:dangerous'])
          for (const one of tools) {
            const { outcome } = decide(policy, 'srv', all, { kind: 'tool', name: one.name })
            expect(outcome).toBe(names.includes(one.name) ? 'open' : 'hidden')
            if (isRiskyTool(one)) {
              const basic = principal(server === undefined ? [] : basicScopes(server))
              expect(decide(policy, 'srv', basic, { kind: 'tool', name: one.name }).outcome).not.toBe('open')
            }
          }
        },
      ),
      { numRuns: 25 },
    )
  })
})

describe('what a scope opens', () => {
  const tools = ['search_notes', 'create_note', 'share_note', 'wipe_all', 'wipe_old', 'about', 'unknown']
  const server = notes('  - { who: anyone, may: [notes:read] }').servers.get('notes')

  test.each([
    ['notes:read', ['search_notes', 'share_note']],
    ['notes:share', ['share_note']],
    ['notes:write', ['search_notes', 'create_note', 'share_note']],
    ['notes:admin', ['search_notes', 'create_note', 'share_note', 'wipe_old']],
    ['nonsense', []],
  ])('RS-26 %s: %o', (scope, wanted) => {
    expect(server && toolsOpenedBy(server, scope, tools)).toEqual(wanted)
  })
})
