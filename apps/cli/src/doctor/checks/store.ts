import type { CredentialStore, StoreKind } from '@warder/client'
import { messageOf } from '@warder/protocol'
import type { Tell } from '../finding.ts'

const names: Readonly<Record<StoreKind, string>> = {
  keychain: 'the keychain of this system',
  'encrypted-file': 'encrypted files',
  memory: 'memory only: gone with the process',
  'plain-file': 'plain files: whoever reads them can use your tokens',
}

/** Which store holds the credentials, and whether it lets itself be read. */
export async function checkStore(
  open: () => Promise<CredentialStore>,
  tell: Tell,
): Promise<CredentialStore | undefined> {
  const group = 'this machine'
  const check = 'credentials'
  try {
    const store = await open()
    const count = (await store.list()).length
    const outcome = store.kind === 'plain-file' ? 'note' : 'good'
    tell({
      group,
      check,
      outcome,
      found: `${names[store.kind]}, ${count === 1 ? '1 record' : `${count} records`}`,
    })
    return store
  } catch (error) {
    // The store's own words say what to do; they never hold a value.
    const found = messageOf(error)
    tell({ group, check, outcome: 'bad', found, fix: 'see: warder login --help, about --store' })
    return undefined
  }
}
