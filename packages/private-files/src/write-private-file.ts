import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { checkPrivate } from './check-private.ts'

/**
 * Puts a text in the place of a file (0600, its directory 0700, both made when missing). A reader finds the old text or the new
 * one, whole, also after a crash; when it returns, the new one is on the disk. A symbolic link in its place is replaced, and
 * what it leads to stays as it is. Throws when group or others have any right on the directory. Of several who write at once
 * the last one wins: who must not lose the others' text holds a lock.
 */
export function writePrivateFile(file: string, text: string): void {
  const path = resolve(file)
  const directory = dirname(path)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  checkPrivate(directory, '700')
  const draft = `${draftsOf(path)}${randomBytes(8).toString('hex')}`
  try {
    writeThrough(draft, text)
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
  syncDirectory(directory)
  removeOldDrafts(path, directory)
}

/** How the names of drafts begin: no name that a caller would list. */
const draftsOf = (path: string): string => join(dirname(path), `.${basename(path)}.draft-`)

function writeThrough(draft: string, text: string): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants
  const opened = openSync(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    writeFileSync(opened, text)
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}

function syncDirectory(directory: string): void {
  // Windows opens no directories.
  if (process.platform === 'win32') return
  const opened = openSync(directory, constants.O_RDONLY)
  try {
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}

const draftMs = 60_000

/** What a process has left that ended between the lines: it may hold a secret. A young one may still be somebody's work. */
function removeOldDrafts(path: string, directory: string): void {
  const start = basename(draftsOf(path))
  for (const name of readdirSync(directory)) {
    if (!name.startsWith(start)) continue
    const draft = join(directory, name)
    const stats = statSync(draft, { throwIfNoEntry: false })
    if (stats !== undefined && Date.now() - stats.mtimeMs > draftMs) rmSync(draft, { force: true })
  }
}
