import { describe, expect, test } from 'vitest'
import { decide, type PolicyErrors } from '../src/index.ts'
import { everything, notes, outcome, principal } from './principals.ts'

const who = principal(['notes:write'])
const matrix = (when: string): ReturnType<typeof notes> =>
  notes(`  - { who: anyone, may: [notes:write], when: ${JSON.stringify(when)} }`)

/** What a call of a tool that is open under the condition comes to. */
const called = (when: string, args: Record<string, unknown>): string =>
  outcome(matrix(when), who, { kind: 'tool', name: 'create_note', args })

describe('a condition sees an argument of the type it compares it with, however it is written', () => {
  test.each<[when: string, wrong: Record<string, unknown>, right: Record<string, unknown>]>([
    ['args["folder"] != "prod"', { folder: 5 }, { folder: 'ci' }],
    ['args.into["folder"] != "prod"', { into: { folder: 5 } }, { into: { folder: 'ci' } }],
    ['args.list[0] != "prod"', { list: [5] }, { list: ['ci'] }],
    ['args["a"] != "x" && args["n"] != 3', { a: 'y', n: '3' }, { a: 'y', n: 4 }],
    ['args[args.key] != "x"', { key: 'a', a: 5 }, { key: 'a', a: 'y' }],
    ['args[args.key] != "x" && args.a == args.b', { key: 'a', a: 5, b: 5 }, { key: 'a', a: 'y', b: 'y' }],
    ['args.subject != 5 && user.subject != "u2"', { subject: 'x' }, { subject: 6 }],
    ['args.keys.all(k, args[k] != "x")', { keys: ['a'], a: 5 }, { keys: ['a'], a: 'y' }],
    ['args.rows.all(r, r.name != "x")', { rows: [{ name: 5 }] }, { rows: [{ name: 'y' }] }],
    ['args.rows.all(r, r["name"] != "x")', { rows: [{ name: 5 }] }, { rows: [{ name: 'y' }] }],
    ['"x" != args.a', { a: 5 }, { a: 'y' }],
    ['args.n != -7', { n: '5' }, { n: 5 }],
    ['args.flag != true', { flag: 'true' }, { flag: false }],
    ['!(args.n in [1, 2])', { n: '1' }, { n: 3 }],
    ['!("prod" in args.list)', { list: ['ci', 5] }, { list: ['ci'] }],
    ['!("prod" in args.list)', { list: [['prod']] }, { list: [] }],
    ['!(args.owner in user.names)', { owner: 5 }, { owner: 'eve' }],
    ['args.n == null', { n: 5 }, { n: null }],
    ['args.a', { a: 'x' }, { a: true }],
    ['args.a != "x" + args.b', { a: 5, b: 'z' }, { a: 'y', b: 'z' }],
    ['args.owner != user.subject', { owner: 5 }, { owner: 'u2' }],
    ['args.owner != client.id', { owner: 5 }, { owner: 'c2' }],
    ['args.a != "x" + user.subject', { a: 5 }, { a: 'y' }],
    ['args.a != args.b + "x"', { a: 5, b: 'z' }, { a: 'y', b: 'z' }],
    ['args.a != string(args.n)', { a: 5, n: 5 }, { a: 'y', n: 5 }],
    ['args.a != args.b.trim()', { a: 5, b: 'x' }, { a: 'y', b: 'x' }],
    ['args.n != size(args.list)', { n: '2', list: [1] }, { n: 2, list: [1] }],
    ['args.n != args.a.indexOf("x")', { n: '0', a: 'x' }, { n: 2, a: 'x' }],
    ['(has(args.env) ? args.env : "dev") != "prod"', { env: ['prod'] }, { env: 'ci' }],
    ['(has(args.env) ? args.env : "dev") != "prod"', { env: ['prod'] }, {}],
    ['args.env != (user.subject == "u1" ? "prod" : "live")', { env: ['prod'] }, { env: 'ci' }],
    ['[args.from, args.to].all(p, p != "prod")', { from: 'a', to: ['prod'] }, { from: 'a', to: 'b' }],
    ['!("prod" in [args.from, args.to])', { from: 'a', to: ['prod'] }, { from: 'a', to: 'b' }],
    ['!(args.env in {"prod": 1})', { env: ['prod'] }, { env: 'ci' }],
    ['!("prod" in args.env)', { env: 'prod' }, { env: {} }],
    ['[args.env] != ["prod"]', { env: ['prod'] }, { env: 'ci' }],
    ['args.list != ["prod"]', { list: 'prod' }, { list: ['ci'] }],
    ['args.list != ["x", "prod"]', { list: ['x', ['prod']] }, { list: ['x', 'ci'] }],
    ['args.o != {"env": "prod"}', { o: { env: ['prod'] } }, { o: { env: 'ci' } }],
    ['args.o != {"env": "prod"}', { o: [['env', 'prod']] }, { o: { else: 'prod' } }],
    ['args.o != {"env": "ci", "to": "x"}', { o: { env: 'ci', to: 5 } }, { o: { env: 'ci', to: 'y' } }],
    ['args.a == args.b', { a: null, b: 5 }, { a: null, b: null }],
    ['args.a == args.b', { a: {}, b: null }, { a: {}, b: {} }],
    ['{"k": args.env}.k != "prod"', { env: ['prod'] }, { env: 'ci' }],
    ['args.env != ["prod", "live"][0]', { env: ['prod'] }, { env: 'ci' }],
    ['!("prod" in args.rows.map(r, r.name))', { rows: [{ name: ['prod'] }] }, { rows: [{ name: 'ci' }] }],
    [
      '!args.rows.map(r, r.name).exists(n, n == "prod")',
      { rows: [{ name: ['prod'] }] },
      { rows: [{ name: 'ci' }] },
    ],
    [
      '!args.rows.filter(r, r.kind == "x").exists(r, r.name == "prod")',
      { rows: [{ kind: 'x', name: ['prod'] }] },
      { rows: [{ kind: 'x', name: 'ci' }] },
    ],
    ['!user.names.exists(n, n == args.owner)', { owner: ['owner'] }, { owner: 'eve' }],
    ['args.owner != user.names[0]', { owner: ['owner'] }, { owner: 'eve' }],
    ['args.from != args.to', { from: ['prod'], to: 'prod' }, { from: 'ci', to: 'prod' }],
    ['args.n != 5u', { n: '5' }, { n: 6 }],
    ['!has(args.o.force)', { o: [{ force: true }] }, { o: {} }],
    ['!has(args.o.force)', { o: 'force' }, { o: { else: true } }],
  ])('M17 %s is not open to %j, and is to %j', (when, wrong, right) => {
    expect([called(when, wrong), called(when, right)]).toEqual(['hidden', 'open'])
  })

  test.each<[when: string, hit: object, wrong: object, other: object]>([
    ['(has(args.env) ? args.env : "dev") == "prod"', { env: 'prod' }, { env: ['prod'] }, {}],
    [
      '"prod" in [args.from, args.to]',
      { from: 'a', to: 'prod' },
      { from: ['prod'], to: 'a' },
      { from: 'a', to: 'b' },
    ],
    ['args.owner == user.names[0]', { owner: 'owner' }, { owner: ['owner'] }, { owner: 'eve' }],
    ['has(args.o) && has(args.o.force)', { o: { force: 1 } }, { o: [{ force: 1 }] }, { o: { f: 1 } }],
    ['[args.env] == ["prod"]', { env: 'prod' }, { env: ['prod'] }, { env: 'ci' }],
    ['args.ticket == null', { ticket: null }, {}, { ticket: 'T1' }],
  ])('M17 never %s: denies %j and %j, and not %j', (when, ...calls) => {
    const policy = notes(`${everything}
  - { who: anyone, never: [notes:write], when: ${JSON.stringify(when)} }`)
    const outcomes = calls.map((args) =>
      outcome(policy, who, { kind: 'tool', name: 'create_note', args: { ...args } }),
    )
    expect(outcomes).toEqual(['hidden', 'hidden', 'open'])
  })

  test.each([
    ['args.ticket != null', { ticket: 'T1' }, 'open'],
    ['args.ticket != null', { ticket: ['T1'] }, 'open'],
    ['args.ticket != null', { ticket: null }, 'hidden'],
    ['null == args.ticket', { ticket: null }, 'open'],
    ['null == args.ticket', { ticket: 5 }, 'hidden'],
    ['args.ticket == null || args.ticket == "T1"', { ticket: null }, 'open'],
    ['args.ticket == null || args.ticket == "T1"', { ticket: 'T1' }, 'open'],
    ['args.ticket == null || args.ticket != "T1"', { ticket: ['T1'] }, 'hidden'],
  ])('M17 a comparison with null has an answer for every type: %s with %j is %s', (when, args, wanted) => {
    expect(called(when, args)).toBe(wanted)
  })

  test.each([
    ['args.n - (args.m - 1.0) == 5.0', 'open'],
    ['(args.n - args.m) - 1.0 == 5.0', 'hidden'],
    ['args.n - args.m + 1.0 == 5.0', 'open'],
    ['-args.n == -5 && !(args.n == 6)', 'open'],
    ['(args.a == "x") == (args.b == "x")', 'open'],
    ['args.ok ? args.a == "x" : args.a == "y"', 'open'],
    ['(args.ok ? args.a : args.b) == "x" ? false : true', 'hidden'],
    ['args.a == "x" || args.a == "y" && args.a == "z"', 'open'],
    ['(args.a == "x" || args.a == "y") && args.a == "z"', 'hidden'],
    [String.raw`args.a == 'x' && args.a == r"x" && args.a == """x""" && args.a == "\x78"`, 'open'],
    ['args.n == 5.0 && args.n == 5 && args.n == 0x5 && args.n == 5e0', 'open'],
    ['{"a": args.n}.a == 5 && [args.a, args.b][1] == "x"', 'open'],
    ['args.s.split(",") == ["x", "y"] && args.s.split(",", 1) == ["x,y"]', 'open'],
    ['has(user.names) && has(args.a) && !has(args.zz)', 'open'],
    ['args.s.split(",") == ["x"]', 'hidden'],
    ['["x"] == args.s.split(",")', 'hidden'],
    ['{"a": args.a} == {"a": "x", "b": "x"} || {"a": "x", "b": "x"} == {"a": args.a}', 'hidden'],
    ['{"a": args.a} == {"b": args.a}', 'hidden'],
    ['timestamp("2026-01-01T00:00:00Z") == timestamp("2026-01-02T00:00:00Z")', 'hidden'],
    ['type(args.a) == type(args.n)', 'hidden'],
    ['timestamp("2026-01-01T00:00:00Z") == timestamp("2026-01-01T01:00:00+01:00")', 'open'],
    ['type(args.a) == string && type(args.n) == double', 'open'],
    [`${'true&&'.repeat(249)}true`, 'open'],
    [`${'!'.repeat(498)}args.ok`, 'open'],
    [`${'(true||!'.repeat(48)}args.ok${')'.repeat(48)}`, 'open'],
  ])('M27 %s, with values of one type, is what CEL says: %s', (when, wanted) => {
    expect(called(when, { a: 'x', b: 'x', m: 1, n: 5, ok: true, s: 'x,y' })).toBe(wanted)
  })

  test.each([
    ['user.names[0] == "owner"', 'open'],
    ['user.names.exists(n, n == "owner")', 'open'],
    ['user.names[0] == "eve"', 'hidden'],
    ['args.a == args.b', 'open'],
    ['args.m == args.n', 'open'],
    ['args.ok == args.a.contains("x")', 'open'],
    ['args.a == (args.ok ? "x" : "y")', 'open'],
    ['"a" in args', 'open'],
    ['"c" in args', 'hidden'],
  ])('M17 %s, of which no type is told, is %s', (when, wanted) => {
    expect(called(when, { a: 'x', b: 'x', m: 5, n: 5, ok: true })).toBe(wanted)
  })
})

