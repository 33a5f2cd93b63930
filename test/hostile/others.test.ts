import { describe, expect, test } from 'vitest'
import { knownDifferences } from './known-differences.ts'
import { rows } from './rows/index.ts'
import { exceptions, runTable } from './run-table.ts'
import { targets } from './targets/index.ts'

/** So many tries there must be at least: a target that loses a feature would pass everything. */
const others = [
  { name: 'oidc-provider', tries: 300 },
  { name: 'sdk-server', tries: 245 },
]

describe('the same table at other products', () => {
  test.each(others)('$name differs where it is known to differ', async ({ name, tries }) => {
    const target = await targets[name]?.()
    if (target === undefined) throw new Error(name)
    const run = await runTable(rows, target).finally(() => target.stop())
    expect(exceptions(run)).toEqual(knownDifferences[name])
    expect(run.results.length).toBeGreaterThan(tries)
  })
})
