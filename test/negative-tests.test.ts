import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { citedNumbers, numbersIn } from './cited-numbers.ts'
import { negativeTests } from './negative-tests.ts'
import { negativeTestsFile, negativeTestsPage } from './negative-tests-page.ts'

const cited = citedNumbers()

describe('the negative tests', () => {
  test('each is listed once, with severity and what is tried', () => {
    const ids = negativeTests.map(({ id }) => id)
    expect(ids).toEqual([...new Set(ids)].toSorted())
    const wrong = negativeTests.filter(
      ({ id, severity, title }) => !/^[A-W]\d\d$/.test(id) || severity === undefined || title === '',
    )
    expect(wrong).toEqual([])
  })

  test('what a test names is listed', () => {
    const listed = new Set(negativeTests.map(({ id }) => id))
    expect([...cited.keys()].filter((id) => !listed.has(id))).toEqual([])
  })

  test('each has a test that names it, or a part that must bring it', () => {
    const unproven = negativeTests.filter(
      ({ id, later, isPartly }) => (later === undefined || isPartly) && !cited.has(id),
    )
    expect(unproven.map(({ id, title }) => `${id} ${title}`)).toEqual([])
  })

  test('none that a test names waits for a part', () => {
    const outdated = negativeTests.filter(
      ({ id, later, isPartly }) => later !== undefined && !isPartly && cited.has(id),
    )
    expect(outdated.map(({ id, title }) => `${id} ${title}: ${[...(cited.get(id) ?? [])]}`)).toEqual([])
  })

  test('numbers are found in titles and in tables of cases, and nothing else is one', () => {
    const found = [
      `test('C22 a', () => {})`,
      `describe('RS-28 RS-30 N09 a session', () => {})`,
      `[['A04', 'https://app.example/'], ["T01 T02", x]]`,
      `it.each([1])(\`PX-10 F31 A35 every page\`, () => {})`,
    ]
    expect(found.flatMap(numbersIn)).toEqual(['C22', 'N09', 'A04', 'T01', 'T02', 'F31', 'A35'])
    const others = [`// C22 is proven elsewhere`, `'O03-02 a client'`, `'see C22'`, `'SHA-256'`, `'D01x'`]
    expect(others.flatMap(numbersIn)).toEqual([])
  })

  test('docs/negative-tests.md is what the table makes', () => {
    const remedy = 'node --conditions=@warder/source test/negative-tests-page.ts --write'
    expect(readFileSync(negativeTestsFile, 'utf8'), remedy).toBe(negativeTestsPage())
  })
})