describe('how much a condition looks at', () => {
  const loop = 'args.files.all(f, f != "x")'
  const nested = (levels: number): unknown => {
    let value: unknown = 'x'
    for (let level = 0; level < levels; level++) value = { deep: value }
    return value
  }

  test.each<[what: string, when: string, most: Record<string, unknown>, more: Record<string, unknown>]>([
    [
      'items, of which the list is one',
      loop,
      { files: Array.from({ length: 999 }, () => 'y') },
      { files: Array.from({ length: 1000 }, () => 'y') },
    ],
    ['characters, names included', loop, { files: ['y'.repeat(99_995)] }, { files: ['y'.repeat(99_996)] }],
    [
      'characters beside values of other types',
      loop,
      { n: 1, no: null, files: ['y'.repeat(99_992)] },
      { n: 1, no: null, files: ['y'.repeat(99_993)] },
    ],
    ['levels, without a loop too', 'has(args.deep)', { deep: nested(99) }, { deep: nested(100) }],
    ['levels, to find nothing', '!has(args.x)', { deep: nested(99) }, { deep: nested(100) }],
    [
      'parts of a text',
      'args.to.split(",").all(part, part == "")',
      { to: ','.repeat(999) },
      { to: ','.repeat(1000) },
    ],
    [
      'parts, without a loop too',
      'size(args.to.split(",")) > 0',
      { to: ','.repeat(999) },
      { to: ','.repeat(1000) },
    ],
  ])('M27 as many %s as may be, and one more', (_, when, most, more) => {
    expect([called(when, most), called(when, more)]).toEqual(['open', 'hidden'])
  })
})

