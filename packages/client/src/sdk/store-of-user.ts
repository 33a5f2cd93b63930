import { createHash } from 'node:crypto'
import type { CredentialStore } from '../storage/credential-store.ts'
import { shareKeys } from '../tokens/dpop/keys-of-store.ts'

/**
 * The part of a store that belongs to one user: nothing in it can be read or locked under another user's id, whatever that is. What
 * the application itself has registered is shared by all users. Throws a TypeError for an id with a lone surrogate: in UTF-8, which
 * is what the name is made of, it would be the same as others.
 */
export function storeOfUser(store: CredentialStore, userId: string): CredentialStore {
  if (!userId.isWellFormed())
    throw new TypeError('a user id with a lone surrogate is not told apart from others')
  const hash = createHash('sha256').update(userId).digest('hex')
  // Half of it: names have a limit, and 128 bits are enough to never meet.
  const prefix = `u${hash.slice(0, 32)}.`
  const named = (name: string): string => (name.startsWith('registration-') ? name : `${prefix}${name}`)
  const part: CredentialStore = {
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
  return shareKeys(part, store)
}
