import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogEntry } from '@warder/authorization-server'
import { readPolicy } from '@warder/policy'
import { openStore, type Store } from '@warder/store'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { issueTokens } from '../src/protect/issue-tokens.ts'
import type { Issuing } from '../src/protect/issuing.ts'

const minute = 60_000
const policy = readPolicy('version: 1\nservers:\n  notes:\n    url: http://127.0.0.1:3001/mcp\n')

let directory: string
let store: Store
let issuing: Issuing
const logs: LogEntry[] = []
/** The sweeps that were begun; each waits until the test lets it go on or fail. */
let sweeps: { goOn(): void; fail(): void; readonly ended: Promise<void> }[]
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
  directory = mkdtempSync(join(tmpdir(), 'warder-sweeping-'))
  store = await openStore({ file: join(directory, 'x.sqlite') })
  sweeps = []
  logs.length = 0
  issuing = await issueTokens({
    issuer: 'http://localhost:8765',
    store: {
      ...store,
      async sweep(now) {
        const gate = Promise.withResolvers<void>()
        const work = gate.promise.then(() => store.sweep(now))
        sweeps.push({
          goOn: gate.resolve,
          fail: () => gate.reject(new Error('the database is away')),
          ended: work.catch(() => {}),
        })
        await work
      },
    },
    policy: () => policy,
    served: [],
    fetch: () => Promise.reject(new Error('nothing is fetched here')),
    secret: new Uint8Array(32),
    log: (entry) => logs.push(entry),
  })
})
afterEach(async () => {
  await issuing.stop()
  await store.close()
  vi.useRealTimers()
  rmSync(directory, { recursive: true })
})

/** Until the first sweep is over, and whoever waited for it has heard. */
async function untilOver(): Promise<void> {
  await sweeps[0]?.ended
  await new Promise(setImmediate)
}

test('V07 no sweep begins while another is under way; the next comes with the minute after its end', async () => {
  await vi.advanceTimersByTimeAsync(minute)
  expect(sweeps).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(5 * minute)
  expect(sweeps).toHaveLength(1)
  sweeps[0]?.goOn()
  await untilOver()
  await vi.advanceTimersByTimeAsync(minute)
  expect(sweeps).toHaveLength(2)
})

test('one that failed is told, and the next comes as ever', async () => {
  await vi.advanceTimersByTimeAsync(minute)
  sweeps[0]?.fail()
  await untilOver()
  expect(logs).toContainEqual(expect.objectContaining({ event: 'sweep failed' }))
  await vi.advanceTimersByTimeAsync(minute)
  expect(sweeps).toHaveLength(2)
})

test('none comes after the end, also when one was under way', async () => {
  await vi.advanceTimersByTimeAsync(minute)
  await issuing.stop()
  sweeps[0]?.goOn()
  await untilOver()
  await vi.advanceTimersByTimeAsync(5 * minute)
  expect(sweeps).toHaveLength(1)
})
