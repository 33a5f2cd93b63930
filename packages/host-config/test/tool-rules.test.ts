import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decideTool, readToolRule, serverToolRules, type ToolRule } from '../src/index.ts'
import { makeHome } from './make-home.ts'

const rules = (texts: Readonly<Record<string, readonly string[]>>): readonly ToolRule[] =>
  Object.entries(texts).flatMap(([effect, list]) =>
    list.map((text) => readToolRule(effect as 'deny', text) as ToolRule),
  )

describe('rules in Claude Code’s syntax', () => {
  const rows: readonly (readonly [
    string,
    Readonly<Record<string, readonly string[]>>,
    string,
    string,
    string,
  ])[] = [
    ['a whole server', { deny: ['mcp__tracker'] }, 'tracker', 'read', 'deny'],
    ['a whole server with a star', { deny: ['mcp__tracker__*'] }, 'tracker', 'read', 'deny'],
    ['not a server whose name only begins so', { deny: ['mcp__tracker'] }, 'tracker2', 'read', 'none'],
    ['one tool', { deny: ['mcp__tracker__read'] }, 'tracker', 'read', 'deny'],
    ['not another tool', { deny: ['mcp__tracker__read'] }, 'tracker', 'reader', 'none'],
    ['a pattern of tools', { deny: ['mcp__tracker__delete_*'] }, 'tracker', 'delete_issue', 'deny'],
    ['every MCP tool', { deny: ['mcp__*'] }, 'tracker', 'read', 'deny'],
    ['a star in the middle', { deny: ['mcp__*__delete_*'] }, 'tracker', 'delete_issue', 'deny'],
    ['a star at the beginning', { ask: ['*__delete_*'] }, 'tracker', 'delete_issue', 'ask'],
    [
      'deny before allow',
      { allow: ['mcp__tracker__*'], deny: ['mcp__tracker__read'] },
      'tracker',
      'read',
      'deny',
    ],
    ['ask before allow', { allow: ['mcp__tracker__read'], ask: ['mcp__tracker'] }, 'tracker', 'read', 'ask'],
    ['deny before ask', { ask: ['mcp__tracker'], deny: ['mcp__tracker'] }, 'tracker', 'read', 'deny'],
    ['allow', { allow: ['mcp__tracker__read*'] }, 'tracker', 'read_all', 'allow'],
    ['nothing fits', { allow: ['mcp__tracker__read'] }, 'tracker', 'write', 'none'],
    ['a plugin’s server', { deny: ['mcp__plugin_p_s__*'] }, 'plugin:p:s', 'read', 'deny'],
    ['odd characters of a tool count as _', { deny: ['mcp__tracker__a_b'] }, 'tracker', 'a.b', 'deny'],
    ['a server with two underscores', { deny: ['mcp__a__b'] }, 'a__b', 'read', 'deny'],
    [
      'not a tool that only begins like another one',
      { allow: ['mcp__t__read'] },
      't',
      'read__delete',
      'none',
    ],
    ['the tool itself', { allow: ['mcp__t__read'] }, 't', 'read', 'allow'],
    ['not another server with two underscores', { deny: ['mcp__a__b'] }, 'a__bc', 'read', 'none'],
    ['an argument', { deny: ['mcp__tracker__move(folder:private*)'] }, 'tracker', 'move', 'none'],
  ]
  test.each(rows)('%s', (_what, texts, server, tool, effect) => {
    expect(decideTool(rules(texts), server, tool).effect).toBe(effect)
  })

  test('a rule about an argument holds for that value, at the top, when it is there', () => {
    const only = rules({ deny: ['mcp__t__move(folder:private*)', 'mcp__t__count(n:3)'] })
    const effect = (tool: string, given: Record<string, unknown>): string =>
      decideTool(only, 't', tool, given).effect
    expect(effect('move', { folder: 'private/x' })).toBe('deny')
    expect(effect('move', { folder: 'public' })).toBe('none')
    expect(effect('move', { target: { folder: 'private' } })).toBe('none')
    expect(effect('move', { folder: ['private'] })).toBe('none')
    expect(effect('move', {})).toBe('none')
    expect(effect('count', { n: 3 })).toBe('deny')
  })

  test.each([
    ['allow', 'mcp__*', 'behind the name of its server'],
    ['allow', '*', 'behind the name of its server'],
    ['allow', 'mcp__tr*', 'behind the name of its server'],
    ['allow', 'mcp__*__read', 'behind the name of its server'],
    ['allow', 'mcp__t__read(a:b)', 'only deny and ask'],
    ['deny', 'mcp__t__read(folder)', 'NAME:VALUE'],
    ['deny', 'mcp__t__read(', 'not written as a rule'],
  ] as const)('%s %s is skipped, with a reason', (effect, text, words) => {
    expect(readToolRule(effect, text)).toContain(words)
  })

  test.each(['Bash', 'Bash(rm *)', 'Read(./.env)', 'WebFetch(domain:x)', 'Edit'])(
    '%s is not about MCP tools',
    (text) => {
      expect(readToolRule('deny', text)).toBeUndefined()
    },
  )

  test('settings: managed rules only, when the administrator says so; skipped rules are findings with their line', async () => {
    const home = makeHome()
    home.write(
      'home/.claude/settings.json',
      '{"permissions": {\n"deny": ["mcp__t__drop", "Bash(rm *)"],\n"allow": ["mcp__*"]}}',
    )
    home.write('managed/managed-settings.json', { permissions: { deny: ['mcp__t__admin'] } })
    const config = await home.load()
    expect(config.toolRules.map(({ text }) => text)).toEqual(['mcp__t__admin', 'mcp__t__drop'])
    expect(config.findings).toMatchObject([{ rule: 'tool-rule', level: 'warning', place: { line: 3 } }])
    home.write('managed/managed-settings.json', {
      permissions: { deny: ['mcp__t__admin'] },
      allowManagedPermissionRulesOnly: true,
    })
    expect((await home.load()).toolRules.map(({ text }) => text)).toEqual(['mcp__t__admin'])
  })

  test('whatever else stands there, a denied tool is never allowed', () => {
    const part = fc.constantFrom('a', 'b', '_', '__', '*', 'mcp__', 'read')
    const text = fc.array(part, { maxLength: 6 }).map((parts) => `mcp__${parts.join('')}`)
    fc.assert(
      fc.property(
        fc.array(text),
        fc.array(text),
        fc.constantFrom('a', 'a__b', 'b_'),
        fc.constantFrom('read', 'a', 'b__a'),
        (deny, allow, server, tool) => {
          const read = (effect: 'deny' | 'allow', texts: readonly string[]): ToolRule[] =>
            texts.map((one) => readToolRule(effect, one)).filter((one) => typeof one === 'object')
          const denied = decideTool(read('deny', deny), server, tool).effect
          const both = decideTool([...read('allow', allow), ...read('deny', deny)], server, tool).effect
          if (denied === 'deny') expect(both).toBe('deny')
        },
      ),
    )
  })
})

