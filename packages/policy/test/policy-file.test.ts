import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PolicyErrors, policyWarnings, readPolicy } from '../src/index.ts'
import { anyText } from './principals.ts'

const good = `version: 1
servers:
  notes:
    run: [npx, -y, some-notes-server, "8080", ""]   # or url
    env: [NOTES_TOKEN]
    list_locked: false
    scopes:
      notes:read:  { title: Read notes, basic: true }
      notes:write: { title: Change notes, description: All of them, implies: [notes:read], risk: high }
    tools:
      - { match: search_notes, scopes: [notes:read] }
      - { match: delete_*, never: true }
      - { match: create_note, scopes: [notes:write, notes:read] }
    resources: [ { match: "notes:///*", scopes: [notes:read] } ]
    prompts:   [ { match: summarize, scopes: [notes:read] } ]
  files:
    url: https://files.example/mcp
access:
  - who: { user: owner }
    client: any
    may: [notes:read, notes:write]
  - who: { group: staff }
    client: https://claude.ai/*
    may: [notes:read]
  - who: { service: ci }
    may: [notes:write]
    never: [notes:read]
    tools: [create_note]
    servers: [notes]
  - who: { user: bob@example.com, issuer: https://id.example }
    may: []
    servers: [files]
  - who: anyone
    client: self-registered
    never: [notes:write]
`

/** Every problem as `line:column message`; fails the test when the text is read. */
function problemsOf(text: string): readonly string[] {
  try {
    readPolicy(text)
  } catch (error) {
    expect(error).toBeInstanceOf(PolicyErrors)
    return (error as PolicyErrors).problems.map((one) => `${one.line}:${one.column} ${one.message}`)
  }
  return expect.unreachable('the file was read')
}

/** A file whose one server has the lines given, at line 6. */
const server = (lines: string): string => `version: 1
servers:
  s:
    run: [x]
    scopes: { s:a: { title: A }, s:b: { title: B } }
    ${lines}
`
/** A file whose matrix has the one row given, at line 8. */
const row = (text: string): string => `${server('tools: []')}access:\n  - { ${text} }\n`

describe('a good file', () => {
  const policy = readPolicy(good)

  test('reads as it stands', () => {
    const notes = policy.servers.get('notes')
    expect(notes).toMatchObject({
      name: 'notes',
      run: ['npx', '-y', 'some-notes-server', '8080', ''],
      env: ['NOTES_TOKEN'],
      listLocked: false,
    })
    expect([...(notes?.scopes.values() ?? [])]).toEqual([
      { name: 'notes:read', title: 'Read notes', basic: true, implies: [], risk: 'normal' },
      {
        name: 'notes:write',
        title: 'Change notes',
        description: 'All of them',
        basic: false,
        implies: ['notes:read'],
        risk: 'high',
      },
    ])
    expect(notes?.tools).toEqual([
      { match: 'search_notes', scopes: ['notes:read'], never: false },
      { match: 'delete_*', scopes: [], never: true },
      { match: 'create_note', scopes: ['notes:write', 'notes:read'], never: false },
    ])
    expect(policy.servers.get('files')).toMatchObject({
      url: 'https://files.example/mcp',
      env: [],
      listLocked: true,
    })
    expect(policy.access).toEqual([
      { who: { kind: 'user', name: 'owner' }, client: 'any', may: ['notes:read', 'notes:write'], never: [] },
      {
        who: { kind: 'group', name: 'staff' },
        client: 'https://claude.ai/*',
        may: ['notes:read'],
        never: [],
      },
      {
        who: { kind: 'service', name: 'ci' },
        may: ['notes:write'],
        never: ['notes:read'],
        tools: ['create_note'],
        servers: ['notes'],
      },
      {
        who: { kind: 'user', name: 'bob@example.com', issuer: 'https://id.example' },
        may: [],
        never: [],
        servers: ['files'],
      },
      { who: { kind: 'anyone' }, client: 'self-registered', may: [], never: ['notes:write'] },
    ])
  })

  test('has a digest of its text', () => {
    expect(policy.digest).toMatch(/^[0-9a-f]{12}$/)
    expect(readPolicy(good).digest).toBe(policy.digest)
    expect(readPolicy(`${good}\n`).digest).not.toBe(policy.digest)
  })

  test('may leave out access, tools and scopes: then nobody may anything', () => {
    expect(readPolicy('version: 1\nservers: { s: { run: [x] } }').access).toEqual([])
  })

  test('is warned about where it does less than it seems to, or more', () => {
    const warnings = policyWarnings(policy)
    expect(warnings.some((text) => /^access row 3:.*service/.test(text))).toBe(true)
    expect(warnings.some((text) => /^access row 5:.*dodged/.test(text))).toBe(true)
    expect(warnings.some((text) => /^access row 2:.*group staff/.test(text))).toBe(true)
    expect(warnings.length).toBe(3)
    const open = readPolicy(
      `${server('tools: [{ match: "*", scopes: [s:a] }]')}access:\n  - { who: { user: Bob@x.example }, may: [s:a] }\n  - { who: anyone, may: [s:a] }\n`,
    )
    expect(policyWarnings(open).length).toBe(3)
    const never = (more: string): readonly string[] =>
      policyWarnings(readPolicy(row(`who: anyone, never: [s:a], when: 'args.x == 1'${more}`)))
    expect(never('').join()).toMatch(/^access row 1: resources and prompts have no arguments/)
    expect(never(', tools: [a]')).toEqual([])
  })
})

