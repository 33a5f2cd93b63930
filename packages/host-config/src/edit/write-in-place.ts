import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { readTextFile } from '../documents/read-text-file.ts'
import { whereItLeads } from '../documents/where-it-leads.ts'
import { HostFileError } from './host-file-error.ts'

/**
 * Replaces a file's text in one step: whole or not at all, with its mode, owner and group, and where it is a link the file that it
 * leads to. Refuses when the file no longer says `before` (undefined: it was not there). A program that writes in the moment between
 * that look and the step itself, some microseconds, is overwritten: hosts know no lock.
 */
export function writeInPlace(
  file: string,
  before: string | undefined,
  after: string,
  modeOfNew: number,
): void {
  const target = whereItLeads(file)
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
  const stat = before === undefined ? undefined : statSync(target)
  const aside = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`)
  const handle = openSync(aside, 'wx', stat === undefined ? modeOfNew : 0o600)
  try {
    try {
      writeFileSync(handle, after)
      if (stat !== undefined) takeOver(handle, stat)
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

/** Owner, group and mode of the file that was there, whatever the umask says. */
function takeOver(handle: number, { uid, gid, mode }: Stats): void {
  if (process.platform === 'win32') return
  let rights = mode & 0o777
  if (process.getuid?.() !== uid || process.getgid?.() !== gid) {
    try {
      fchownSync(handle, uid, gid)
    } catch (error) {
      // Whoever owns a file may belong to its group no more: another group then gets what everybody has.
      if (process.getuid?.() !== uid) throw error
      rights = (rights & 0o707) | ((rights & 0o007) << 3)
    }
  }
  fchmodSync(handle, rights)
}

/** Claude Code writes its file all the time: what it has written since we looked must not be lost. */
function checkUnchanged(file: string, before: string | undefined): void {
  const now = readTextFile(file)
  const text = now?.text === undefined ? undefined : (now.hasMark ? '\ufeff' : '') + now.text
  if (text !== before)
    throw new HostFileError(file, `${file} has changed meanwhile. Nothing was written; try again.`)
}
