import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isJsonObject, ownValue, type Reason, readStrictJson } from '../src/index.ts'
import { anyUnit, bytesOf, reasonOf } from './reason-of.ts'

const read = (text: string) => readStrictJson(bytesOf(text))
const reason = (text: string) => reasonOf(() => read(text))

describe('M02: the same key twice', () => {
  it.each([
    '{"a":1,"a":1}',
    '{"name":1,"n\\u0061me":2}',
    '{"params":{"arguments":{"x":1,"y":{"z":1,"z":2}}}}',
    '[{"a":1},{"b":1,"b":2}]',
    '{"\\ud83d\\ude00":1,"😀":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":2}',
  ])('M02 refuses %s', (text) => {
    expect(reason(text)).toBe('message.duplicate-key')
  })

  it.each(['{"a":1,"A":2}', '[{"a":1},{"a":2}]', '{"a":{"a":{"a":1}}}', '{"é":1,"e\\u0301":2}'])(
    'M02 accepts %s, in which no key repeats',
    (text) => {
      expect(read(text)).toEqual(JSON.parse(text))
    },
  )
})

describe('M02: the same key twice among many', () => {
  it.each([2, 15, 16, 17, 18, 19, 40, 1000])(
    'M02 refuses it among %i keys, wherever the two stand',
    (count) => {
      const members = Array.from({ length: count }, (_, at) => `"k${at}":${at}`)
      const distinct = `{${members.join()}}`
      expect(read(distinct)).toEqual(JSON.parse(distinct))
      for (const again of new Set([0, 1, Math.floor(count / 2), count - 1])) {
        expect(reason(`{${[...members, `"k${again}":0`].join()}}`)).toBe('message.duplicate-key')
        expect(reason(`{${[`"\\u006b${again}":0`, ...members].join()}}`)).toBe('message.duplicate-key')
      }
    },
  )
})

describe('M02: the same key twice among keys that look alike', () => {
  it.each([
    '{"axa":1,"aya":2,"axa":3}',
    '{"axa":1,"aya":2,"aya":3}',
    '{"axa":1,"b":2,"aya":3,"b":4}',
    '{"axa":1,"\\u0061xa":2}',
    '{"\\u0061xa":1,"axa":2}',
    '{"b":1,"\\u0061":2,"b":3}',
    '{"":1,"a":2,"":3}',
    '{"a":{"x":1},"b":{"x":1},"a":2}',
    '{"a":{"b":{"a":1},"c":{}},"b":[{"a":1}],"a":2}',
  ])('M02 refuses %s', (text) => {
    expect(reason(text)).toBe('message.duplicate-key')
  })

  it.each([
    '{"axa":1,"aya":2,"aza":3}',
    '{"aa":1,"aaa":2,"aaaa":3,"a":4,"":5}',
    '{"\\u0061xa":1,"aya":2}',
    '{"axa":1,"\\u0061ya":2,"aza":3}',
    '[{"axa":1,"aya":2},{"axa":1,"aya":2},{"aya":1}]',
    '[{"\\u0061":1},{"a":1},{"\\u0061":1}]',
    '{"a":{"b":1},"b":{"a":1},"c":{"a":1,"b":1,"c":1}}',
    '{"\\"":1,"\\\\":2,"\\u0000":3}',
  ])('M02 accepts %s, in which no key repeats', (text) => {
    expect(read(text)).toEqual(JSON.parse(text))
  })

  it('M02 accepts the keys of one object, few or many, in the objects beside it and in it', () => {
    for (const count of [15, 16, 17, 40]) {
      const members = Array.from({ length: count }, (_, at) => `"k${at}":${at}`).join()
      const text = `[{${members}},{${members},"in":{${members}}},{${members}}]`
      expect(read(text)).toEqual(JSON.parse(text))
    }
  })

  /** An object as its members, each with its key, whether that is written with an escape, and objects in it. */
  interface Members extends ReadonlyArray<readonly [key: string, isEscaped: boolean, value: Members]> {}
  const write = (members: Members): string => `{${members.map(writeMember).join()}}`
  const writeMember = ([key, isEscaped, value]: Members[number]): string => {
    const text = JSON.stringify(key)
    const escaped = `"\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${text.slice(2)}`
    return `${isEscaped ? escaped : text}:${write(value)}`
  }
  const repeats = (members: Members): boolean =>
    new Set(members.map(([key]) => key)).size < members.length ||
    members.some(([, , value]) => repeats(value))

  it('M02 refuses any object in which a key repeats, and no other', () => {
    const keys = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('a', 'axa', 'aya', 'ab', 'b', 'type', 'tape') },
      fc.nat({ max: 300 }).map((at) => `k${at}`),
    )
    const escaped = fc.integer({ min: 0, max: 9 }).map((at) => at === 0)
    const { object } = fc.letrec<{ object: Members }>((tie) => ({
      object: fc.oneof(
        { maxDepth: 3 },
        fc.constant([]),
        fc.array(fc.tuple(keys, escaped, tie('object')), { maxLength: 4 }),
        fc.uniqueArray(fc.tuple(keys, escaped, tie('object')), { maxLength: 24, selector: ([key]) => key }),
      ),
    }))
    const seen = new Set<string>()
    fc.assert(
      fc.property(object, (members) => {
        const found = reason(write(members))
        expect(found).toBe(repeats(members) ? 'message.duplicate-key' : 'accepted')
        seen.add(found)
      }),
      { numRuns: 500 },
    )
    expect(seen.size).toBe(2)
  })
})

