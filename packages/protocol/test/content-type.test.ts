import { describe, expect, it } from 'vitest'
import { isJsonType } from '../src/index.ts'

describe('L11 the content type of a message', () => {
  it.each([
    'application/json',
    'Application/JSON',
    'application/json;charset=utf-8',
    'application/json; charset=UTF-8',
    'application/json \t;\tCharset="utf-8"',
  ])('L11 twin: %j is JSON', (type) => {
    expect(isJsonType(type)).toBe(true)
  })

  it.each([
    undefined,
    '',
    'text/json',
    'application/json-patch+json',
    'application/json; charset=utf-16',
    'application/json; charset="utf-8',
    'application/json; charset=utf-8"',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; boundary=x',
    'application/json;',
    'application/json, text/plain',
    'application/json\u00a0; charset=utf-8',
    'application/json\n',
  ])('L11 %j is not', (type) => {
    expect(isJsonType(type)).toBe(false)
  })
})
