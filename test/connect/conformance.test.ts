import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runClientScenario } from '../conformance/client-run.ts'

const program = join(import.meta.dirname, 'conformance-client.ts')

describe('the official conformance suite, with warder connect as the client', () => {
  for (const [scenario, revision, succeeded] of [
    ['request-metadata', '2026-07-28', 1],
    ['http-standard-headers', '2026-07-28', 1],
    ['http-custom-headers', '2026-07-28', 1],
    ['http-invalid-tool-headers', '2026-07-28', 1],
    ['tools_call', '2026-07-28', 1],
    ['tools_call', '2025-11-25', 1],
    ['tools_call', '2025-06-18', 1],
    ['sse-retry', '2025-11-25', 1],
  ] as const) {
    test(`GW-20 GW-25 GW-39 Q25 ${scenario}, ${revision}`, async () => {
      const run = await runClientScenario(scenario, revision, program)
      // What this era does not have is skipped.
      const others = run.others.filter((other) => !other.includes(' SKIPPED '))
      expect([others, run.exitCode], run.out).toEqual([[], 0])
      expect(run.succeeded).toBeGreaterThanOrEqual(succeeded)
    })
  }
})
