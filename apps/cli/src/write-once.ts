import { randomBytes } from 'node:crypto'
import { linkSync, unlinkSync, writeFileSync } from 'node:fs'

/**
 * Writes a file that must not exist yet: aside first, then linked into place. After a crash it is whole or absent, and of
 * two processes one wins; the other gets `false`.
 */
export function writeOnce(file: string, content: string | Uint8Array, mode: number): boolean {
  const aside = `${file}.${randomBytes(6).toString('hex')}`
  writeFileSync(aside, content, { mode, flag: 'wx', flush: true })
  try {
    linkSync(aside, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  } finally {
    unlinkSync(aside)
  }
}
