import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isAccessTokenType, readBase64, readBase64Url, readBearer, readCompactJws } from '../src/index.ts'
import { bytesOf, reasonOf } from './reason-of.ts'

const formatBase64Url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
const part = (value: unknown) =>
  formatBase64Url(bytesOf(typeof value === 'string' ? value : JSON.stringify(value)))
const token = (header: unknown, payload: unknown, signature = 'AAAA') =>
  `${part(header)}.${part(payload)}.${signature}`
const good = token({ alg: 'ES256', typ: 'at+jwt' }, { iss: 'x', exp: 1 })
const reason = (text: string) => reasonOf(() => readCompactJws(text))

describe('G21, G22, G23: the shape of a token', () => {
  it('G23 reads a token in three parts', () => {
    const jws = readCompactJws(good)
    expect(jws.header).toEqual({ alg: 'ES256', typ: 'at+jwt' })
    expect(jws.payload).toEqual({ iss: 'x', exp: 1 })
    expect(new TextDecoder().decode(jws.signingInput)).toBe(good.slice(0, good.lastIndexOf('.')))
    expect([...jws.signature]).toEqual([0, 0, 0])
  })

  it.each([
    ['nothing', ''],
    ['an opaque token', 'wrt_abcdef'],
    ['two parts', 'e30.e30'],
    ['four parts', `${good}.AAAA`],
    ['five parts, encrypted', 'e30.AA.AA.AA.AA'],
    ['an empty signature (alg none)', `${part({ alg: 'none' })}.${part({})}.`],
    ['a detached payload', `${part({ alg: 'ES256' })}..AAAA`],
    ['JSON serialization', JSON.stringify({ payload: 'e30', signature: 'AA' })],
    ['padding', `${part({})}=.${part({})}.AAAA`],
    ['standard base64', `${part({})}.${part({})}.AA+/`],
    ['spaces', ` ${good}`],
    ['a line feed', `${good}\n`],
    ['bits behind the last byte', `${good.slice(0, -4)}AB`],
    ['an impossible length', `${good}A`],
    ['a header that is no JSON', token('x', {})],
    ['a header that is a list', token([], {})],
    ['a payload that is a string', token({}, '"x"')],
    ['a payload that is null', token({}, 'null')],
    ['the key alg twice', token('{"alg":"ES256","alg":"none"}', {})],
    ['the key aud twice', token({}, '{"aud":"a","\\u0061ud":"b"}')],
    ['a byte order mark', token('\ufeff{}', {})],
    ['invalid UTF-8', `${formatBase64Url(Uint8Array.of(0xff))}.${part({})}.AAAA`],
    ['a payload 10,000 deep', token({}, `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`)],
    ['17 KB', token({}, { a: 'x'.repeat(13_000) })],
    ['1 MB', 'a'.repeat(1_000_000)],
  ])('G21 G22 G23 G25 M02 refuses %s', (_, text) => {
    expect(reason(text)).toBe('token.malformed')
  })

  it('G25 reads a token of 16,384 characters and none of more', () => {
    const sized = (length: number) => {
      const [header, payload] = good.split('.')
      return `${header}.${payload}.`.padEnd(length, 'A')
    }
    expect(reason(sized(16_385))).toBe('token.malformed')
    expect(reason(sized(16_384))).toBe('accepted')
  })

  it('throws nothing but refusals', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9_.-]{0,40}$/)), (text) => {
        expect(reason(text)).toBe('token.malformed')
      }),
    )
  })
})

describe('G14: the type of a token', () => {
  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/At+Jwt'])(
    'G14 takes %s for an access token',
    (typ) => {
      expect(isAccessTokenType(typ)).toBe(true)
    },
  )

  it.each([
    'JWT',
    undefined,
    null,
    '',
    'dpop+jwt',
    'logout+jwt',
    'oauth-id-jag+jwt',
    'token-introspection+jwt',
    'warder-assertion+jwt',
    ['at+jwt'],
    'at+jwt ',
  ])('G14 does not take %j for an access token', (typ) => {
    expect(isAccessTokenType(typ)).toBe(false)
  })
})

describe('G29, G30: where the token stands', () => {
  it.each(['Bearer', 'bearer', 'BEARER'])('G30 reads the token behind %s', (scheme) => {
    expect(readBearer([`${scheme} ${good}`])).toBe(good)
    expect(readBearer([`${scheme} abc+/==`], 'code=x')).toBe('abc+/==')
  })

  it.each([
    'Bearer',
    'Bearer ',
    'Bearer\tx',
    'Bearer  x',
    'Bearer x ',
    'BearerX',
    'Bearer x y',
    'Bearer a, Bearer b',
    'Bearer a,b',
    'Bearer %',
    'Bearer "x"',
    'Bearer é',
    'Bearer \ud800',
    'Bearer x\u0000',
    'Bearer x\n',
    'Bearer =',
    'Bearer a=b',
    'Bearerx bearer x',
    `Bearer ${'x'.repeat(16_385)}`,
  ])('G30 G35 refuses %j as malformed', (header) => {
    expect(reasonOf(() => readBearer([header]))).toBe('token.malformed')
  })

  it('G35 takes a token of 16,384 characters', () => {
    const longest = 'x'.repeat(16_384)
    expect(readBearer([`Bearer ${longest}`])).toBe(longest)
  })

  it.each([[[]], [['']], [['Basic YTpi']], [['DPoP x']], [['x']], [[' Bearer x']]])(
    'G01 G30 finds no token in %j',
    (headers) => {
      expect(reasonOf(() => readBearer(headers))).toBe('token.missing')
    },
  )

  it('G30 refuses two headers, also equal ones', () => {
    expect(reasonOf(() => readBearer([`Bearer ${good}`, `Bearer ${good}`]))).toBe('token.two-places')
    expect(reasonOf(() => readBearer(['Basic YTpi', `Bearer ${good}`]))).toBe('token.two-places')
  })

  it.each([
    'access_token=x',
    'a=b&access_token=x',
    'access_token',
    'access%5Ftoken=x',
    'ACCESS_TOKEN=x',
    '%61ccess_token=x',
    'a;access_token=x',
    'a?access_token=x',
    'a=%&access_token=x',
    '+access_token=x',
  ])('G29 refuses a token in the query %s, with and without header', (query) => {
    expect(reasonOf(() => readBearer([`Bearer ${good}`], query))).toBe('token.two-places')
    expect(reasonOf(() => readBearer([], query))).toBe('token.two-places')
  })

  it.each(['', 'access_tokens=x', 'x=access_token', 'my_access_token=x'])(
    'G29 does not mind the query %j',
    (query) => {
      expect(readBearer([`Bearer ${good}`], query)).toBe(good)
    },
  )
})

describe('base64', () => {
  it('reads what other implementations write', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect([...(readBase64Url(formatBase64Url(bytes)) ?? [])]).toEqual([...bytes])
        expect([...(readBase64(Buffer.from(bytes).toString('base64')) ?? [])]).toEqual([...bytes])
      }),
    )
  })

  it('has one spelling for each value', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9+/=_-]{0,12}$/), (text) => {
        const url = readBase64Url(text)
        if (url !== undefined) expect(formatBase64Url(url)).toBe(text)
        const standard = readBase64(text)
        if (standard !== undefined) expect(Buffer.from(standard).toString('base64')).toBe(text)
      }),
      { numRuns: 1000 },
    )
  })
})