describe('rules for the tools of one server, as the bridge asks them', () => {
  const settings = rules({ deny: ['mcp__t__drop*'], ask: ['mcp__t__write'], allow: ['mcp__t__read'] })
  const allowed = (
    options: Parameters<typeof serverToolRules>[2],
    tools: readonly string[],
  ): readonly string[] => {
    const decide = serverToolRules('t', settings, options)
    return tools.filter((tool) => decide.decide(tool).allow)
  }
  const tools = ['read', 'list', 'write', 'drop_all']

  test.each([
    ['settings alone: an allow rule there keeps nothing out, and nobody can be asked', {}, ['read', 'list']],
    ['the host asks', { ask: 'host' }, ['read', 'list', 'write']],
    ['only what is named', { allow: ['re*'] }, ['read']],
    ['a whole rule', { allow: ['mcp__t__list'] }, ['list']],
    ['the rule of another server', { allow: ['mcp__other__*'] }, []],
    ['a denial on the command line', { deny: ['l*'], ask: 'host' }, ['read', 'write']],
    [
      'what is denied in settings cannot be named back',
      { allow: ['*'], ask: 'host' },
      ['read', 'list', 'write'],
    ],
    ['the entry names tools', { tools: { only: ['read', 'drop_all'] } }, ['read']],
    ['the entry leaves tools out', { tools: { without: ['read'] } }, ['list']],
  ] as const)('%s', (_what, options, expected) => {
    expect(allowed(options, tools)).toEqual(expected)
  })

  test('a no says which rule it is', () => {
    expect(serverToolRules('t', settings).decide('drop_all')).toEqual({
      allow: false,
      reason: 'the rule "deny mcp__t__drop*" stands against it',
    })
    expect(serverToolRules('t', settings, { allow: ['read'] }).decide('list')).toEqual({
      allow: false,
      reason: 'no rule allows it; allowed: read',
    })
  })

  test('what is no rule is refused at once', () => {
    expect(() => serverToolRules('t', [], { allow: ['mcp__*'] })).toThrow(RangeError)
  })
})
