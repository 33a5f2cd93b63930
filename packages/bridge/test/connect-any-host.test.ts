import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { envelope, initializeParams, startBridged, type Wire } from './connect/bridged.ts'
import { type Remote, startSessionRemote, startStatelessRemote } from './connect/remote.ts'

let remotes: readonly Remote[] = []
beforeAll(async () => {
  remotes = [await startSessionRemote(), await startStatelessRemote()]
})
afterAll(async () => {
  for (const remote of remotes) await remote.close()
})

const methods = [
  'initialize',
  'ping',
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/read',
  'resources/subscribe',
  'prompts/list',
  'prompts/get',
  'logging/setLevel',
  'server/discover',
  'completion/complete',
  'tasks/get',
  'subscriptions/listen',
  'notifications/initialized',
  '__proto__',
  'no/such',
]
const params = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom<object>(
    initializeParams(),
    { _meta: envelope },
    { name: 'echo', arguments: { text: 'x' }, _meta: envelope },
    { name: 'echo', arguments: { text: 'x' } },
    { uri: 'old:///a' },
    { level: 'info' },
    { name: 'echo', requestState: 'none', _meta: envelope },
  ),
  fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 })),
)
const message = fc.oneof(
  { weight: 6, arbitrary: fc.record({ method: fc.constantFrom(...methods), params }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }).map((value) => ({ raw: JSON.stringify(value) })) },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }).map((text) => ({ raw: text.replaceAll('\n', ' ') })) },
)

for (const index of [0, 1]) {
  test(`whatever a host says, each request gets exactly one answer (server ${index})`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 12 }), async (script) => {
        const bridged = startBridged(remotes[index]?.url ?? '', { patience: { listMs: 4000, callMs: 4000 } })
        const ids: number[] = []
        for (const [id, one] of script.entries()) {
          if ('raw' in one) {
            bridged.write(one.raw)
            continue
          }
          ids.push(id + 1_000_000)
          const own = one.params === undefined ? {} : { params: one.params }
          bridged.write({ jsonrpc: '2.0', id: id + 1_000_000, method: one.method, ...own })
        }
        bridged.input.end()
        await bridged.bridge.closed
        const answers = (id: number): Wire[] =>
          bridged.lines.filter((line) => line.id === id && ('result' in line || 'error' in line))
        for (const id of ids) expect(answers(id), JSON.stringify(script[id - 1_000_000])).toHaveLength(1)
        expect(bridged.log.filter(({ event }) => event === 'connect.failed')).toEqual([])
      }),
      { numRuns: 60 },
    )
  })
}
