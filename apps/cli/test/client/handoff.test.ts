import { openMemory, type PendingSignIn } from '@warder/client'
import { describe, expect, test } from 'vitest'
import { findHandoff, keepHandoff, takeHandoff } from '../../src/client/handoff.ts'

const pending = { server: 'https://a.example/mcp', record: { state: 's' } } as unknown as PendingSignIn
const now = 1_000_000
const expiresAt = now + 1_000

describe('a sign-in that waits in the store', () => {
  test('is there under its handle until its time is over', async () => {
    const store = openMemory()
    const handle = await keepHandoff(store, { pending }, { expiresAt, now })
    expect(await findHandoff(store, handle, expiresAt - 1)).toEqual({ pending })
    expect(await findHandoff(store, handle, expiresAt)).toBeUndefined()
  })

  test('of several who want to finish it, one may', async () => {
    const store = openMemory()
    const handle = await keepHandoff(store, { pending }, { expiresAt, now })
    const takers = await Promise.all([1, 2, 3].map(() => takeHandoff(store, handle)))
    expect(takers.sort()).toEqual([false, false, true])
    expect(await findHandoff(store, handle, now)).toBeUndefined()
  })

  test('those whose time is over go when another one comes', async () => {
    const store = openMemory()
    const old = await keepHandoff(store, { pending }, { expiresAt, now })
    const live = await keepHandoff(store, { pending }, { expiresAt: now + 9_000, now })
    const handle = await keepHandoff(store, { pending }, { expiresAt: now + 9_000, now: expiresAt })
    expect(await store.list()).toEqual([live, handle].map((one) => `pending-${one}`).sort())
    expect(handle).not.toBe(old)
  })

  test.each(['', 'x', '../tokens', 'A'.repeat(32), `${'a'.repeat(32)}\n`])(
    '%j is no handle',
    async (handle) => {
      const store = openMemory()
      await store.write('pending-x', JSON.stringify({ expiresAt, handoff: { pending } }))
      expect(await findHandoff(store, handle, now)).toBeUndefined()
    },
  )

  test('what is damaged counts as absent', async () => {
    const store = openMemory()
    const handle = 'a'.repeat(32)
    for (const text of ['', '{', '[]', '{"expiresAt":"x"}', `{"expiresAt":${expiresAt},"handoff":1}`]) {
      await store.write(`pending-${handle}`, text)
      expect(await findHandoff(store, handle, now)).toBeUndefined()
    }
  })
})
