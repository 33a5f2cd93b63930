import { fdatasync, fstatSync, writeSync } from 'node:fs'
import { constants, type FileHandle, lstat, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** One append-only file of the log. */
export interface LogFile {
  readonly path: string
  /** What a crash had left unfinished at its end when it was opened, capped; it is cut off. */
  readonly torn: { readonly bytes: number; readonly partial: string } | undefined
  /** The last whole lines that stood in it when it was opened, without the first of them where it was cut in two. */
  readonly tail: string
  /** All of it or nothing; with `durable` it is on the disk when the promise resolves. */
  append(text: string, durable: boolean): Promise<void>
  /** Whether nothing stands in it yet. */
  isEmpty(): boolean
  /** Whether somebody removed the file under us. */
  isGone(): boolean
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

/** Longer than two records can be, so that a tail holds one that is whole. */
const tailLength = 1024 * 1024

/**
 * Opens one file of the log for appending, 0600, and cuts off a last line that a crash left unfinished (T09). Refuses links, hard
 * links, foreign owners and open permissions (T11). One process writes a directory at a time; that is not checked here.
 */
export async function openLogFile(path: string): Promise<LogFile> {
  // O_NOFOLLOW: whoever can place a link here must not pick the file that we append to.
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW
  const handle = await open(path, flags, 0o600)
  try {
    const found = await handle.stat()
    if (!found.isFile() || found.nlink > 1) throw new Error(`the log file ${path} is not a plain file`)
    checkOurs(path, found)
    if (found.size === 0) await syncDirectory(dirname(path))
    return await logFile(path, handle, found.size)
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function logFile(path: string, handle: FileHandle, found: number): Promise<LogFile> {
  let size = await endOfLastLine(handle, found)
  const torn = size === found ? undefined : await cutOff(handle, size, found)
  return {
    path,
    torn,
    tail: await readTail(handle, size),
    async append(text, durable) {
      const bytes = Buffer.from(text, 'latin1')
      try {
        await writeAll(handle.fd, bytes, durable)
        size += bytes.length
      } catch (error) {
        // A full disk takes half a line; it must not stay in front of the next record.
        await handle.truncate(size).catch(() => undefined)
        throw error
      }
    },
    isEmpty: () => size === 0,
    // No disk is asked for this, and a trip to the thread pool costs more than the answer.
    isGone: () => fstatSync(handle.fd).nlink === 0,
    close: () => handle.close(),
  }
}

/**
 * By number: each method of a handle makes several promises, and this is done for every call. The bytes go to the kernel's memory at once,
 * which takes less than a trip to the thread pool; only the disk is waited for there.
 */
function writeAll(fd: number, bytes: Buffer, durable: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    for (let offset = 0; offset < bytes.length; ) {
      const written = writeSync(fd, bytes, offset)
      if (written === 0) throw new Error('the log file takes no more bytes')
      offset += written
    }
    if (!durable) return resolve()
    fdatasync(fd, (error) => (error === null ? resolve() : reject(error)))
  })
}

async function cutOff(handle: FileHandle, end: number, size: number): Promise<LogFile['torn']> {
  const partial = await readText(handle, end, Math.min(size, end + 4096))
  await handle.truncate(end)
  return { bytes: size - end, partial }
}

async function readTail(handle: FileHandle, end: number): Promise<string> {
  const from = Math.max(0, end - tailLength)
  const text = await readText(handle, from, end)
  return from === 0 ? text : text.slice(text.indexOf('\n') + 1)
}

async function readText(handle: FileHandle, from: number, to: number): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(to - from), 0, null, from)
  return buffer.subarray(0, bytesRead).toString('latin1')
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