describe('mistakes', () => {
  test('are reported together, each with line and column, in the order of the text', () => {
    const text = `version: 2
serverz: {}
servers:
  A_b:
    run: x
    tools:
      - { match: a, scopes: [nope:read] }
      - { scopes: [] }
access:
  - { who: bob, may: [other:read], approve: x }
`
    const problems = problemsOf(text)
    const places = problems.map((one) => one.split(' ')[0])
    expect(places).toEqual(['1:10', '2:1', '4:3', '5:10', '5:10', '7:30', '8:9', '10:12', '10:23', '10:36'])
    expect(() => readPolicy(text, 'my.yaml')).toThrow(/^my\.yaml:1:10: version must be 1/)
  })

  test.each([
    ['no YAML', 'version: [1\n', /^\d+:\d+ /],
    ['empty text', '', /must be a mapping/],
    ['another shape', '- 1\n', /must be a mapping/],
    ['two documents', `${server('tools: []')}---\nversion: 1\n`, /documents/],
    ['no version', 'servers: { s: { run: [x] } }', /needs version: 1/],
    ['version as text', 'version: "1"\nservers: { s: { run: [x] } }', /1:10 version must be 1/],
    ['no servers', 'version: 1', /needs servers/],
    ['an empty list of servers', 'version: 1\nservers: {}', /names no server/],
    ['servers without value', 'version: 1\nservers:\n', /servers must be a mapping.*nothing/],
    ['an unknown key', server('toolz: []'), /^6:5 server s: unknown key toolz/],
    ['a server without value', 'version: 1\nservers: { s: }', /server s must be a mapping/],
    ['a key twice', server('run: [y]'), /^6:5 server s: run stands here twice/],
    ['a key that is no text', server('1: x'), /a key must be text/],
    ['__proto__ as a key', server('__proto__: {}'), /unknown key __proto__/],
    [
      'constructor as a key',
      server('tools: [{ match: a, scopes: [], constructor: 1 }]'),
      /unknown key constructor/,
    ],
    ['an anchor used twice', server('tools: &a []\n    prompts: *a'), /anchors and aliases/],
    ['a tag', server('tools: !!python/object []'), /6:12 .*tag/],
    ['a merge key', server('<<: { tools: [] }'), /unknown key <</],
    ['neither run nor url', 'version: 1\nservers: { s: { tools: [] } }', /needs either run or url/],
    ['both run and url', server('url: http://127.0.0.1/mcp'), /needs either run or url/],
    ['an empty run', 'version: 1\nservers: { s: { run: [] } }', /at least the command/],
    ['a number in run', 'version: 1\nservers: { s: { run: [x, 1] } }', /2:26 an item of run must be text/],
    ['a bad url', 'version: 1\nservers: { s: { url: "ftp://x" } }', /url must be an http/],
    ...[
      'http://127.1/mcp',
      'https://b\u00fccher.example/mcp',
      'http://x/a|b',
      'http://x/#',
      'http://x/a b',
    ].map((url): [string, string, RegExp] => [
      `the url ${url}`,
      `version: 1\nservers: { s: { url: "${url}" } }`,
      /url must be an http/,
    ]),
    ['a url with a password', 'version: 1\nservers: { s: { url: "http://a:b@x/" } }', /url must be an http/],
    ['a value in env', server('env: ["A=b"]'), /names of variables/],
    [
      'env without run',
      'version: 1\nservers: { s: { url: "http://x/", env: [A] } }',
      /env is for servers with run/,
    ],
    ['list_locked as text', server('list_locked: "yes"'), /true or false/],
  ])('%s', (_, text, wanted) => {
    const problems = problemsOf(text)
    expect(problems.join('\n')).toMatch(wanted)
    expect(problems.length).toBe(1)
  })

  test.each(['Notes', 'no_tes', '-a', '', 'a b', 'x'.repeat(64), '__proto__', 'authorize', 'token', 'owner'])(
    'the server name %j',
    (name) => {
      const text = `version: 1\nservers: { ${JSON.stringify(name)}: { run: [x] } }`
      expect(problemsOf(text).join()).toMatch(/^2:12 /)
    },
  )

  test.each(['notes', '0', 'a-b', 'x'.repeat(63)])('twin: the server name %j is read', (name) => {
    expect([...readPolicy(`version: 1\nservers: { "${name}": { run: [x] } }`).servers.keys()]).toEqual([name])
  })
})

