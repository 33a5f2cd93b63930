import { describe, expect, test } from 'vitest'
import { decide, hasAccess, offeredScopes, readPolicy } from '../src/index.ts'
import { everything, notes, outcome, principal } from './principals.ts'

const full = notes(everything)
const session = { kind: 'session', method: 'tools/list' } as const

describe('open, locked, hidden', () => {
  test('RS-39 a granted tool is open, a grantable one locked, one that no scope opens hidden', () => {
    const who = principal(['notes:read'])
    expect(outcome(full, who, 'search_notes')).toBe('open')
    expect(outcome(full, who, 'create_note')).toBe('locked')
    expect(outcome(full, who, 'wipe_all')).toBe('hidden')
    expect(outcome(full, who, 'no_such_tool')).toBe('hidden')
  })

  test('RS-22 RS-23 locked names all scopes of the operation, and which of them are missing', () => {
    const call = { kind: 'tool', name: 'share_note' } as const
    const needed = ['notes:read', 'notes:share']
    expect(decide(full, 'notes', principal(), call)).toMatchObject({
      outcome: 'locked',
      needed,
      missing: needed,
    })
    expect(decide(full, 'notes', principal(['notes:read']), call)).toMatchObject({
      outcome: 'locked',
      needed,
      missing: ['notes:share'],
    })
    expect(outcome(full, principal(['notes:read', 'notes:share']), call)).toBe('open')
  })

  test('RS-23 an operation of which one scope is out of reach is hidden: asking for the others would be in vain', () => {
    const policy = notes('  - { who: anyone, client: any, may: [notes:read] }')
    expect(outcome(policy, principal(['notes:read']), 'share_note')).toBe('hidden')
  })

  test('RS-26 a broader scope satisfies a narrower need, over several steps, and not the other way', () => {
    expect(outcome(full, principal(['notes:admin']), 'search_notes')).toBe('open')
    expect(outcome(full, principal(['notes:admin']), 'create_note')).toBe('open')
    expect(outcome(full, principal(['notes:read']), 'create_note')).toBe('locked')
    expect(outcome(full, principal(['notes:write']), 'wipe_old')).toBe('locked')
  })

  test('RS-26 a row that may a broad scope may what it implies', () => {
    const policy = notes('  - { who: anyone, client: any, may: [notes:write] }')
    expect(outcome(policy, principal(['notes:read']), 'search_notes')).toBe('open')
    expect(outcome(policy, principal(['notes:write']), 'search_notes')).toBe('open')
  })

  test('RS-31 a scope in the token that the matrix does not allow any more counts for nothing', () => {
    const narrowed = notes('  - { who: anyone, client: any, may: [notes:read] }')
    expect(outcome(narrowed, principal(['notes:admin']), 'create_note')).toBe('hidden')
    expect(outcome(narrowed, principal(['notes:admin']), 'search_notes')).toBe('locked')
    expect(outcome(narrowed, principal(['notes:admin', 'notes:read']), 'search_notes')).toBe('open')
  })

  test('RS-31 scopes of another server and unknown ones count for nothing', () => {
    const policy = notes(`${everything}\n  - { who: { user: owner }, client: any, may: [files:read] }`)
    expect(outcome(policy, principal(['files:read', 'nonsense']), 'search_notes')).toBe('locked')
    expect(outcome(policy, principal(['files:read']), 'anything', 'files')).toBe('open')
  })

  test('the sequence of lines decides: the first match wins', () => {
    const who = principal(['notes:admin'])
    expect(outcome(full, who, 'wipe_all')).toBe('hidden')
    expect(outcome(full, who, 'wipe_old')).toBe('open')
    const line = (text: string): string => `      - ${text}`
    const lines = [line('{ match: x_*, scopes: [s:a] }'), line('{ match: x_1, never: true }')]
    const read = (tools: readonly string[]): string =>
      outcome(
        readPolicy(
          `version: 1\nservers:\n  s:\n    run: [x]\n    scopes: { s:a: { title: A } }\n    tools:\n${tools.join('\n')}\naccess:\n  - { who: anyone, may: [s:a] }\n`,
        ),
        principal(['s:a']),
        'x_1',
        's',
      )
    expect([read(lines), read(lines.toReversed())]).toEqual(['open', 'hidden'])
  })

  test('a line without scopes is open to whoever has a row, with any token, and to nobody else', () => {
    expect(outcome(full, principal([]), 'about')).toBe('open')
    expect(outcome(full, principal([], { names: ['bob'] }), 'about')).toBe('hidden')
  })

  test('resources and prompts are decided like tools', () => {
    const who = principal(['notes:read'])
    expect(outcome(full, who, { kind: 'resource', uri: 'notes:///a' })).toBe('open')
    expect(outcome(full, who, { kind: 'resource', uri: 'notes:///secret/a' })).toBe('hidden')
    expect(outcome(full, who, { kind: 'resource', uri: 'file:///a' })).toBe('hidden')
    expect(outcome(full, who, { kind: 'prompt', name: 'summarize' })).toBe('open')
    expect(outcome(full, who, { kind: 'prompt', name: 'search_notes' })).toBe('hidden')
    expect(outcome(full, principal(), { kind: 'prompt', name: 'summarize' })).toBe('locked')
  })

  test('a session needs a row for that very server, and no scope', () => {
    expect(outcome(full, principal(), session)).toBe('open')
    expect(outcome(full, principal(['files:read']), session, 'files')).toBe('hidden')
    expect(outcome(full, principal([], { names: ['bob'] }), session)).toBe('hidden')
    expect(outcome(full, principal(), session, 'nowhere')).toBe('hidden')
    expect(outcome(full, principal(['notes:admin']), 'search_notes', 'nowhere')).toBe('hidden')
  })

  test('every decision says why', () => {
    const calls = ['search_notes', 'create_note', 'wipe_all', 'nothing', 'about']
    for (const name of calls) {
      expect(decide(full, 'notes', principal(['notes:read']), { kind: 'tool', name }).because).toMatch(
        /\w+ \w+/,
      )
    }
    const never = notes(`${everything}\n  - { who: anyone, never: [notes:write] }`)
    expect(decide(never, 'notes', principal(), { kind: 'tool', name: 'create_note' }).because).toContain(
      'row 2',
    )
  })

  test('RS-31 of prohibitions of several scopes of one tool the first of the file is named', () => {
    const denial = (scope: string): string => `  - { who: anyone, never: [${scope}] }`
    const [read, share] = [denial('notes:read'), denial('notes:share')]
    const call = { kind: 'tool', name: 'share_note' } as const
    const because = (rows: readonly string[]): string =>
      decide(notes([everything, ...rows].join('\n')), 'notes', principal(), call).because
    expect(because([read, share])).toBe('access row 2 says never notes:read')
    expect(because([share, read])).toBe('access row 2 says never notes:share')
  })

  test('RS-31 of a server that the policy does not know nothing is offered', () => {
    expect(offeredScopes(full, 'nowhere', principal())).toEqual([])
    expect(offeredScopes(full, 'notes', principal())).not.toEqual([])
  })
})

