import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '@warder/protocol'
import type { DataDirectory } from './data-directory.ts'
import { Problem } from './problem.ts'
import { writeOnce } from './write-once.ts'

/**
 * The 32 bytes that seal the signing keys, session ids and list cursors: from the file that is named (all nodes of a database
 * share one), else from the directory, where the first start makes them.
 */
export function loadSecret({ path }: Pick<DataDirectory, 'path'>, named: string | undefined): Uint8Array {
  const file = named ?? join(path, 'secret')
  if (named === undefined && !existsSync(file)) writeOnce(file, randomBytes(32), 0o600)
  const secret = readSecret(file, named === undefined ? 0o077 : 0o007)
  if (secret.length === 32) return secret
  throw new Problem(
    named === undefined
      ? `${file} is damaged: it must have 32 bytes. Restore it from a backup.`
      : `--secret-file ${file} must have exactly 32 bytes. Make one by: head -c 32 /dev/urandom > ${file}`,
  )
}

function readSecret(file: string, forbidden: number): Uint8Array {
  try {
    checkPrivate(file, forbidden)
    return readFileSync(file)
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem(`${file} cannot be read: ${messageOf(error)}`)
  }
}

/** A group may read a named one: that is how container platforms and systemd hand secrets to a service. */
function checkPrivate(file: string, forbidden: number): void {
  if (process.platform === 'win32') return
  if ((statSync(file).mode & forbidden) !== 0)
    throw new Problem(`others can read ${file}. Put it right by: chmod 600 ${file}`)
}
