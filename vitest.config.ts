import { defineConfig } from 'vitest/config'

const source = {
  resolve: { conditions: ['@warder/source'] },
  ssr: { resolve: { conditions: ['@warder/source'] } },
}
const setupFiles = ['test/record-refusals.ts']

/** Two projects: `unit` is fast and runs at every change; `whole` starts processes and browsers. */
export default defineConfig({
  test: {
    projects: [
      {
        ...source,
        test: {
          name: 'unit',
          setupFiles,
          include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts'],
        },
      },
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
