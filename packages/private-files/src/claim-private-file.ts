import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { checkPrivate } from './check-private.ts'

/**
 * Makes the file (0600) and its directory (0700) unless they are there, and answers the file's absolute path. Throws when
 * group or others have any right on the directory, the file, or what SQLite keeps beside it. SQLite gives `-wal` and
 * `-shm` the mode of the file itself. Checks no access control lists; on Windows it checks nothing.
 */
export function claimPrivateFile(file: string): string {
  // better-sqlite3 trims names: what is checked must be what is opened.
  const path = resolve(file.trim())
  const directory = dirname(path)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  checkPrivate(directory, '700')
  closeSync(openSync(path, 'a', 0o600))
  for (const suffix of ['', '-wal', '-shm']) checkPrivate(`${path}${suffix}`, '600')
  return path
}
