import { describe, expect, it } from 'vitest'
import { readCodeChallenge, readCodeVerifier } from '../src/index.ts'
import { reasonOf } from './reason-of.ts'

// RFC 7636 appendix B
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

describe('A17, A18, A19: the challenge', () => {
  it('A17 refuses a request without challenge', () => {
    expect(reasonOf(() => readCodeChallenge(undefined, 'S256'))).toBe('pkce.missing')
    expect(reasonOf(() => readCodeChallenge(undefined, undefined))).toBe('pkce.missing')
  })

  it.each([undefined, 'plain', 's256', 'S512', 'S256 ', '', 'constructor'])(
    'A18 refuses method %j',
    (method) => {
      expect(reasonOf(() => readCodeChallenge(challenge, method))).toBe('pkce.method')
    },
  )

  it.each([
    '',
    challenge.slice(1),
    `${challenge}A`,
    `${challenge.slice(1)}=`,
    `${challenge}=`,
    `+${challenge.slice(1)}`,
    `/${challenge.slice(1)}`,
    `é${challenge.slice(1)}`,
    `${challenge.slice(0, -1)}N`,
    `${challenge.slice(0, -1)}\n`,
  ])('A19 refuses challenge %j', (malformed) => {
    expect(reasonOf(() => readCodeChallenge(malformed, 'S256'))).toBe('pkce.malformed')
  })

  it('A17 A18 A19 accept the example of RFC 7636', () => {
    expect(readCodeChallenge(challenge, 'S256')).toBe(challenge)
  })
})

describe('C05: the verifier', () => {
  it.each([
    'a'.repeat(42),
    'a'.repeat(129),
    `${'a'.repeat(42)}+`,
    `${'a'.repeat(42)}é`,
    `${'a'.repeat(43)}\n`,
    '',
  ])('C05 refuses %j as malformed', (raw) => {
    expect(reasonOf(() => readCodeVerifier(raw))).toBe('pkce.malformed')
  })

  it('C05 refuses a missing one', () => {
    expect(reasonOf(() => readCodeVerifier(undefined))).toBe('parameter.missing')
  })

  it.each([verifier, 'a'.repeat(43), 'a'.repeat(128), `${'a'.repeat(40)}-._~`])('C05 reads %s', (raw) => {
    expect(readCodeVerifier(raw)).toBe(raw)
  })
})
