import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Policy } from '@warder/policy'
import { openStore, type Store } from '@warder/store'
import { expect, onTestFinished, test, vi } from 'vitest'
import { issueTokens } from '../src/protect/issue-tokens.ts'

const policy: Policy = { version: 1, servers: new Map(), access: [], digest: 'nothing' }

test('D14 U09 V15 an authorization server that runs deletes each minute what has expired, and stops with it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'warder-sweeper-'))
  const store = await openStore({ file: join(directory, 'warder.sqlite') })
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(async () => {
    vi.useRealTimers()
    await store.close()
    await rm(directory, { recursive: true, force: true })
  })
  const issuing = await issueTokens({
    issuer: 'http://localhost:8765',
    store,
    policy: () => policy,
    served: [],
    fetch: () => Promise.reject(new Error('nothing is fetched here')),
    secret: randomBytes(32),
    log: () => undefined,
  })
  const now = Date.now()
  const [begun, abandoned] = [now - 40 * 24 * 60 * 60_000, now - 10_000]
  await store.clients.add({ id: 'unused', kind: 'self-registered', metadata: '{}', now: begun })
  await store.clients.add({ id: 'new', kind: 'self-registered', metadata: '{}', now })
  await beginSignIn(store, 'abandoned', abandoned, abandoned + 5_000)
  await beginSignIn(store, 'live', abandoned, now + 600_000)
  const kept = async (): Promise<readonly boolean[]> =>
    [
      await store.clients.load('unused'),
      await store.clients.load('new'),
      await store.transactions.load('abandoned', abandoned),
      await store.transactions.load('live', abandoned),
    ].map((row) => row !== undefined)
  expect(await kept()).toEqual([true, true, true, true])
  vi.advanceTimersByTime(60_000)
  await expect.poll(kept).toEqual([false, true, false, true])
  await issuing.stop()
  expect(vi.getTimerCount()).toBe(0)
})

const beginSignIn = (store: Store, id: string, now: number, expiresAt: number): Promise<void> =>
  store.transactions.create({
    id,
    clientId: 'new',
    request: '{}',
    browserHash: `browser of ${id}`,
    formHash: `form of ${id}`,
    expiresAt,
    now,
  })
