import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const source = {
  resolve: { conditions: ['@warder/source'] },
  ssr: { resolve: { conditions: ['@warder/source'] } },
}
const setupFiles = ['test/record-refusals.ts']
const unit = ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts']
/** Tests of a package that start real child processes again and again, or wait: too slow for every change. */
const hosting = [
  'packages/bridge/test/**/*.test.ts',
  'packages/client/test/fetch.test.ts',
  'packages/client/test/storage.test.ts',
  'packages/gateway/test/http-door.test.ts',
  'packages/gateway/test/slow-readers.test.ts',
  'packages/gateway/test/streams.test.ts',
  'packages/gateway/test/subscriptions.test.ts',
  'packages/gateway/test/upstream.test.ts',
  'packages/guard/test/der-signature.test.ts',
  'packages/guard/test/node.test.ts',
  'packages/outbound/test/silent-address.test.ts',
  'packages/private-files/test/files.test.ts',
  'apps/cli/test/completion.test.ts',
  'apps/cli/test/npm-start.test.ts',
  'apps/cli/test/protect-url.test.ts',
  'apps/cli/test/prove.test.ts',
  'apps/cli/test/refusal-log.test.ts',
  'apps/cli/test/silent-connections.test.ts',
  'apps/cli/test/client/server-lists.test.ts',
]

const whole = ['test/**/*.test.ts']
/** What starts programs of its own and waits for them, clients and browsers above all: it can run beside the rest. */
const beside = [
  'browser',
  'client',
  'clients',
  'conformance',
  'connect',
  'doctor',
  'e2e',
  'hostile',
  'hostile-server',
  'keychain',
  'peers',
].map((room) => `test/${room}/**/*.test.ts`)
const oneByOne = { setupFiles, testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false }

/**
 * Four projects: `unit` is fast and runs at every change, `hosting` starts MCP servers as children, `whole` and `beside` start Warder
 * and browsers. Property tests get time, since they share the machine with the others.
 */
export default defineConfig({
  test: {
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      { ...source, test: { name: 'unit', setupFiles, include: unit, exclude: hosting, testTimeout: 60_000 } },
      { ...source, test: { name: 'hosting', setupFiles, include: hosting, testTimeout: 60_000 } },
      { ...source, test: { name: 'whole', include: whole, exclude: beside, ...oneByOne } },
      { ...source, test: { name: 'beside', include: beside, ...oneByOne } },
    ],
  },
})
