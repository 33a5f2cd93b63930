import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Reason, type Rule, refusals } from '@warder/protocol'
import { afterAll } from 'vitest'

// Notes which reasons of the refusal catalogue are really given while the tests run: whatever refuses looks its rule up
// here, and tests that read the table do not count. Afterwards `test/unseen-refusals.ts` names those that no test has met.
const directory = process.env['WARDER_REASONS']
const seen = new Set<string>()

if (directory !== undefined) {
  for (const reason of Object.keys(refusals) as Reason[]) {
    const rule: Rule = refusals[reason]
    Object.defineProperty(refusals, reason, {
      enumerable: true,
      configurable: true,
      get() {
        if (!seen.has(reason) && isReadBySource(new Error().stack)) seen.add(reason)
        return rule
      },
    })
  }
  afterAll(() => {
    if (seen.size > 0) writeFileSync(join(directory, `${randomUUID()}.txt`), [...seen].join('\n'))
  })
}

function isReadBySource(stack = ''): boolean {
  const reader = stack.split('\n').find((line, place) => place > 0 && !line.includes('record-refusals'))
  return reader !== undefined && /\/(packages|apps)\/[^/]+\/src\//.test(reader)
}
