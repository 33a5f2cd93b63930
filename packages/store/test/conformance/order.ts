import { expect, test } from 'vitest'
import type { Subject } from '../conformance.ts'
import { id, makeCode, start } from '../scene.ts'

export function orderConformance({ fresh }: Subject): void {
  test('text is sorted and told apart by its bytes, whatever the locale', async () => {
    const store = await fresh()
    const ids = ['b', 'B', 'a', 'ab', 'a b', 'ä', 'a\u0308', 'Z', '_', '\u{1F512}', '\uffee']
    for (const client of ids) {
      await store.clients.add({ id: client, kind: 'pre-registered', metadata: '{}', now: start })
    }
    const byBytes = ids.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
    expect((await store.clients.list()).map((client) => client.id)).toEqual(byBytes)
    expect(await store.clients.load('A')).toBeUndefined()
    expect((await store.clients.load('a'))?.id).toBe('a')
  })

  test('the resources of live grants are listed once each', async () => {
    const store = await fresh()
    expect(await store.grants.listResources()).toEqual([])
    const { grant } = await makeCode(store)
    const other = await makeCode(store)
    expect(await store.grants.listResources()).toEqual(['https://mcp.example/notes/mcp'])
    await store.grants.revoke(grant, id(), start)
    expect(await store.grants.listResources()).toEqual(['https://mcp.example/notes/mcp'])
    await store.grants.revoke(other.grant, id(), start)
    expect(await store.grants.listResources()).toEqual([])
  })
}
