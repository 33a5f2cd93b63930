import {
  chmodSync,
  chownSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { parse } from 'jsonc-parser'
import { describe, expect, test } from 'vitest'
import {
  checkHostFileEdit,
  type Entry,
  editHostFile,
  type Host,
  type HostFileEdit,
  HostFileError,
  loadDocument,
  plainValue,
} from '../src/index.ts'
import { type Home, makeHome } from './make-home.ts'

const entry: Entry = { type: 'http', url: 'https://a.example/mcp' }

function edit(
  home: Home,
  file: string,
  change: Omit<HostFileEdit, 'place'>,
  host: Host = 'vscode',
  path = host === 'codex' ? 'mcp_servers' : host === 'vscode' ? 'servers' : 'mcpServers',
): string {
  editHostFile({ place: { host, scope: 'user', file: join(home.root, file), path: [path] }, ...change })
  return home.read(file)
}

describe('a change in a JSON file touches nothing else', () => {
  const before = `// of mine
{
    /* inputs first */ "inputs": [ ],
    "servers": {
        "one": {"url":"https://one.example"}, // the first
        "two": {   "url": "https://two.example" }
        // none behind it
    }
}
`
  test('adding: behind the last one, in the file’s own indentation', () => {
    const home = makeHome()
    home.write('f.json', before)
    expect(edit(home, 'f.json', { name: 'new', action: 'add', entry })).toBe(
      before
        .replace('"https://two.example" }\n', '"https://two.example" },\n')
        .replace('        // none behind it\n', '        // none behind it\n')
        .replace(
          '"https://two.example" },\n',
          '"https://two.example" },\n        "new": {\n            "type": "http",\n            "url": "https://a.example/mcp"\n        }\n',
        ),
    )
  })

  test('removing: the line goes with its comment, and the comma of the one before', () => {
    const home = makeHome()
    home.write('f.json', before)
    expect(edit(home, 'f.json', { name: 'one', action: 'remove' })).toBe(before.replace(/ {8}"one".*\n/, ''))
    home.write('f.json', before)
    expect(edit(home, 'f.json', { name: 'two', action: 'remove' })).toBe(
      before.replace(/ {8}"two".*\n/, '').replace('example"}, //', 'example"} //'),
    )
  })

  test('replacing: only the value', () => {
    const home = makeHome()
    home.write('f.json', before)
    expect(edit(home, 'f.json', { name: 'one', action: 'replace', entry })).toBe(
      before.replace('{"url":"https://one.example"}', '{"type":"http","url":"https://a.example/mcp"}'),
    )
  })

  test.each([
    [
      'an empty file',
      '',
      '{\n  "servers": {\n    "new": {\n      "type": "http",\n      "url": "https://a.example/mcp"\n    }\n  }\n}\n',
    ],
    ['no table yet', '{"x":1}', '{"x":1, "servers": {"new":{"type":"http","url":"https://a.example/mcp"}}}'],
    [
      'an empty table',
      '{\n\t"servers": {}\n}',
      '{\n\t"servers": {\n\t\t"new": {\n\t\t\t"type": "http",\n\t\t\t"url": "https://a.example/mcp"\n\t\t}\n\t}\n}',
    ],
    [
      'a comma at the end',
      '{"servers": {\n  "a": {},\n}}',
      '{"servers": {\n  "a": {},\n  "new": {\n    "type": "http",\n    "url": "https://a.example/mcp"\n  },\n}}',
    ],
    [
      'lines that end as on Windows',
      '{\r\n  "servers": {\r\n    "a": {}\r\n  }\r\n}\r\n',
      '{\r\n  "servers": {\r\n    "a": {},\r\n    "new": {\r\n      "type": "http",\r\n      "url": "https://a.example/mcp"\r\n    }\r\n  }\r\n}\r\n',
    ],
    [
      'a byte order mark',
      '\ufeff{}',
      '\ufeff{\n  "servers": {\n    "new": {\n      "type": "http",\n      "url": "https://a.example/mcp"\n    }\n  }\n}',
    ],
  ])('%s', (_what, text, expected) => {
    const home = makeHome()
    home.write('f.json', text)
    expect(edit(home, 'f.json', { name: 'new', action: 'add', entry })).toBe(expected)
  })

  test('whatever the file says: the change is made, the rest means what it meant, and taking it back leaves the same', () => {
    const home = makeHome()
    const name = fc.stringMatching(/^[a-z]{1,4}$/)
    const value: fc.Arbitrary<unknown> = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constant({}),
      fc.array(fc.integer(), { maxLength: 2 }),
      fc.dictionary(name, fc.string(), { maxKeys: 2 }),
    )
    const file = fc.record(
      {
        servers: fc.dictionary(name, fc.dictionary(name, value, { maxKeys: 2 }), { maxKeys: 3 }),
        other: value,
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(
        file,
        fc.constantFrom(undefined, 0, 1, 2, 4, '\t'),
        fc.boolean(),
        fc.dictionary(name, fc.string()),
        (content, indent, hasComments, added) => {
          const plain = JSON.stringify(content, null, indent)
          const text = hasComments
            ? plain.replace(/,\n/g, ', // c "x", {\n').replace(/\{\n/g, '{ /* } */\n')
            : plain
          home.write('f.json', text)
          const after = edit(home, 'f.json', { name: 'NEW', action: 'add', entry: added })
          expect(parse(after, [], { allowTrailingComma: true })).toEqual({
            ...content,
            servers: { ...content.servers, NEW: added },
          })
          const back = edit(home, 'f.json', { name: 'NEW', action: 'remove' })
          if (content.servers !== undefined && Object.keys(content.servers).length > 0)
            expect(back).toBe(text)
        },
      ),
      { numRuns: 300 },
    )
  })
})

test('a key called __proto__ is a key: it is read, kept and changes nothing', () => {
  const home = makeHome()
  const file = home.write('f.json', '{"__proto__": {"polluted": 1}, "servers": {"a": {"__proto__": "x"}}}')
  const value = plainValue(loadDocument(file, 'comments')!.root!) as Record<string, unknown>
  expect(Object.getOwnPropertyNames(value)).toEqual(['__proto__', 'servers'])
  expect(value['polluted']).toBeUndefined()
  expect(edit(home, 'f.json', { name: 'b', action: 'add', entry: { command: 'x' } })).toBe(
    '{"__proto__": {"polluted": 1}, "servers": {"a": {"__proto__": "x"}, "b": {"command":"x"}}}',
  )
})

describe('a change in a TOML file touches nothing else', () => {
  const before = `# mine
model = "o" # keep

[mcp_servers.one] # head
url = "https://one.example" # note
scopes = ["x"]

[mcp_servers.one.http_headers]
X = "1"

# about two
[mcp_servers.two]
command = "npx"

[other]
z = 1
`
  const codex = (home: Home, change: Omit<HostFileEdit, 'place'>): string =>
    edit(home, 'c.toml', change, 'codex')

  test('adding, replacing and removing', () => {
    const home = makeHome()
    home.write('c.toml', before)
    const added = codex(home, {
      name: 'new',
      action: 'add',
      entry: { url: 'https://n.example', http_headers: { 'X y': 'a"b\\' }, scopes: ['s', 't'] },
    })
    expect(added).toBe(
      `${before}\n[mcp_servers.new]\nurl = "https://n.example"\nhttp_headers = { "X y" = "a\\"b\\\\" }\nscopes = ["s", "t"]\n`,
    )
    expect(codex(home, { name: 'new', action: 'remove' })).toBe(`${before}\n`)
    home.write('c.toml', before)
    expect(codex(home, { name: 'one', action: 'remove' })).toBe(
      before.replace(/\[mcp_servers\.one\] # head[\s\S]*X = "1"\n\n/, ''),
    )
    home.write('c.toml', before)
    expect(codex(home, { name: 'two', action: 'replace', entry: { command: 'node', args: ['a'] } })).toBe(
      before.replace('command = "npx"', 'command = "node"\nargs = ["a"]'),
    )
  })

  test('an entry written with dots, or as an inline table of its own', () => {
    const home = makeHome()
    home.write('c.toml', 'mcp_servers.a.url = "https://a.example"\nmcp_servers.b = { command = "b" }\n')
    expect(codex(home, { name: 'a', action: 'remove' })).toBe('mcp_servers.b = { command = "b" }\n')
    home.write('c.toml', '[mcp_servers]\nc = { command = "c" }\nd.command = "d"\n')
    expect(codex(home, { name: 'd', action: 'remove' })).toBe('[mcp_servers]\nc = { command = "c" }\n')
    expect(codex(home, { name: 'c', action: 'replace', entry: { command: 'c2' } })).toContain(
      '\n[mcp_servers.c]\ncommand = "c2"\n',
    )
  })

  test('a table that is closed is left alone, with words', () => {
    const home = makeHome()
    home.write('c.toml', 'mcp_servers = { a = { command = "a" } }\n')
    expect(() => codex(home, { name: 'b', action: 'add', entry: { command: 'b' } })).toThrow('inline table')
    expect(home.read('c.toml')).toBe('mcp_servers = { a = { command = "a" } }\n')
  })

  test('any text survives, also what only TOML must escape', () => {
    const home = makeHome()
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        home.write('c.toml', '')
        codex(home, { name: 'a', action: 'add', entry: { command: text, env: { K: text } } })
      }),
    )
  })
})