describe('names of arguments that a server may fold together', () => {
  test.each<[when: string, odd: Record<string, unknown>, plain: Record<string, unknown>]>([
    ['args.folder != "prod"', { folder: 'ci', Folder: 'prod' }, { folder: 'ci', else: 'prod' }],
    ['!has(args.folder)', { Folder: 'prod' }, { else: 'prod' }],
    ['!has(args.folder)', { FOLDER: 'prod' }, {}],
    ['!has(args.list)', { li\u017ft: [] }, {}],
    ['!has(args.key)', { '\u212aey': 1 }, {}],
    ['!("folder" in args)', { Folder: 'prod' }, { else: 'prod' }],
    ['!has(args.into) || args.into["folder"] != "prod"', { Into: {} }, {}],
    ['!has(args.into.folder)', { into: { Folder: 'prod' } }, { into: {} }],
    ['args.into["folder"] != "prod"', { into: { folder: 'ci', Folder: 'x' } }, { into: { folder: 'ci' } }],
    ['args.rows.all(r, !has(r.force))', { rows: [{ Force: 1 }] }, { rows: [{ else: 1 }] }],
    ['args.rows.all(user, !has(user.names))', { rows: [{ Names: 1 }] }, { rows: [{ else: 1 }] }],
    ['args.keys.all(k, args[k] != "x")', { keys: ['a'], a: 'y', A: 'x' }, { keys: ['a'], a: 'y' }],
    ['client.id == "c1" && args.a == "x"', { a: 'x', k: 1, K: 2 }, { a: 'x', Id: 1 }],
  ])('M03 M17 %s is not open to %j, and is to %j', (when, odd, plain) => {
    expect([called(when, odd), called(when, plain)]).toEqual(['hidden', 'open'])
  })

  test.each([
    ['args.a == "x"', { a: 'x', Id: 1, B: 2 }],
    ['args.a == "x" || args.b == "y"', { a: 'x', B: 'y' }],
    ['args.a == "x" || size(args.b) > 1', { a: 'x', B: 'y' }],
    ['has(args.a) && client.id == "c1"', { a: 'x', ID: 1, Client: 1 }],
  ])(
    'M03 twin: names that nobody asks for, or that are missing to no effect: %s is open to %j',
    (when, args) => {
      expect(called(when, args)).toBe('open')
    },
  )

  test('M03 are no matter to a condition that is decided without them; the reason is in the log', () => {
    const odd = { a: 'y', A: 'x' }
    expect(called('client.id == "c1"', odd)).toBe('open')
    expect(called('client.id == "c1" || args.a == "y"', odd)).toBe('open')
    const call = { kind: 'tool', name: 'create_note', args: odd } as const
    expect(decide(matrix('args.a == "y"'), 'notes', who, call).because).toMatch(
      /its when cannot be evaluated \(names of arguments differ only in upper and lower case\)$/,
    )
  })
})

