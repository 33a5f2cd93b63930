import type { CredentialStore } from '../../storage/credential-store.ts'
import { createDpopKeys, type DpopKeys } from './dpop-key.ts'

const known = new WeakMap<CredentialStore, DpopKeys>()

/** The keys that tokens in this store are bound to: the same for all clients that share it, since they share the tokens. */
export function keysOf(store: CredentialStore): DpopKeys {
  const keys = known.get(store) ?? createDpopKeys({ inMemory: store.kind === 'memory' })
  known.set(store, keys)
  return keys
}

/** For a store that keeps its values in another one: it lives no longer than a client, and the keys must. */
export function shareKeys(part: CredentialStore, whole: CredentialStore): CredentialStore {
  known.set(part, keysOf(whole))
  return part
}