describe('when nothing is written', () => {
  const refused: readonly (readonly [string, string, Omit<HostFileEdit, 'place'>, string])[] = [
    [
      'a name that is there',
      '{"servers":{"a":{}}}',
      { name: 'a', action: 'add', entry },
      'has a server "a" already',
    ],
    [
      'a name that is not there',
      '{"servers":{"a":{}}}',
      { name: 'b', action: 'remove' },
      'has no server "b"',
    ],
    [
      'a syntax error',
      '{"servers": {\n"a" 1}}',
      { name: 'b', action: 'add', entry },
      ':2:5: This is not JSON: colon expected',
    ],
    ['a table that is none', '{"servers": []}', { name: 'b', action: 'add', entry }, 'should be an object'],
    ['a file that is no object', '[1]', { name: 'b', action: 'add', entry }, 'should be an object'],
    [
      'a table that stands twice',
      '{"servers":{},"servers":{}}',
      { name: 'b', action: 'add', entry },
      'stands here twice',
    ],
    [
      'a name that stands twice',
      '{"servers":{"a":1,"a":2}}',
      { name: 'a', action: 'remove' },
      'stands here twice',
    ],
    ['a dangerous name', '{}', { name: '__proto__', action: 'add', entry }, 'cannot be called'],
  ]
  test.each(refused)('%s', (_what, text, change, words) => {
    const home = makeHome()
    home.write('f.json', text)
    expect(() => edit(home, 'f.json', change)).toThrow(words)
    expect(() => edit(home, 'f.json', change)).toThrow(HostFileError)
    expect(home.read('f.json')).toBe(text)
    expect(readdirSync(home.root).filter((name) => name.includes('f.json'))).toEqual(['f.json'])
  })

  test('a file with comments that its host does not read', () => {
    const home = makeHome()
    home.write('f.json', '{ // c\n"mcpServers": {} }')
    expect(() => edit(home, 'f.json', { name: 'a', action: 'add', entry }, 'claude-code')).toThrow(
      'strict JSON',
    )
  })
})