describe('who', () => {
  const row = (who: string): ReturnType<typeof notes> =>
    notes(`  - { who: ${who}, client: any, may: [notes:read] }`)
  const scopes = ['notes:read']

  test.each([
    ['{ user: bob }', { names: ['u1', 'bob'] }, 'open'],
    ['{ user: bob }', { names: ['Bob'] }, 'hidden'],
    ['{ user: bob }', { names: [], groups: ['bob'] }, 'hidden'],
    ['{ user: bob, issuer: "https://a.example" }', { names: ['bob'], issuer: 'https://a.example' }, 'open'],
    ['{ user: bob, issuer: "https://a.example" }', { names: ['bob'], issuer: 'https://b.example' }, 'hidden'],
    ['{ group: staff }', { names: ['bob'], groups: ['x', 'staff'] }, 'open'],
    ['{ group: staff }', { names: ['staff'] }, 'hidden'],
    ['{ service: ci }', { names: ['ci'], groups: ['ci'] }, 'hidden'],
    ['anyone', { names: [] }, 'open'],
  ])('who: %s against %o is %s', (who, user, wanted) => {
    expect(outcome(row(who), principal(scopes, user), 'search_notes')).toBe(wanted)
  })
})

describe('client, design decision 7', () => {
  const url = 'https://claude.ai/oauth/client.json'
  const classes = ['pre-registered', 'document', 'local', 'self-registered'] as const
  const covered = (client: string | undefined, id: string): readonly string[] => {
    const line = client === undefined ? '' : `, client: ${JSON.stringify(client)}`
    const policy = notes(`  - { who: anyone${line}, may: [notes:read] }`)
    return classes.filter(
      (one) =>
        outcome(policy, principal(['notes:read'], { client: id, class: one }), 'search_notes') === 'open',
    )
  }

  test.each([
    [undefined, 'x', ['pre-registered', 'document', 'local']],
    ['any', 'x', classes],
    ['local', 'x', ['local']],
    ['self-registered', 'x', ['self-registered']],
    ['document', 'x', ['document']],
    ['pre-registered', 'x', ['pre-registered']],
    ['x', 'x', ['pre-registered', 'document']],
    ['x', 'y', []],
    ['x', 'X', []],
    [url, url, ['pre-registered', 'document']],
    ['https://claude.ai/*', url, ['document']],
    ['https://claude.ai/*', 'https://claude.ai.evil.example/x', []],
    ['https://claude.ai/*', 'https://evil.example/https://claude.ai/x', []],
    ['https://claude.ai/*', 'HTTPS://claude.ai/x', []],
  ])('AS-29 RS-31 may with client %s covers the client %s when it is %o', (client, id, wanted) => {
    expect(covered(client, id)).toEqual(wanted)
  })

  const spared = (client: string | undefined, id: string): readonly string[] => {
    const line = client === undefined ? '' : `, client: ${JSON.stringify(client)}`
    const policy = notes(`${everything}\n  - { who: anyone${line}, never: [notes:read] }`)
    return classes.filter(
      (one) =>
        outcome(
          policy,
          principal(['notes:admin', 'notes:read'], { client: id, class: one }),
          'search_notes',
        ) !== 'hidden',
    )
  }

  test.each([
    [undefined, 'x', []],
    ['any', 'x', []],
    ['local', 'x', ['pre-registered', 'document', 'self-registered']],
    ['x', 'x', []],
    ['x', 'y', classes],
    ['https://claude.ai/*', url, []],
    ['https://claude.ai/*', 'https://other.example/x', classes],
  ])(
    'RS-31 never with client %s, against the client %s, spares %o: it hits also who only claims to be it',
    (client, id, wanted) => {
      expect(spared(client, id)).toEqual(wanted)
    },
  )
})

