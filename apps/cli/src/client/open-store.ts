import { type CredentialStore, chooseStore } from '@warder/client'
import type { Option } from '../command.ts'
import { readPassword } from '../read-password.ts'

/** What `--store` takes. The one that keeps secrets in the clear says so, and has no environment variable. */
const kinds = {
  keychain: 'keychain',
  'encrypted-file': 'encrypted-file',
  memory: 'memory',
  'dangerously-plain-file': 'plain-file',
} as const

export const storeOption: Option = {
  value: 'KIND',
  says: `Where credentials are kept: ${Object.keys(kinds).join(', ')} (default: WARDER_STORE, else keychain)`,
  among: Object.keys(kinds),
}

/**
 * Opens the credential store that `--store` or the environment names. Nobody is asked for anything unless `mayAsk` and there is a
 * terminal: then an encrypted store without a key file asks for its passphrase. Throws `StoreUnavailable`.
 */
export async function openCredentialStore(
  given?: string,
  { mayAsk = false }: { readonly mayAsk?: boolean } = {},
): Promise<CredentialStore> {
  const wanted = Object.entries(kinds).find(([name]) => name === given)?.[1]
  const asks = mayAsk && process.stdin.isTTY === true
  return chooseStore({
    wanted,
    env: process.env,
    ...(asks && { askPassphrase: () => readPassword('Passphrase of your stored credentials: ') }),
  })
}
