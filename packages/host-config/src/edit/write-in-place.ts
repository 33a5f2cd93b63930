import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { readTextFile } from '../documents/read-text-file.ts'
import { HostFileError } from './host-file-error.ts'

/**
 * Replaces a file's text in one step: whole or not at all, with its mode and owner, and where it is a link
 * the file that it leads to. Refuses when the file no longer says `before` (undefined: it was not there).
 */
export function writeInPlace(
  file: string,
  before: string | undefined,
  after: string,
  modeOfNew: number,
): void {
  const target = before === undefined ? file : realpathSync(file)
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
  const stat = before === undefined ? undefined : statSync(target)
  const aside = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`)
  const handle = openSync(aside, 'wx', stat === undefined ? modeOfNew : stat.mode & 0o777)
  try {
    try {
      if (stat !== undefined && process.getuid?.() !== stat.uid) fchownSync(handle, stat.uid, stat.gid)
      writeFileSync(handle, after)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    checkUnchanged(file, before)
    renameSync(aside, target)
  } catch (error) {
    unlinkSync(aside)
    throw error
  }
}

/** Claude Code writes its file all the time: what it has written since we looked must not be lost. */
function checkUnchanged(file: string, before: string | undefined): void {
  const now = readTextFile(file)
  const text = now?.text === undefined ? undefined : (now.hasMark ? '\ufeff' : '') + now.text
  if (text !== before)
    throw new HostFileError(file, `${file} has changed meanwhile. Nothing was written; try again.`)
}