describe('never and narrowing', () => {
  test('RS-31 never beats may, in either order and from any row', () => {
    const never = '  - { who: { group: interns }, never: [notes:write] }'
    const intern = principal(['notes:admin', 'notes:write', 'notes:read'], { groups: ['interns'] })
    for (const policy of [notes(`${everything}\n${never}`), notes(`${never}\n${everything}`)]) {
      expect(outcome(policy, intern, 'create_note')).toBe('hidden')
      expect(outcome(policy, intern, 'search_notes')).toBe('open')
      expect(outcome(policy, principal(['notes:write']), 'create_note')).toBe('open')
    }
  })

  test('RS-26 never of a scope also denies the broader ones that imply it', () => {
    const policy = notes(`${everything}\n  - { who: anyone, never: [notes:write] }`)
    expect(outcome(policy, principal(['notes:admin']), 'wipe_old')).toBe('hidden')
    expect(offeredScopes(policy, 'notes', principal()).map(({ name }) => name)).toEqual([
      'notes:read',
      'notes:share',
    ])
  })

  test('a row narrowed to tools covers those tools only, and no resources and prompts', () => {
    const policy = notes('  - { who: anyone, may: [notes:read], tools: [search_*] }')
    const who = principal(['notes:read'])
    expect(outcome(policy, who, 'search_notes')).toBe('open')
    expect(outcome(policy, who, 'about')).toBe('hidden')
    expect(outcome(policy, who, { kind: 'prompt', name: 'summarize' })).toBe('hidden')
    expect(outcome(policy, who, session)).toBe('open')
    expect(offeredScopes(policy, 'notes', who).map(({ name }) => name)).toEqual(['notes:read'])
  })

  test('a never narrowed to tools denies those tools only; the scope is still offered', () => {
    const policy = notes(`${everything}\n  - { who: anyone, never: [notes:write], tools: [create_note] }`)
    const who = principal(['notes:admin'])
    expect(outcome(policy, who, 'create_note')).toBe('hidden')
    expect(outcome(policy, who, 'wipe_old')).toBe('open')
    expect(offeredScopes(policy, 'notes', who).map(({ name }) => name)).toContain('notes:write')
  })

  test('a row narrowed to servers is about those only, and with an empty may it lets in without scopes', () => {
    const policy = notes('  - { who: anyone, may: [], servers: [notes] }')
    expect(outcome(policy, principal(), session)).toBe('open')
    expect(outcome(policy, principal(), 'about')).toBe('open')
    expect(outcome(policy, principal(['notes:read']), 'search_notes')).toBe('hidden')
    expect(outcome(policy, principal(), session, 'files')).toBe('hidden')
    const denied = notes('  - { who: anyone, never: [notes:read], servers: [notes] }')
    expect(outcome(denied, principal(), session)).toBe('hidden')
  })
})