describe('scopes', () => {
  const scopes = (text: string): string =>
    `version: 1\nservers:\n  s:\n    run: [x]\n    scopes: { ${text} }\n`

  test.each([
    ['without title', 's:a: {}', /needs a title/],
    ['with an empty title', 's:a: { title: "" }', /title must not be empty/],
    ['with a title that is no text', 's:a: { title: 3 }', /title must be text, not a number/],
    ['with text turned around in the title', 's:a: { title: "a\\u202eb" }', /control characters/],
    ['RS-32 with a wildcard', '"s:*": { title: A }', /cannot be a scope/],
    ['with a space', '"s a": { title: A }', /cannot be a scope/],
    ['with a quote', "'s\"a': { title: A }", /cannot be a scope/],
    ['with a reserved name', 'openid: { title: A }', /meaning of its own/],
    ['that implies nothing that exists', 's:a: { title: A, implies: [s:b] }', /implies s:b, which/],
    ['with an unknown risk', 's:a: { title: A, risk: medium }', /normal or high/],
    ['basic and risky', 's:a: { title: A, basic: true, risk: high }', /cannot be basic/],
    [
      'basic with more behind it',
      's:a: { title: A, basic: true, implies: [s:b] }, s:b: { title: B }',
      /is basic but implies s:b/,
    ],
    [
      'harmless with risk behind it',
      's:a: { title: A, implies: [s:b] }, s:b: { title: B, risk: high }',
      /needs risk: high/,
    ],
  ])('a scope %s', (_, text, wanted) => {
    const problems = problemsOf(scopes(text))
    expect(problems.join('\n')).toMatch(wanted)
    expect(problems.length).toBe(1)
  })

  test('RS-26 circles of implication, also long ones', () => {
    expect(problemsOf(scopes('s:a: { title: A, implies: [s:a] }')).join()).toMatch(/circle/)
    const long =
      's:a: { title: A, implies: [s:b] }, s:b: { title: B, implies: [s:c] }, s:c: { title: C, implies: [s:a] }'
    expect(problemsOf(scopes(long)).filter((one) => one.includes('circle')).length).toBe(3)
    expect(readPolicy(scopes(long.replace(', implies: [s:a]', ''))).servers.size).toBe(1)
  })

  test('a scope that two servers define', () => {
    const text = `${scopes('x:a: { title: A }')}  t:\n    run: [x]\n    scopes: { x:a: { title: A } }\n`
    expect(problemsOf(text)).toEqual(['8:15 scope x:a is defined by server s already'])
  })
})

