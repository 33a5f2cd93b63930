import { createHash } from 'node:crypto'
import type { CredentialStore } from '../storage/credential-store.ts'

/**
 * The part of a store that belongs to one user: nothing in it can be read or locked under another user's id, whatever that is. What
 * the application itself has registered is shared by all users.
 */
export function storeOfUser(store: CredentialStore, userId: string): CredentialStore {
  const hash = createHash('sha256').update(userId).digest('hex')
  // Half of it: names have a limit, and 128 bits are enough to never meet.
  const prefix = `u${hash.slice(0, 32)}.`
  const named = (name: string): string => (name.startsWith('registration-') ? name : `${prefix}${name}`)
  return {
    kind: store.kind,
    read: async (name) => store.read(named(name)),
    write: async (name, value) => store.write(named(name), value),
    remove: async (name) => store.remove(named(name)),
    locked: async (name, work, options) => store.locked(named(name), work, options),
    async list() {
      const names = await store.list()
      return names
        .filter((name) => name.startsWith(prefix) || name.startsWith('registration-'))
        .map((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name))
    },
  }
}