describe('RS-31 rows and lines beside each other', () => {
  const scopes = principal(['notes:read', 'notes:share'])

  test('a prohibition of one of two scopes denies a tool that needs both', () => {
    const policy = notes(`${everything}\n  - { who: anyone, never: [notes:read] }`)
    const { outcome: out, because } = decide(policy, 'notes', scopes, { kind: 'tool', name: 'share_note' })
    expect([out, because]).toEqual(['hidden', 'access row 2 says never notes:read'])
  })

  test('several rows of one user for the same tool count together', () => {
    const row = (scope: string): string =>
      `  - { who: { user: owner }, may: [${scope}], tools: [share_note] }`
    const rows = [row('notes:read'), row('notes:share')]
    expect(outcome(notes(rows.join('\n')), scopes, 'share_note')).toBe('open')
    for (const one of rows) expect(outcome(notes(one), scopes, 'share_note')).toBe('hidden')
  })

  test('of two lines for the same name the first counts', () => {
    const lines = ['{ match: x, scopes: [s:a] }', '{ match: x, never: true }']
    const read = (tools: readonly string[]): string =>
      outcome(
        readPolicy(
          `version: 1\nservers:\n  s:\n    run: [x]\n    scopes: { s:a: { title: A } }\n    tools: [${tools.join(', ')}]\naccess:\n  - { who: anyone, may: [s:a] }\n`,
        ),
        principal(['s:a']),
        'x',
        's',
      )
    expect([read(lines), read(lines.toReversed())]).toEqual(['open', 'hidden'])
  })

  test('before the arguments are known, what a row could give lets into a session', () => {
    const row = (when: string): string => `  - { who: anyone, may: [notes:read], when: '${when}' }`
    expect(outcome(notes(row('args.folder == "ci"')), principal(), session)).toBe('open')
    expect(outcome(notes(row('"leads" in user.groups')), principal(), session)).toBe('hidden')
  })

  test('and a prohibition that does not depend on them hides the tool from lists', () => {
    const unsure = `  - { who: anyone, may: [notes:read], when: 'args.folder == "ci"' }`
    expect(outcome(notes(unsure), principal(['notes:read']), 'search_notes')).toBe('locked')
    const denied = notes(`${unsure}\n  - { who: anyone, never: [notes:read] }`)
    expect(outcome(denied, principal(['notes:read']), 'search_notes')).toBe('hidden')
  })

  test('the words name the rows that would give what is needed, and no others', () => {
    const row = (scope: string): string =>
      `  - { who: anyone, may: [${scope}], when: '"leads" in user.groups' }`
    const policy = notes([row('notes:read'), row('notes:share'), row('notes:write')].join('\n'))
    const named = (name: string): readonly string[] =>
      decide(policy, 'notes', principal(), { kind: 'tool', name }).because.match(/row \d/g) ?? []
    expect(named('search_notes')).toEqual(['row 1', 'row 3'])
    expect(named('share_note')).toEqual(['row 1', 'row 2', 'row 3'])
    expect(named('about')).toEqual(['row 1', 'row 2', 'row 3'])
    expect(named('wipe_old')).toEqual([])
  })
})

