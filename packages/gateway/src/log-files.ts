import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { formatRecord } from './decision-record.ts'
import { type LogChain, type LogHead, logStart } from './log-chain.ts'
import { type LogFile, openLogFile } from './log-file.ts'

/** The files of a log directory, as one chain that is only ever written at its end. */
export interface LogFiles {
  /** Writes the records behind all others, at `at` (ISO 8601, UTC), or none of them. */
  append(records: readonly string[], at: string, durable: boolean): Promise<void>
  /** Closes the open file; the next `append` opens one again. */
  close(): Promise<void>
}

const fileName = /^decisions-\d{4}-\d\d-\d\d\.jsonl$/

/** Names of the files of a log, oldest first: one file a day (UTC), and sorting names sorts days. */
export async function listLogFiles(dir: string): Promise<string[]> {
  return (await readdir(dir)).filter((name) => fileName.test(name)).sort()
}

/**
 * Finds where the chain stands, and opens the file of the day. What a crash left unfinished at the end of a file is cut off and
 * flagged by a record of kind `repair` (T09).
 */
export async function openLogFiles(dir: string, chain: LogChain, at: string): Promise<LogFiles> {
  let head: LogHead = logStart
  let file: LogFile | undefined
  let repairs: string[] = []
  /** The newest file that there was. A clock that is set back must not write in front of it. */
  let newest = ''

  async function open(name: string, time: string): Promise<LogFile> {
    const opened = await openLogFile(join(dir, name))
    const { torn, tail } = opened
    if (torn !== undefined)
      repairs.push(formatRecord({ id: randomUUID(), at: time, kind: 'repair', file: name, ...torn }))
    // More than we know of stands there where a failed write could not be taken back.
    const found = chain.lastOf(tail)
    if (found !== undefined && found.n > head.n) head = found
    return opened
  }

  async function close(): Promise<void> {
    const old = file
    file = undefined
    await old?.close().catch(() => undefined)
  }

  async function current(time: string): Promise<LogFile> {
    const today = `decisions-${time.slice(0, 10)}.jsonl`
    const name = today > newest ? today : newest
    if (file !== undefined && (basename(file.path) !== name || file.isGone())) await close()
    file ??= await open(name, time)
    newest = name
    return file
  }

  async function append(records: readonly string[], time: string, durable: boolean): Promise<void> {
    const target = await current(time)
    // Files may go from the front, lines may not: what a log begins with must be the beginning of a file.
    const begins = target.isEmpty() ? basename(target.path) : undefined
    const sealed = chain.seal(head, repairs.length === 0 ? records : [...repairs, ...records], begins)
    await target.append(sealed.text, durable)
    head = sealed.head
    repairs = []
  }

  for (const name of (await listLogFiles(dir)).reverse()) {
    if (newest === '') newest = name
    await (await open(name, at)).close()
    if (head.n > 0) break
  }
  await current(at)
  if (repairs.length > 0) await append([], at, true)
  return { append, close }
}
