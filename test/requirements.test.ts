import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { requirements, requirementsFile, requirementsPage } from './requirements.ts'

const root = join(import.meta.dirname, '..')
const testFiles = globSync(['packages/*/test/**/*.ts', 'apps/*/test/**/*.ts', 'test/**/*.ts'], {
  cwd: root,
  // This file has titles that are examples.
  exclude: ['**/node_modules/**', 'test/requirements.test.ts'],
})

/** The ids in the titles of a test file: a title is a text that stands first in a call and is followed by something. */
function idsInTitles(text: string): readonly string[] {
  const titles = [...text.matchAll(/\(\s*(['"`])((?:(?!\1)[^\\]|\\.)*)\1\s*,/gs)].map(
    (match) => match[2] ?? '',
  )
  return titles.flatMap((title) => title.match(/\b(?:AS|RS|GW|OT|PX|CL|EM|CC)-\d{2}\b/g) ?? [])
}

const cited = new Set(testFiles.flatMap((file) => idsInTitles(readFileSync(join(root, file), 'utf8'))))

describe('the requirements', () => {
  test('each is listed once, with level, source and what it says', () => {
    const ids = requirements.map(({ id }) => id)
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
    const levels = /^(MUST|MUST NOT|SHOULD|SHOULD NOT|MAY|note|derived)$/
    const wrong = requirements.filter(
      ({ id, level, source, says }) =>
        !/^(AS|RS|GW|OT|PX|CL|EM|CC)-\d{2}$/.test(id) || !levels.test(level) || source === '' || says === '',
    )
    expect(wrong).toEqual([])
  })

  test('what a title names is listed', () => {
    const listed = new Set(requirements.map(({ id }) => id))
    expect([...cited].filter((id) => !listed.has(id))).toEqual([])
  })

  test('each has a test that names it, or a reason why there is none', () => {
    const unproven = requirements.filter(({ id, reason }) => reason === undefined && !cited.has(id))
    expect(unproven.map(({ id, says }) => `${id} ${says}`)).toEqual([])
  })

  test('none that a test names says that there is no test', () => {
    const outdated = requirements.filter(({ id, reason }) => reason !== undefined && cited.has(id))
    expect(outdated.map(({ id, reason }) => `${id} ${reason}`)).toEqual([])
  })

  test('titles are found however a test is written, and nothing else is', () => {
    const found = [
      `test('RS-01 a', () => {})`,
      `describe.each([[1, 'x (y)']])(\n  \`RS-02 \${x}\`,\n  slow, () => {})`,
      `it.each<[string]>([['a']])("RS-03 it's", (a) => a)`,
    ]
    expect(found.flatMap(idsInTitles)).toEqual(['RS-01', 'RS-02', 'RS-03'])
    expect([`// RS-04 is proven elsewhere`, `expect(rule).toBe('RS-05')`].flatMap(idsInTitles)).toEqual([])
  })

  test('docs/requirements.md is what the table makes', () => {
    const remedy = 'node --conditions=@warder/source test/requirements.ts --write'
    expect(readFileSync(requirementsFile, 'utf8'), remedy).toBe(requirementsPage())
  })
})
