import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { holdLock, userDirectory } from '@warder/private-files'
import { Problem } from './problem.ts'

/** Where Warder keeps its state: a directory that nobody else can read. */
export interface DataDirectory {
  readonly path: string
  readonly database: string
  readonly log: string
}

/** The default; one folder a server name. */
export const defaultDataPath = (name: string): string => join(userDirectory('state'), name)

/** Opens or makes the directory; refuses one that others can read. */
export function openDataDirectory(given: string): DataDirectory {
  const path = resolve(given)
  if (!existsSync(path)) mkdirSync(path, { recursive: true, mode: 0o700 })
  const stat = statSync(path)
  if (!stat.isDirectory()) throw new Problem(`--data ${path} is not a directory.`)
  if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0)
    throw new Problem(`others can read ${path}. Put it right by: chmod 700 ${path}`)
  return { path, database: join(path, 'warder.sqlite'), log: join(path, 'log') }
}

/**
 * Takes the directory for this process alone, and answers how to give it back: two servers on one state would disagree about
 * its address and keep apart what each has in memory. Commands that work on the database beside it need no such claim.
 */
export function holdDataDirectory({ path }: Pick<DataDirectory, 'path'>): () => void {
  const lock = holdLock(join(path, 'lock'))
  if (lock === undefined) {
    throw new Problem(
      `another Warder uses this state directory: ${path}. Stop that one, or give this one its own by --data.`,
    )
  }
  return lock.release
}

/** Opens an existing directory; for commands that must not make one by mistake. */
export function openExistingDataDirectory(given: string): DataDirectory {
  // A node of a database has no file for its state, but always a lock.
  if (!['warder.sqlite', 'lock'].some((name) => existsSync(join(given, name)))) {
    throw new Problem(
      `there is no Warder state in ${resolve(given)}. Start warder protect first, or name its directory by --data.`,
    )
  }
  return openDataDirectory(given)
}