describe('tools, resources and prompts', () => {
  test.each([
    ['an unknown scope', 'tools: [{ match: a, scopes: [s:z] }]', /^6:34 scope s:z is not among/],
    ['no match', 'tools: [{ scopes: [s:a] }]', /needs match/],
    ['an empty match', 'tools: [{ match: "", scopes: [s:a] }]', /must not be empty/],
    ['white space around a match', 'tools: [{ match: "a ", scopes: [s:a] }]', /white space/],
    ['a number as match', 'tools: [{ match: 1, scopes: [s:a] }]', /match must be text, not a number/],
    ['no scopes', 'tools: [{ match: a }]', /needs scopes/],
    ['never: false without scopes', 'tools: [{ match: a, never: false }]', /needs scopes/],
    ['never with scopes', 'tools: [{ match: a, never: true, scopes: [s:a] }]', /never: true has no scopes/],
    ['never as text', 'tools: [{ match: a, never: "true" }]', /true or false/],
    ['RS-32 everything without a scope', 'tools: [{ match: "*", scopes: [] }]', /would open all tools/],
    [
      'RS-32 everything without a scope, resources',
      'resources: [{ match: "*", scopes: [] }]',
      /would open all res/,
    ],
    ['one scope that is no list', 'tools: [{ match: a, scopes: s:a }]', /scopes must be a list, not text/],
    ['tools that are no list', 'tools: { match: a, scopes: [s:a] }', /tools must be a list/],
    ['a line that is a name', 'tools: [a]', /must be a mapping/],
    ['M09 an invisible character', 'tools: [{ match: "a\\u200bb", scopes: [s:a] }]', /invisible/],
    ['a control character', 'tools: [{ match: "a\\0b", scopes: [s:a] }]', /control/],
    [
      'approve, of a later version',
      'tools: [{ match: a, scopes: [s:a], approve: each-call }]',
      /approve is not supported yet/,
    ],
    [
      'when, which rows of access have',
      'tools: [{ match: a, scopes: [s:a], when: "true" }]',
      /when belongs to a row of access/,
    ],
  ])('%s', (_, lines, wanted) => {
    const problems = problemsOf(server(lines))
    expect(problems.join('\n')).toMatch(wanted)
    expect(problems.length).toBe(1)
  })

  test.each(['^get', 'get$', '.*', '.+', 'a|b', 'a\\d', 'get_(a|b)', 'get_[ab]*', 'get_?*', '{a,b}*', 'a+*'])(
    'the match %j, which was meant as another kind of pattern',
    (match) => {
      const text = server(`tools: [{ match: '${match}', scopes: [s:a] }]`)
      expect(problemsOf(text).join()).toMatch(/the only wildcard is \*/)
    },
  )

  test.each(['notes:///{id}', 'notes:///a b', 'notes:///a|b', '^notes', 'notes\\x'])(
    'the resource match %j',
    (match) => {
      expect(problemsOf(server(`resources: [{ match: '${match}', scopes: [s:a] }]`)).join()).toMatch(
        /only wildcard/,
      )
    },
  )

  test('twins: names and patterns as servers have them', () => {
    const names = ['a', 'get_*', '*_note', 'a.b/c-d', 'files.*', 'get (all)', '*']
    const tools = `tools: [${names.map((name) => `{ match: "${name}", scopes: [s:a] }`).join(', ')}]`
    expect(
      readPolicy(server(tools))
        .servers.get('s')
        ?.tools.map(({ match }) => match),
    ).toEqual(names)
    const uris = ['db://x?table=*', 'file:///a/(b)*', 'x:$a+b*']
    const resources = `resources: [${uris.map((uri) => `{ match: "${uri}", scopes: [s:a] }`).join(', ')}]`
    expect(readPolicy(server(resources)).servers.get('s')?.resources.length).toBe(3)
  })
})

