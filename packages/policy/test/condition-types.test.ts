import { describe, expect, test } from 'vitest'
import { decide, type PolicyErrors } from '../src/index.ts'
import { notes, outcome, principal } from './principals.ts'

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
  ])('M17 %s is not open to %j, and is to %j', (when, wrong, right) => {
    expect([called(when, wrong), called(when, right)]).toEqual(['hidden', 'open'])
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
  ])('M27 as many %s as may be, and one more', (_, when, most, more) => {
    expect([called(when, most), called(when, more)]).toEqual(['open', 'hidden'])
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
  })
})
