import { describe, expect, test } from 'vitest'
import { redact, withoutQueries } from '../../src/doctor/redact.ts'

const key = 'NzI4ZjM0YmMtOTg3Ny00ZTEyLWE1YzItMWQ5ZjM0YmM5ODc3LTRlMTI'

describe('Q16 words about URLs', () => {
  test.each([
    ['chosen https://u:p@ss@h.example/x?a=1 (by hand)', 'chosen https://h.example/x (by hand)'],
    [
      'at https://h.example/x?a=1, or https://i.example/#y.',
      'at https://h.example/x, or https://i.example/.',
    ],
    [`tried https://h.example/.well-known/x/s/${key}/mcp`, 'tried https://h.example/.well-known/x/s/…/mcp'],
    ['see "https://u:ca"nary@h.example/"', 'see "https://h.example/"'],
    ['https:\\\\u:canary@h.example/', 'https:\\\\h.example/'],
    ['https://u:can\ufeffary@h.example/x', 'https://h.example/x'],
    [`the token is ${key}`, 'the token is …'],
    [
      'at https://login.example.com/v2.0 for https://h.example/mcp',
      'at https://login.example.com/v2.0 for https://h.example/mcp',
    ],
  ])('%s', (text, expected) => {
    expect(redact(text)).toBe(expected)
  })

  test('the user sees the paths, and no query: it may come from a variable', () => {
    expect(withoutQueries(`absent https://h.example/s/${key}/mcp?api_key=canary (404)`)).toBe(
      `absent https://h.example/s/${key}/mcp (404)`,
    )
  })

  test('a text without blanks takes no longer than it is long', () => {
    const [marks, dots] = [')'.repeat(300_000), 'a.'.repeat(150_000)]
    expect(redact(`https://h/${marks}x ${dots}`)).toBe(`https://h/${marks}x ${dots}`)
  })
})