describe('odd names', () => {
  const allowed = readPolicy(`
version: 1
servers:
  odd:
    run: [x]
    scopes: { odd:all: { title: All } }
    tools:
      - { match: delete_note, scopes: [odd:all] }
      - { match: "d\\u0435lete", scopes: [odd:all] }
      - { match: get_*, scopes: [odd:all] }
      - { match: "get_\\u00e9", scopes: [odd:all] }
      - { match: constructor, scopes: [odd:all] }
    resources:
      - { match: "file:///docs/*", scopes: [odd:all] }
access:
  - { who: anyone, may: [odd:all] }
`)
  const who = principal(['odd:all'])

  test.each([
    'Delete_note',
    'delete_Note',
    'delete_note ',
    ' delete_note',
    'delete_note\u200b',
    'delete\u00adnote',
    'd\u0435lete_note',
    'ｄelete_note',
    '%64elete_note',
    'delete_note\0',
    'delete_not\u0065\u0301',
    'delete',
    'delete_note_',
    '*',
    'delete_*',
    '',
    'get_e\u0301',
    'get_\u00e9',
    'get_ x',
    'get_x\n',
    'get_\u200b',
    `get_${'x'.repeat(125)}`,
  ])('M09 the tool name %j is unknown', (name) => {
    expect(outcome(allowed, who, name, 'odd')).toBe('hidden')
  })

  test.each(['delete_note', 'd\u0435lete', 'get_', 'get_x', `get_${'x'.repeat(124)}`])(
    'M09 twin: %j is open',
    (name) => {
      expect(outcome(allowed, who, name, 'odd')).toBe('open')
    },
  )

  test.each(['__proto__', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__'])(
    'M05 the name %s is unknown as tool, prompt, resource, server, scope and user',
    (name) => {
      expect(outcome(allowed, who, name, 'odd')).toBe('hidden')
      expect(outcome(allowed, who, { kind: 'prompt', name }, 'odd')).toBe('hidden')
      expect(outcome(allowed, who, { kind: 'resource', uri: name }, 'odd')).toBe('hidden')
      expect(outcome(allowed, who, 'delete_note', name)).toBe('hidden')
      expect(outcome(allowed, principal([name]), 'delete_note', 'odd')).toBe('locked')
      expect(
        outcome(full, principal(['notes:read'], { names: [name], groups: [name] }), 'search_notes'),
      ).toBe('hidden')
      expect(hasAccess(full, name, principal())).toBe(false)
    },
  )

  test('M05 twin: a tool that is listed by such a name is open', () => {
    expect(outcome(allowed, who, 'constructor', 'odd')).toBe('open')
  })

  test.each([
    'file:///docs/../etc/passwd',
    'file:///docs/./x',
    'file:///docs/a/..',
    'file:///docs/%2e%2e/etc/passwd',
    'file:///docs/.%2E/etc/passwd',
    'file:///docs/%252e%252e/etc/passwd',
    'file:///docs/..%2fetc/passwd',
    'file:///docs/..%5Cetc/passwd',
    'file:///docs/..\\etc',
    'file:///docs/x y',
    'file:///docs/x\n',
    'file:///docs/x\0',
    'FILE:///docs/x',
    'file:///Docs/x',
    `file:///docs/${'x'.repeat(9000)}`,
  ])('M09 the resource %j is not opened by a pattern', (uri) => {
    expect(outcome(allowed, who, { kind: 'resource', uri }, 'odd')).toBe('hidden')
  })

  test.each(['file:///docs/', 'file:///docs/a..b/.c', 'file:///docs/x?y=z', 'file:///docs/%C3%A9'])(
    'M09 twin: %j is',
    (uri) => {
      expect(outcome(allowed, who, { kind: 'resource', uri }, 'odd')).toBe('open')
    },
  )
})