test.each([
  ['args.list[0] == "a"', 'open'],
  ['args.list.exists(x, x == "a")', 'open'],
  ['"a" in args.list', 'hidden'],
])('M17 beside an item of another type, %s, which looks at the one or at all, is %s', (when, wanted) => {
  expect(called(when, { list: ['a', 5] })).toBe(wanted)
})

test.each(['!(time.getHours() < 9)', '!(time < timestamp("2026-01-01T00:00:00Z"))'])(
  'M27 without the time, %s gives nothing, though it denies',
  (when) => {
    const call = { kind: 'tool', name: 'create_note', args: {} } as const
    expect(decide(matrix(when), 'notes', who, call, Date.UTC(2026, 0, 5, 9)).outcome).toBe('open')
    expect(decide(matrix(when), 'notes', who, call).outcome).toBe('hidden')
  },
)

test.each([
  ['args.a == "x" && time.getHours() < 9', 'locked'],
  ['time.getHours() < 9 || client.id == "args"', 'hidden'],
  ['user.names.exists(args, args == "owner") && time.getHours() < 9', 'hidden'],
])('M27 before a call and without the time, %s is %s: only arguments are still to come', (when, wanted) => {
  expect(outcome(matrix(when), who, { kind: 'tool', name: 'create_note' })).toBe(wanted)
})