describe('M05: keys that mean something to JavaScript', () => {
  it('M05 keeps __proto__ as an own property and pollutes nothing', () => {
    const value = read('{"__proto__":{"polluted":true},"constructor":1}')
    expect(isJsonObject(value) && ownValue(value, '__proto__')).toEqual({ polluted: true })
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'M05 finds no %s where the text has none',
    (key) => {
      const value = read('{}')
      expect(isJsonObject(value) && ownValue(value, key)).toBeUndefined()
    },
  )
})

describe('M06: numbers', () => {
  it.each([
    '1e400',
    '-1e400',
    '-0',
    '-0.0',
    '-0e1',
    '1e-400',
    '9007199254740993',
    '9007199254740993.0',
    '-9007199254740993',
    '9007199254740993.00',
    '123456789012345678901234567890',
  ])('M06 refuses %s, which a double does not carry', (text) => {
    expect(reason(`{"a":[${text}]}`)).toBe('message.number')
  })

  it.each(['01', 'NaN', 'Infinity', '+1', '1.', '.5', '0x10', '1e', '--1', '-', '1_000'])(
    'M06 refuses %s, which is no JSON',
    (text) => {
      expect(reason(`[${text}]`)).toBe('message.not-json')
    },
  )

  it.each([
    ['0', 0],
    ['0.0', 0],
    ['0e5', 0],
    ['0.00', 0],
    ['0.00e5', 0],
    ['1.0', 1],
    ['9007199254740991', 9007199254740991],
    ['-9007199254740991', -9007199254740991],
    ['9007199254740992', 9007199254740992],
    ['100000000000000000000', 1e20],
    ['6.02214076e23', 6.02214076e23],
    ['0.1', 0.1],
    ['5e-324', 5e-324],
  ])('M06 reads %s exactly', (text, value) => {
    expect(read(text)).toBe(value)
  })
})

describe('M07: characters', () => {
  it.each([
    '"\\ud800"',
    '"\\udc00"',
    '"\\udc00\\ud800"',
    '"\\ud83dx"',
    '"\\ud83d\\n"',
    '"\\ud83d\\u0041"',
    '"\\ud800\\ud800"',
    '"\\udbff"',
    '"\\udfff"',
    '"\\ud800dc00"',
    '"\\ud800\\dc00"',
    '"\\ud800\\udbff"',
    '"\\ud800\\ue000"',
    '"\\ud800',
    '{"\\ud800":1}',
  ])('M07 refuses the lone surrogate in %s', (text) => {
    expect(reason(text)).toBe('message.not-json')
  })

  it.each<[string, number[]]>([
    ['overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['overlong NUL', [0x22, 0xc0, 0x80, 0x22]],
    ['surrogate in UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['truncated sequence', [0x22, 0xe2, 0x82, 0x22]],
    ['Latin-1', [0x22, 0xe9, 0x22]],
    ['byte order mark', [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ])('M07 refuses %s', (_, bytes) => {
    expect(reasonOf(() => readStrictJson(Uint8Array.from(bytes)))).toBe('message.not-utf8')
  })

  it('M07 keeps U+2028, escaped NUL, a byte order mark inside and pairs of surrogates as they are', () => {
    expect(read('"a\u2028\\u0000\ufeff\\ud83d\\ude00😀"')).toBe('a\u2028\u0000\ufeff😀😀')
  })

  it.each(['"\\ud800\\udc00"', '"\\udbff\\udfff"', '"\\ud7ff"', '"\\ue000"', '"\\uffff"'])(
    'M07 reads %s, which is no surrogate alone',
    (text) => {
      expect(read(text)).toBe(JSON.parse(text))
    },
  )

  it.each(['{ }', '[ ]', '{ "a" : 1 , "b" : [ 2 , { "c" : 3 } ] }', '\t{"a":\r\n1}\n'])(
    'reads the whitespace of %j',
    (text) => {
      expect(read(text)).toEqual(JSON.parse(text))
    },
  )

  it.each(['"\\', '"\\u', '"\\u00', '"\\x"', '"', '{"a', '"\\u00g0"'])(
    'M07 refuses the unfinished or unknown escape in %s',
    (text) => {
      expect(reason(text)).toBe('message.not-json')
    },
  )

  it('M07 refuses a raw control character in a string', () => {
    expect(reason('"a\u0000"')).toBe('message.not-json')
    expect(reason('"a\nb"')).toBe('message.not-json')
    expect(read('"a\\nb"')).toBe('a\nb')
  })
})

describe('D19, L29: size of the structure', () => {
  it('D19 refuses depth 100,000 and accepts depth 64', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(reason(nested(100_000))).toBe('message.too-complex')
    expect(reason(nested(65))).toBe('message.too-complex')
    expect(reason(nested(64))).toBe('accepted')
    expect(reason(`[${'[],{},'.repeat(100)}[]]`)).toBe('accepted')
    expect(reason(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`)).toBe('message.too-complex')
  })

  it('L29 refuses 10,001 members, counted over all objects, and accepts 10,000', () => {
    const members = (count: number) =>
      `[{${Array.from({ length: count }, (_, at) => `"k${at}":1`).join()}},{"k":1}]`
    expect(reason(members(10_000))).toBe('message.too-complex')
    expect(reason(members(9_999))).toBe('accepted')
  })

  it('reads a string of four million characters without running out of stack', () => {
    expect(read(`"${'x'.repeat(4_000_000)}"`)).toHaveLength(4_000_000)
  })

  it('takes other limits from its caller', () => {
    expect(reasonOf(() => readStrictJson(bytesOf('[[1]]'), { depth: 1 }))).toBe('message.too-complex')
    expect(reasonOf(() => readStrictJson(bytesOf('{"a":1,"b":2}'), { keys: 1 }))).toBe('message.too-complex')
  })
})

describe('against JSON.parse', () => {
  const ours: readonly (Reason | 'accepted')[] = [
    'message.duplicate-key',
    'message.number',
    'message.too-complex',
  ]

  const agrees = (text: string): void => {
    let expected: unknown
    let valid = true
    try {
      expected = JSON.parse(text)
    } catch {
      valid = false
    }
    const found = reason(text)
    if (!valid) expect(['message.not-json', 'message.not-utf8', ...ours]).toContain(found)
    else if (found === 'accepted') expect(read(text)).toEqual(expected)
    else expect(found === 'message.not-json' ? hasLoneSurrogate(text) : ours.includes(found)).toBe(true)
  }

  const hasLoneSurrogate = (text: string): boolean => /\\u[dD][89a-fA-F]/.test(text)

  it('round trips what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8, stringUnit: anyUnit }), (value) => {
        const text = JSON.stringify(value)
        const found = reason(text)
        // JSON.stringify writes whole numbers up to 1e21 without exponent, and never a minus zero.
        if (found === 'accepted') expect(read(text)).toEqual(JSON.parse(text))
        else expect(hasLoneSurrogate(text)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('accepts nothing that JSON.parse refuses, and refuses no more than it says', () => {
    const piece = fc.constantFrom(
      ...['{', '}', '[', ']', ':', ',', '"', '"a"', '"b"', '"\\u0061"', '\\', '\\u', 'd83d', 'true', 'null'],
      ...['0', '1', '-', '.', 'e', '+', '12', ' ', '\t', '\n', '\r', '\u000b', '\u00a0', '{"a":1}', '"x":'],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => agrees(pieces.join(''))),
      { numRuns: 5000 },
    )
  })

  it('agrees on valid texts with one character changed', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 4 }),
        fc.nat(),
        fc.constantFrom('', '"', '\\', ',', '}', '0', '-', 'e', ' ', '\u0000', '{'),
        (text, position, character) => {
          const at = position % (text.length + 1)
          agrees(text.slice(0, at) + character + text.slice(at + 1))
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('reads each number exactly as JSON.parse does, or refuses it', () => {
    const digits = fc.stringMatching(/^(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/)
    fc.assert(
      fc.property(digits, fc.boolean(), (text, negative) => {
        const number = negative ? `-${text}` : text
        const found = reason(number)
        expect(['accepted', 'message.number']).toContain(found)
        if (found !== 'accepted') return
        expect(Object.is(read(number), JSON.parse(number))).toBe(true)
        if (/^-?[0-9]+$/.test(number)) expect(JSON.stringify(read(number))).toBe(number)
      }),
      { numRuns: 2000 },
    )
  })

  it('throws nothing but refusals for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        reasonOf(() => readStrictJson(bytes))
      }),
      { numRuns: 1000 },
    )
  })
})
