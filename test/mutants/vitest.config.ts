import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const root = join(import.meta.dirname, '..', '..')

/** The workspace links lead out of the copy that is mutated, so each package is named by its source in the copy. */
const alias = Object.fromEntries(
  readdirSync(join(root, 'packages')).map((name) => [
    `@warder/${name}`,
    join(root, 'packages', name, 'src', 'index.ts'),
  ]),
)

export default defineConfig({
  root,
  resolve: { alias, conditions: ['@warder/source'] },
  ssr: { resolve: { conditions: ['@warder/source'] } },
  test: {
    include: (process.env['WARDER_MUTANT_TESTS'] ?? '')
      .split(',')
      .map((place) => (place.endsWith('.test.ts') ? place : `${place}/**/*.test.ts`)),
    // Each mutant runs the tests that reach it: to load their modules anew would take most of the time.
    isolate: false,
    testTimeout: 60_000,
    // A mutant is to be noticed by an example, every time, and not by chance after hundreds of random runs.
    env: { WARDER_RUNS: '20' },
  },
})
