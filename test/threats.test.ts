import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const files = globSync(['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'test/**/*.test.ts'], {
  cwd: root,
  exclude: ['**/node_modules/**'],
})
const number = /\b[A-W]\d{2}\b/g

test('each number that docs/threats.md calls shown is named by a test', () => {
  const named = new Set(files.flatMap((file) => readFileSync(join(root, file), 'utf8').match(number) ?? []))
  const claimed = readFileSync(join(root, 'docs', 'threats.md'), 'utf8').match(number) ?? []
  expect(claimed.length).toBeGreaterThan(150)
  expect(claimed.filter((id) => !named.has(id))).toEqual([])
})
