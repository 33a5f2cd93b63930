import Database from 'better-sqlite3'
import { claimPrivateFile } from './claim-private-file.ts'

/** A lock that this process holds. */
export interface HeldLock {
  /** Gives it back; the end of the process does so too, however it ends. */
  release(): void
}

/** A holder that nobody refers to any more must not be collected: its file would be closed, and the lock free. */
const held = new Set<Database.Database>()

/**
 * Takes the lock that a file stands for (made, with its directory, when missing), or answers `undefined` while another
 * holder has it. It is the operating system's lock under SQLite's exclusive transaction, so it cannot outlive the process,
 * not even after `kill -9`. The file stays, empty. Throws when group or others can read the file or its directory.
 */
export function holdLock(file: string): HeldLock | undefined {
  const database = new Database(claimPrivateFile(file), { timeout: 0 })
  try {
    database.exec('begin exclusive')
  } catch (error) {
    database.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return undefined
    throw error
  }
  held.add(database)
  return {
    release() {
      held.delete(database)
      database.close()
    },
  }
}
