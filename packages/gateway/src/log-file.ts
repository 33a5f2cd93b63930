import { randomUUID } from 'node:crypto'
import { constants, type FileHandle, lstat, mkdir, open } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { formatRecord } from './decision-record.ts'

/** One append-only file of the log. */
export interface LogFile {
  readonly path: string
  /** All of it or nothing; with `durable` it is on the disk when the promise resolves. */
  append(text: string, durable: boolean): Promise<void>
  /** Whether somebody removed the file under us. */
  isGone(): Promise<boolean>
  close(): Promise<void>
}

/**
 * Makes the directory of the log (0700) where it is missing, and refuses one that is a link, somebody else's, or readable
 * or writable by others.
 */
export async function prepareLogDirectory(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const found = await lstat(dir)
  if (!found.isDirectory()) throw new Error(`the log directory ${dir} is not a directory`)
  checkOurs(dir, found)
}

/**
 * Opens one file of the log for appending, 0600, and repairs a last line that a crash left unfinished (T09): it is cut off
 * and kept, capped, in a record of kind `repair`. Refuses links, hard links, foreign owners and open permissions (T11).
 * One process writes a directory at a time; that is not checked here.
 */
export async function openLogFile(path: string, at: string): Promise<LogFile> {
  // O_NOFOLLOW: whoever can place a link here must not pick the file that we append to.
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW
  const handle = await open(path, flags, 0o600)
  try {
    const found = await handle.stat()
    if (!found.isFile() || found.nlink > 1) throw new Error(`the log file ${path} is not a plain file`)
    checkOurs(path, found)
    if (found.size === 0) await syncDirectory(dirname(path))
    return logFile(path, handle, await repair(handle, basename(path), found.size, at))
  } catch (error) {
    await handle.close()
    throw error
  }
}

function logFile(path: string, handle: FileHandle, start: number): LogFile {
  let size = start
  return {
    path,
    async append(text, durable) {
      const bytes = Buffer.from(text, 'latin1')
      try {
        await writeAll(handle, bytes)
        if (durable) await handle.datasync()
        size += bytes.length
      } catch (error) {
        // A full disk takes half a line; it must not stay in front of the next record.
        await handle.truncate(size).catch(() => undefined)
        throw error
      }
    },
    async isGone() {
      return (await handle.stat()).nlink === 0
    },
    close: () => handle.close(),
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  let offset = 0
  while (offset < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, offset, bytes.length - offset)
    if (bytesWritten === 0) throw new Error('the log file takes no more bytes')
    offset += bytesWritten
  }
}

/** The size after the repair. */
async function repair(handle: FileHandle, file: string, size: number, at: string): Promise<number> {
  const end = await endOfLastLine(handle, size)
  if (end === size) return size
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(size - end, 4096)), 0, null, end)
  const partial = buffer.subarray(0, bytesRead).toString('latin1')
  await handle.truncate(end)
  const line = formatRecord({ id: randomUUID(), at, kind: 'repair', file, bytes: size - end, partial })
  await writeAll(handle, Buffer.from(line, 'latin1'))
  await handle.datasync()
  return end + line.length
}

async function endOfLastLine(handle: FileHandle, size: number): Promise<number> {
  const chunk = Buffer.alloc(65_536)
  let end = size
  while (end > 0) {
    const from = Math.max(0, end - chunk.length)
    const { bytesRead } = await handle.read(chunk, 0, end - from, from)
    const newline = chunk.subarray(0, bytesRead).lastIndexOf(0x0a)
    if (newline !== -1) return from + newline + 1
    end = from
  }
  return 0
}

async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function checkOurs(path: string, found: { readonly uid: number; readonly mode: number }): void {
  const uid = process.getuid?.()
  // Windows has neither owner nor permission bits here; the user's profile directory is what protects it.
  if (uid === undefined) return
  if (found.uid !== uid) throw new Error(`${path} belongs to another user`)
  if ((found.mode & 0o077) !== 0)
    throw new Error(`${path} can be read or written by others; run chmod go= on it`)
}
