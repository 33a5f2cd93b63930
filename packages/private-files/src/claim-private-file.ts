import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { checkPrivate } from './check-private.ts'

/**
 * Makes the file (0600) and its directory (0700) unless they are there, and answers the file's absolute path. Throws when
 * group or others have any right on the directory, the file, or what SQLite keeps beside it. SQLite gives `-wal` and
 * `-shm` the mode of the file itself. Throws also for a link to nothing. Checks no access control lists; on Windows it checks nothing.
 */
export function claimPrivateFile(file: string): string {
  // better-sqlite3 trims names: what is checked must be what is opened.
  const path = resolve(file.trim())
  const directory = dirname(path)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  checkPrivate(directory, '700')
  makeUnlessThere(path)
  for (const suffix of ['', '-wal', '-shm']) checkPrivate(`${path}${suffix}`, '600')
  return path
}

/**
 * What is there is not opened: whoever closes a file gives up all locks that the process has on it, those of SQLite included (POSIX
 * `fcntl`), and SQLite would not know.
 */
function makeUnlessThere(path: string): void {
  try {
    closeSync(openSync(path, 'ax', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    // SQLite would make the file at the other end, with rights that nobody chose.
    if (statSync(path, { throwIfNoEntry: false }) === undefined)
      throw new Error(`${path} is a link to nothing`)
  }
}
