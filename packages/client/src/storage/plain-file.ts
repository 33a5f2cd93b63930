import { join } from 'node:path'
import type { CredentialStore } from './credential-store.ts'
import { lockByFiles } from './lock-by-files.ts'
import { openRecordFiles } from './record-files.ts'

/**
 * Credentials in files (0600) as they are: whoever gets the files, from a backup or by a program of the same user, has the
 * tokens. For tests, and for machines that live no longer than their tokens.
 */
export function dangerouslyOpenPlainFile({ directory }: { readonly directory: string }): CredentialStore {
  const files = openRecordFiles(join(directory, 'plain'), 'credential')
  return {
    kind: 'plain-file',
    read: async (name) => files.read(name),
    write: async (name, value) => files.write(name, value),
    remove: async (name) => files.remove(name),
    list: async () => files.list(),
    locked: lockByFiles(join(directory, 'locks')),
  }
}
