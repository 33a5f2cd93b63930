import { setTimeout as delay } from 'node:timers/promises'
import { type CredentialStore, checkName } from './credential-store.ts'
import { StoreUnavailable } from './store-unavailable.ts'

/** Credentials that end with this process. `locked` keeps apart what runs in it. */
export function openMemory(): CredentialStore {
  const values = new Map<string, string>()
  const held = new Set<string>()
  return {
    kind: 'memory',
    async read(name) {
      return values.get(checkName(name))
    },
    async write(name, value) {
      values.set(checkName(name), value)
    },
    async remove(name) {
      values.delete(checkName(name))
    },
    async list() {
      return [...values.keys()].sort()
    },
    async locked(name, work, { timeoutMs = 60_000 } = {}) {
      const end = performance.now() + timeoutMs
      checkName(name)
      while (held.has(name)) {
        if (performance.now() >= end) throw new StoreUnavailable('timeout', 'something else here takes long')
        await delay(5)
      }
      held.add(name)
      try {
        return await work()
      } finally {
        held.delete(name)
      }
    },
  }
}