describe('access', () => {
  test.each([
    ['no who', 'may: [s:a]', /needs who/],
    ['a bare name', 'who: owner, may: [s:a]', /who must be anyone, or one of/],
    ['two at once', 'who: { user: a, group: b }, may: [s:a]', /who must be anyone, or one of/],
    ['nobody', 'who: {}, may: [s:a]', /who must be anyone, or one of/],
    ['an empty name', 'who: { user: "" }, may: [s:a]', /user must not be empty/],
    ['a number as name', 'who: { user: 7 }, may: [s:a]', /user must be text/],
    ['an issuer of a group', 'who: { group: a, issuer: b }, may: [s:a]', /issuer goes with user only/],
    ['an unknown key in who', 'who: { user: a, client: b }, may: [s:a]', /unknown key client/],
    ['neither may nor never', 'who: anyone', /needs may or never/],
    ['an empty may', 'who: anyone, may: []', /an empty may gives access only/],
    ['an unknown scope', 'who: anyone, may: [s:z]', /^8:26 no server defines the scope s:z/],
    ['an unknown scope in never', 'who: anyone, never: [s:z]', /no server defines the scope s:z/],
    ['RS-32 all scopes', 'who: anyone, may: ["*"]', /no server defines the scope \*/],
    ['an unknown server', 'who: anyone, may: [], servers: [t]', /there is no server t/],
    ['no servers', 'who: anyone, may: [], servers: []', /servers must not be empty/],
    ['no tools', 'who: anyone, never: [s:a], tools: []', /tools must not be empty/],
    ['a bad tool', 'who: anyone, may: [s:a], tools: ["^a"]', /only wildcard/],
    ['an empty client', 'who: anyone, may: [s:a], client: ""', /client must not be empty/],
    ['a class misspelt', 'who: anyone, may: [s:a], client: self_registered', /write self-registered/],
    [
      'a pattern of hosts',
      'who: anyone, may: [s:a], client: "https://*.claude.ai/x"',
      /must begin with https:\/\/host\//,
    ],
    [
      'a pattern that strangers match',
      'who: anyone, may: [s:a], client: "https://claude.ai*"',
      /must begin with/,
    ],
    [
      'a pattern of user information',
      'who: anyone, may: [s:a], client: "https://claude.ai@*"',
      /must begin with/,
    ],
    ['every http', 'who: anyone, may: [s:a], client: "http://claude.ai/*"', /must begin with/],
    ['everything as client', 'who: anyone, may: [s:a], client: "*"', /must begin with/],
    ['a list of clients', 'who: anyone, may: [s:a], client: [any]', /client must be text/],
    ['when that is no text', 'who: anyone, may: [s:a], when: true', /when must be text, not true or false/],
    [
      'approve, of a later version',
      'who: anyone, may: [s:a], approve: each-call',
      /approve is not supported yet/,
    ],
  ])('%s', (_, text, wanted) => {
    const problems = problemsOf(row(text))
    expect(problems.join('\n')).toMatch(wanted)
    expect(problems.length).toBe(1)
  })

  test('a scope of a server that the row is not about', () => {
    const text = `${server('tools: []')}  t: { run: [x] }\naccess:\n  - { who: anyone, may: [s:a], servers: [t] }\n`
    expect(problemsOf(text).join()).toMatch(/no server of this row defines the scope s:a/)
  })
})

describe('any text', { timeout: 60_000 }, () => {
  const fails = (text: string): void => {
    try {
      readPolicy(text)
    } catch (error) {
      if (!(error instanceof PolicyErrors) || error.problems.length === 0) throw error
      for (const { line, column } of error.problems) if (!(line >= 1 && column >= 1)) throw error
    }
  }

  test('throws nothing but PolicyErrors, whatever it is', () => {
    const word = fc.constantFrom(
      ...[
        'version: 1\n',
        'servers:\n',
        '  s:\n',
        '    run: [x]\n',
        'access:\n',
        '  - ',
        'who: anyone',
        '{',
        '}',
        '[',
        ']',
      ],
      ...[
        '&a ',
        '*a',
        '!!set ',
        '? ',
        ': ',
        '<<: ',
        '"',
        "'",
        '|\n',
        '#',
        '\n',
        '\t',
        '---\n',
        '...\n',
        '%YAML 1.1\n',
        '\0',
        '\ufeff',
        '__proto__: ',
      ],
    )
    const texts = fc.oneof(
      anyText,
      fc.array(word, { maxLength: 12 }).map((parts) => parts.join('')),
    )
    fc.assert(fc.property(texts, fails), { numRuns: 60 })
  })

  test('throws nothing but PolicyErrors for a good file with a hole, or with a scrap of something else', () => {
    const scrap = fc.constantFrom(
      '',
      ' ',
      '\n',
      ']',
      '}',
      '"',
      ': ',
      '- ',
      '*',
      '&x ',
      '[[',
      '1',
      '\u0000',
      '\ud800',
    )
    fc.assert(
      fc.property(fc.nat(good.length), fc.nat(30), scrap, (at, length, text) => {
        fails(good.slice(0, at) + text + good.slice(at + length))
      }),
      { numRuns: 40 },
    )
  })

  test('throws nothing but PolicyErrors for text that is nested too deep, and for too much of it', () => {
    for (const text of [
      '['.repeat(12_000),
      '{a: '.repeat(12_000),
      '- '.repeat(12_000),
      `x: ${'y'.repeat(5_000_001)}`,
    ]) {
      expect(problemsOf(text).length).toBeGreaterThan(0)
    }
  })
})