describe('the file itself', () => {
  test('keeps its mode; a new one of the user is for the user alone, one of the project for everybody', () => {
    const home = makeHome()
    chmodSync(home.write('f.json', '{}'), 0o640)
    edit(home, 'f.json', { name: 'a', action: 'add', entry })
    expect(statSync(join(home.root, 'f.json')).mode & 0o777).toBe(0o640)
    edit(home, 'deep/er/f.json', { name: 'a', action: 'add', entry })
    expect(statSync(join(home.root, 'deep/er/f.json')).mode & 0o777).toBe(0o600)
    editHostFile({
      place: {
        host: 'vscode',
        scope: 'project',
        file: join(home.root, 'project/.vscode/mcp.json'),
        path: ['servers'],
      },
      name: 'a',
      action: 'add',
      entry,
    })
    expect(statSync(join(home.root, 'project/.vscode/mcp.json')).mode & 0o777).toBe(0o644 & ~process.umask())
  })

  test('Q15 a link of the user is written through and stays one; one of the project that leads out is refused', () => {
    const home = makeHome()
    home.write('home/dotfiles/mcp.json', '{}')
    symlinkSync('dotfiles/mcp.json', join(home.root, 'home/mcp.json'))
    expect(edit(home, 'home/mcp.json', { name: 'a', action: 'add', entry })).toContain('a.example')
    expect(readlinkSync(join(home.root, 'home/mcp.json'))).toBe('dotfiles/mcp.json')
    expect(home.read('home/dotfiles/mcp.json')).toContain('a.example')
    symlinkSync(join(home.root, 'home/dotfiles/mcp.json'), join(home.root, 'project/mcp.json'))
    const before = home.read('home/dotfiles/mcp.json')
    expect(() =>
      edit(home, 'project/mcp.json', { name: 'b', action: 'add', entry, within: home.places.cwd }),
    ).toThrow('leads out of the project')
    expect(home.read('home/dotfiles/mcp.json')).toBe(before)
  })

  test('Q15 a directory of the project that leads out is no way to make a file there', () => {
    const home = makeHome()
    home.write('elsewhere/keep', '')
    symlinkSync('../elsewhere', join(home.root, 'project/.cursor'))
    const change = { name: 'a', action: 'add', entry, within: home.places.cwd } as const
    for (const place of ['project/.cursor/mcp.json', 'project/.cursor/deep/mcp.json'])
      expect(() => edit(home, place, change)).toThrow('leads out of the project')
    symlinkSync(join(home.root, 'elsewhere/mcp.json'), join(home.root, 'project/mcp.json'))
    expect(() => edit(home, 'project/mcp.json', change)).toThrow('leads out of the project')
    expect(readdirSync(join(home.root, 'elsewhere'))).toEqual(['keep'])
    symlinkSync('deep/mcp.json', join(home.root, 'project/inside.json'))
    expect(edit(home, 'project/inside.json', change)).toContain('a.example')
    expect(home.read('project/deep/mcp.json')).toContain('a.example')
  })

  test('a link of the user to a file that is not there yet stays one, and the file comes to be', () => {
    const home = makeHome()
    symlinkSync('dotfiles/mcp.json', join(home.root, 'home/mcp.json'))
    expect(edit(home, 'home/mcp.json', { name: 'a', action: 'add', entry })).toContain('a.example')
    expect(readlinkSync(join(home.root, 'home/mcp.json'))).toBe('dotfiles/mcp.json')
    expect(home.read('home/dotfiles/mcp.json')).toContain('a.example')
    symlinkSync('two', join(home.root, 'home/one'))
    symlinkSync('one', join(home.root, 'home/two'))
    expect(() => edit(home, 'home/one', { name: 'a', action: 'add', entry })).toThrow()
  })

  test.runIf(process.platform !== 'win32').each([0o022, 0o077])(
    'mode and group stay, whatever the umask says: %o',
    (mask) => {
      const home = makeHome()
      const file = home.write('f.json', '{}')
      chmodSync(file, 0o664)
      // Only root may give a file to a group that it is not in.
      const group = process.getuid?.() === 0 ? 33 : process.getgid!()
      chownSync(file, process.getuid!(), group)
      const before = process.umask(mask)
      try {
        edit(home, 'f.json', { name: 'a', action: 'add', entry })
      } finally {
        process.umask(before)
      }
      const { mode, gid } = statSync(file)
      expect([mode & 0o777, gid]).toEqual([0o664, group])
    },
  )

  test('a look beforehand says the same, and writes nothing', () => {
    const home = makeHome()
    const file = home.write('f.json', '{"servers":{"a":{}}}')
    const place = { host: 'vscode', scope: 'user', file, path: ['servers'] } as const
    expect(() => checkHostFileEdit({ place, name: 'a', action: 'add', entry })).toThrow(
      'a server "a" already',
    )
    checkHostFileEdit({ place, name: 'b', action: 'add', entry })
    expect(home.read('f.json')).toBe('{"servers":{"a":{}}}')
  })

  test('what somebody else writes meanwhile is not lost', () => {
    const home = makeHome()
    const file = home.write('f.json', '{}')
    // The entry is read while the change is made: the moment at which the other one writes.
    const meanwhile = {
      get type() {
        writeFileSync(file, '{"theirs": 1}')
        return 'http'
      },
    }
    expect(() => edit(home, 'f.json', { name: 'a', action: 'add', entry: meanwhile })).toThrow(
      'has changed meanwhile',
    )
    expect(home.read('f.json')).toBe('{"theirs": 1}')
    expect(readdirSync(home.root).filter((name) => name.startsWith('.f.json'))).toEqual([])
  })
})
