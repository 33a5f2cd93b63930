import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const source = {
  resolve: { conditions: ['@warder/source'] },
  ssr: { resolve: { conditions: ['@warder/source'] } },
}
const setupFiles = ['test/record-refusals.ts']
const unit = ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts']
/** Tests of a package that start real child processes again and again: too slow for every change. */
const hosting = ['packages/bridge/test/**/*.test.ts']

/**
 * Three projects: `unit` is fast and runs at every change, `hosting` starts MCP servers as children, `whole` starts Warder and
 * browsers. Property tests get time, since they share the machine with the others.
 */
export default defineConfig({
  test: {
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      { ...source, test: { name: 'unit', setupFiles, include: unit, exclude: hosting, testTimeout: 60_000 } },
      { ...source, test: { name: 'hosting', setupFiles, include: hosting, testTimeout: 60_000 } },
      {
        ...source,
        test: {
          name: 'whole',
          setupFiles,
          include: ['test/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
