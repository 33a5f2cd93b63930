import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs'
import { checkMode } from './check-private.ts'

/**
 * The text of a file that only its user can read, or undefined when there is none. Throws for a symbolic link in its place,
 * for what is no regular file, for a file of somebody else, and when group or others have any right on it. What is checked is
 * what is read, and a pipe in its place is not waited for. On Windows it checks neither owner nor rights.
 */
export function readPrivateFile(file: string): string | undefined {
  const opened = openPlain(file)
  if (opened === undefined) return undefined
  try {
    const stats = fstatSync(opened)
    if (!stats.isFile()) throw new Error(`${file} is not a file`)
    if (stats.uid !== (process.getuid?.() ?? stats.uid)) throw new Error(`${file} belongs to another user`)
    checkMode(file, stats, '600')
    return readFileSync(opened, 'utf8')
  } finally {
    closeSync(opened)
  }
}

// Windows knows neither flag, and links there only for those who may make them.
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants

function openPlain(file: string): number | undefined {
  try {
    if (O_NOFOLLOW === 0 && lstatSync(file).isSymbolicLink()) throw linked(file)
    return openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw code === 'ELOOP' ? linked(file) : error
  }
}

const linked = (file: string): Error => new Error(`${file} is a symbolic link; put the file itself there`)
