import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { citedNumbers } from './cited-numbers.ts'

const page = join(import.meta.dirname, '..', 'docs', 'threats.md')

test('each number that docs/threats.md calls shown is named by a test', () => {
  const claimed = readFileSync(page, 'utf8').match(/\b[A-W]\d{2}\b/g) ?? []
  const cited = citedNumbers()
  expect(claimed.length).toBeGreaterThan(150)
  expect(claimed.filter((id) => !cited.has(id))).toEqual([])
})
