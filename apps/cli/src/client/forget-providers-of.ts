import type { CredentialStore } from '@warder/client'
import { forgetProviders, listProviders } from './kept-ways.ts'

/** Forgets the providers of one profile. A record that cannot be read may belong to another one, and stays. */
export async function forgetProvidersOf(store: CredentialStore, profile: string): Promise<void> {
  for (const name of await store.list()) {
    const alone: CredentialStore = {
      kind: store.kind,
      read: (one) => store.read(one),
      write: (one, value) => store.write(one, value),
      remove: (one) => store.remove(one),
      list: async () => [name],
      locked: (one, work, options) => store.locked(one, work, options),
    }
    const found = await listProviders(alone)
    if (found.some((provider) => provider.profile === profile)) await forgetProviders(alone)
  }
}
