import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { outcomes } from './outcomes.ts'
import { outcomeOf, parsers } from './parsers.ts'

/** Inputs that others got wrong, or that random tests have found: each must keep its outcome for ever. */
test.each(Object.keys(parsers))('the corpus of %s', async (parser) => {
  const folder = join(import.meta.dirname, parser)
  const found: [string, string][] = []
  for (const file of readdirSync(folder))
    found.push([file, await outcomeOf(parser, readFileSync(join(folder, file)))])
  expect(Object.fromEntries(found)).toEqual(outcomes[parser])
})

test('each folder has a parser, which says no to some input and yes to another', () => {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((each) =>
    each.isDirectory(),
  )
  expect(folders.map(({ name }) => name).toSorted()).toEqual(Object.keys(parsers).toSorted())
  expect(Object.keys(outcomes).toSorted()).toEqual(Object.keys(parsers).toSorted())
  for (const [parser, all] of Object.entries(outcomes)) {
    // Whatever is no challenge is read as none.
    if (parser === 'www-authenticate') continue
    expect(Object.values(all), parser).toContain('accepted')
    expect(new Set(Object.values(all)).size, parser).toBeGreaterThan(1)
  }
})
