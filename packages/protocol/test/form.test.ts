import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readForm } from '../src/index.ts'
import { anyUnit, reasonOf } from './reason-of.ts'

const reason = (body: string, repeatable?: readonly string[]) => reasonOf(() => readForm(body, repeatable))

describe('A14, C19: parameters sent twice or as arrays', () => {
  const names = [
    'client_id',
    'redirect_uri',
    'scope',
    'state',
    'code_challenge',
    'response_type',
    'grant_type',
  ]

  it.each(names)('A14 C19 refuses %s twice, and takes it once', (name) => {
    expect(reason(`${name}=a&${name}=b`, ['resource'])).toBe('parameter.repeated')
    expect(reason(`${name}=a&${name}=a`, ['resource'])).toBe('parameter.repeated')
    expect(reason(`${name}=&${name}=a`, ['resource'])).toBe('parameter.repeated')
    expect(reason(`${name}=a&${name}`, ['resource'])).toBe('parameter.repeated')
    expect(readForm(`${name}=a`).get(name)).toBe('a')
  })

  it('A14 T01 names no more than 64 characters of a repeated name in the log', () => {
    const name = 'x'.repeat(1000)
    expect(() => readForm(`${name}=a&${name}=b`)).toThrow(
      expect.objectContaining({ notes: expect.objectContaining({ detail: 'x'.repeat(64) }) }),
    )
  })

  it('A14 refuses a second spelling of the same name', () => {
    expect(reason('client_id=a&client%5Fid=b')).toBe('parameter.repeated')
  })

  it('A14 lets resource alone repeat', () => {
    const form = readForm('resource=a&resource=b&resource=', ['resource'])
    expect(form.all('resource')).toEqual(['a', 'b'])
    expect(form.get('resource')).toBe('a')
    expect(reason('resource=a&resource=b')).toBe('parameter.repeated')
  })

  it.each([
    'client_id[]=a',
    'client_id%5B%5D=a',
    'code[$ne]=x',
    'code%5B%24ne%5D=x',
    'a[b]=1',
    '[]a=1',
    '%5B%5Da=1',
    '=a',
    'a b=1',
  ])('C19 refuses the name in %s', (body) => {
    expect(reason(body)).toBe('parameter.malformed')
  })
})

describe('A39: encoding', () => {
  it.each([
    'a=%',
    'a=%4',
    'a=%zz',
    'a=%ff',
    'a=%c0%af',
    'a=%ed%a0%80',
    'a=%00',
    'a=b%00c',
    'a=é',
    'a=b c',
    'a=\tb',
    'a=b\r\n',
    '%e9=a',
  ])('A39 refuses %j', (body) => {
    expect(reason(body)).toBe('parameter.malformed')
  })

  it('A39 reads valid encodings', () => {
    const form = readForm('a=%C3%A9+%26%3D&b=1%2B1&c=x=y')
    expect([form.get('a'), form.get('b'), form.get('c')]).toEqual(['é &=', '1+1', 'x=y'])
  })
})

describe('A37, C42: size', () => {
  it('C42 refuses 65 parameters and takes 64', () => {
    const body = (count: number) => Array.from({ length: count }, (_, at) => `p${at}=1`).join('&')
    expect(reason(body(65))).toBe('parameter.malformed')
    expect(reason(body(64))).toBe('accepted')
  })

  it('C42 takes more parameters only where the caller expects them', () => {
    const body = (count: number) => Array.from({ length: count }, () => 'scope=x').join('&')
    expect(readForm(body(100), ['scope'], 100).all('scope')).toHaveLength(100)
    expect(reasonOf(() => readForm(body(101), ['scope'], 100))).toBe('parameter.malformed')
  })

  it('A37 refuses more than 65,536 characters', () => {
    expect(reason(`a=${'x'.repeat(65_535)}`)).toBe('parameter.malformed')
    expect(reason(`a=${'x'.repeat(65_534)}`)).toBe('accepted')
  })
})

describe('RFC 6749 section 3.1: no value is no parameter', () => {
  it('treats an empty value as absent', () => {
    const form = readForm('state=&scope&client_id=x')
    expect(form.get('state')).toBeUndefined()
    expect(form.all('scope')).toEqual([])
    expect(form.names).toEqual(['client_id'])
  })

  it.each(['__proto__', 'constructor', 'toString'])('M05 finds no %s in an empty form', (name) => {
    expect(readForm('').get(name)).toBeUndefined()
    expect(readForm(`${name}=x`).get(name)).toBe('x')
  })
})

describe('properties', () => {
  it('reads back what URLSearchParams writes', () => {
    const value = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\0'))
    const pairs = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[A-Za-z0-9._-]{1,8}$/), value), {
      selector: ([name]) => name,
      maxLength: 20,
    })
    fc.assert(
      fc.property(pairs, (entries) => {
        const form = readForm(new URLSearchParams(entries).toString())
        expect(form.names.map((name) => [name, form.get(name)])).toEqual(entries)
      }),
      { numRuns: 300 },
    )
  })

  it('throws nothing but refusals for any string', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: anyUnit }), fc.stringMatching(/^[a-c%0-9&=+[\]]{0,30}$/)),
        (body) => {
          reasonOf(() => readForm(body, ['a']))
        },
      ),
      { numRuns: 1000 },
    )
  })
})