describe('what no condition is', () => {
  const message = (when: string): string => {
    try {
      matrix(when)
    } catch (error) {
      return (error as PolicyErrors).problems.map((one) => one.message).join()
    }
    return 'none'
  }

  test.each([
    ['fetch(args.x)', /^when: the function fetch is not supported in a condition$/],
    ['args.a.all(x, x in args.b.split(","))', /^when: split within a loop is not supported, since/],
    ['args.a.exists(x, size(args.b.filter(y, true)) > 0)', /^when: a loop within a loop is not supported/],
    ['args.a.exists(x, x == args.b.join(","))', /^when: join within a loop is not supported, since/],
    ['args.a.all()', /^when: found no matching overload/],
    ['args.a.all(1, true)', /^when: .* invalid predicate iteration variable$/],
    ['all(args.a)', /^when: found no matching overload/],
    ['all(args.a, x, x == 1)', /^when: Unknown variable: x$/],
  ])('M27 %s is refused in words of its own', (when, wanted) => {
    expect(message(when)).toMatch(wanted)
  })

  test('M27 a text of 2,000 characters is one, a longer one is none', () => {
    const text = (length: number): string => `args.a == "${'x'.repeat(length - 'args.a == ""'.length)}"`
    expect(message(text(2000))).toBe('none')
    expect(message(text(2001))).toMatch(/^when: a condition has at most 2000 characters/)
  })

  test('M27 twin: a loop over a list is none of them', () => {
    expect(message('args.a.all(x, x == 1)')).toBe('none')
    expect(message('args.a.split(",").all(x, x in args.b) && args.c.join("") == "y"')).toBe('none')
  })
})
