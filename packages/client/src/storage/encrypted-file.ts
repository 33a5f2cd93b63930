import { join } from 'node:path'
import { readPrivateFile, writePrivateFile } from '@warder/private-files'
import type { CredentialStore } from './credential-store.ts'
import { type KeySource, makeKey, openKey, openText, sealText } from './encryption-key.ts'
import { lockByFiles } from './lock-by-files.ts'
import { openRecordFiles } from './record-files.ts'
import { StoreUnavailable } from './store-unavailable.ts'

export interface EncryptedFileOptions {
  /** Where files and locks are; see `clientDirectory`. */
  readonly directory: string
  readonly key: KeySource
}

/**
 * Credentials in files, each sealed by AES-256-GCM under a key that the user keeps elsewhere (by HKDF from a key file, by scrypt
 * from a passphrase): one for each record, written whole or not at all. Names and sizes stay visible. An older version of a
 * file put in the place of a newer one is not noticed.
 *
 * Throws `StoreUnavailable` ('denied') for a wrong key, before anything is read or written.
 */
export async function openEncryptedFile({
  directory,
  key: source,
}: EncryptedFileOptions): Promise<CredentialStore> {
  const files = openRecordFiles(join(directory, 'encrypted'), 'sealed')
  const key = await loadKey(
    join(directory, 'encrypted', 'header.json'),
    source,
    lockByFiles(join(directory, 'locks', 'own')),
  )
  return {
    kind: 'encrypted-file',
    async read(name) {
      const sealed = files.read(name)
      if (sealed === undefined) return undefined
      const value = openText(key, name, sealed)
      if (value === undefined) {
        throw new StoreUnavailable(
          'denied',
          `the credential ${name} was changed or damaged. Sign out and in again: warder logout, then warder login.`,
        )
      }
      return value
    },
    write: async (name, value) => files.write(name, sealText(key, name, value)),
    remove: async (name) => files.remove(name),
    list: async () => files.list(),
    locked: lockByFiles(join(directory, 'locks')),
  }
}

/** Two processes that make the store at once make one key. */
async function loadKey(file: string, source: KeySource, locked: CredentialStore['locked']): Promise<Buffer> {
  const header = readHeaderFile(file)
  if (header !== undefined) return await openKey(source, header)
  return await locked('encrypted', async () => {
    const other = readHeaderFile(file)
    if (other !== undefined) return await openKey(source, other)
    const made = await makeKey(source)
    writePrivateFile(file, JSON.stringify(made.header))
    return made.key
  })
}

function readHeaderFile(file: string): string | undefined {
  try {
    return readPrivateFile(file)
  } catch (error) {
    throw new StoreUnavailable('denied', (error as Error).message)
  }
}
