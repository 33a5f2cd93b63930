import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { holdLock } from '@warder/store'
import { Problem } from './problem.ts'
import { writeOnce } from './write-once.ts'

/** Where Warder keeps its state: a directory that nobody else can read. */
export interface DataDirectory {
  readonly path: string
  readonly database: string
  readonly log: string
  /** 32 bytes that seal the signing keys and session ids; made at the first start, mode 0600. */
  readonly secret: Uint8Array
}

/** The default: the user's state directory, apart from work trees that coding agents read. One folder a server name. */
export function defaultDataPath(name: string): string {
  const base =
    process.platform === 'win32'
      ? (process.env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'))
      : process.platform === 'darwin'
        ? join(homedir(), 'Library', 'Application Support')
        : (process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'))
  return join(base, 'warder', name)
}

/** Opens or makes the directory; refuses one that others can read. */
export function openDataDirectory(given: string): DataDirectory {
  const path = resolve(given)
  if (!existsSync(path)) mkdirSync(path, { recursive: true, mode: 0o700 })
  const stat = statSync(path)
  if (!stat.isDirectory()) throw new Problem(`--data ${path} is not a directory.`)
  checkPrivate(path, stat.mode, 'chmod 700')
  return {
    path,
    database: join(path, 'warder.sqlite'),
    log: join(path, 'log'),
    secret: loadSecret(join(path, 'secret')),
  }
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
  if (!existsSync(join(given, 'warder.sqlite'))) {
    throw new Problem(
      `there is no Warder state in ${resolve(given)}. Start warder protect first, or name its directory by --data.`,
    )
  }
  return openDataDirectory(given)
}

function loadSecret(file: string): Uint8Array {
  if (!existsSync(file)) writeOnce(file, randomBytes(32), 0o600)
  checkPrivate(file, statSync(file).mode, 'chmod 600')
  const secret = readFileSync(file)
  if (secret.length !== 32)
    throw new Problem(`${file} is damaged: it must have 32 bytes. Restore it from a backup.`)
  return secret
}

function checkPrivate(path: string, mode: number, remedy: string): void {
  if (process.platform === 'win32') return
  if ((mode & 0o077) !== 0) throw new Problem(`others can read ${path}. Put it right by: ${remedy} ${path}`)
}
