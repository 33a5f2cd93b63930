import { expect, test } from 'vitest'
import type { Subject } from '../conformance.ts'
import { readTrail, start } from '../scene.ts'

export function policyConformance({ fresh }: Subject): void {
  const policy = (digest: string, isEdit: boolean, now: number = start) => ({
    digest,
    text: `text of ${digest}`,
    node: 'node',
    isEdit,
    now,
  })

  test('a policy is in force from its publication on, and the same one is not published twice', async () => {
    const store = await fresh()
    expect(await store.policies.current()).toBeUndefined()
    expect(await store.policies.publish(policy('a', false))).toBe('published')
    const a = { number: 1, digest: 'a', text: 'text of a', node: 'node', at: start }
    expect(await store.policies.current()).toEqual(a)
    for (const isEdit of [true, false]) {
      expect(await store.policies.publish(policy('a', isEdit, start + 1))).toBe('current')
    }
    expect(await store.policies.current()).toEqual(a)
    expect(await store.policies.publish(policy('b', true, start + 2))).toBe('published')
    expect(await store.policies.current()).toMatchObject({ digest: 'b', at: start + 2 })
    expect(await readTrail(store)).toEqual({
      events: ['policy.published', 'policy.published'],
      changes: ['policy-published 1', 'policy-published 2'],
    })
  })

  test('an older one that a node starts with stays superseded, and an edit brings it back', async () => {
    const store = await fresh()
    for (const digest of ['a', 'b']) await store.policies.publish(policy(digest, false))
    expect(await store.policies.publish(policy('a', false))).toBe('superseded')
    expect(await store.policies.current()).toMatchObject({ number: 2, digest: 'b' })
    expect(await store.policies.publish(policy('a', true))).toBe('published')
    expect(await store.policies.current()).toMatchObject({ number: 3, digest: 'a' })
    expect((await readTrail(store)).changes).toHaveLength(3)
  })
}
