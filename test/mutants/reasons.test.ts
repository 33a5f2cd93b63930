import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { reasons } from './reasons.ts'

const root = join(import.meta.dirname, '..', '..')

test('each reason is about code that stands there, and stands once in the list', () => {
  const stale = reasons.filter(({ file, code }) => !readFileSync(join(root, file), 'utf8').includes(code))
  expect(stale).toEqual([])
  const keys = reasons.map(({ file, code, by }) => JSON.stringify([file, code, by]))
  expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([])
})
