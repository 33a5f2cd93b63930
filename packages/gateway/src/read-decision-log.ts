import { constants, type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type LogRecord, readRecord } from './decision-record.ts'
import { listLogFiles } from './log-files.ts'

export interface ReadDecisionLogOptions {
  /** Only records after this time (ISO 8601, UTC). */
  readonly after?: string
  /** Only the last so many of what stands in the log now. */
  readonly last?: number
  /** Go on with new records as they come, across days, until `signal` ends it. */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

/** Milliseconds between two looks at the files: file events differ too much between platforms to rely on. */
const interval = 200

/** The records of a log directory, oldest first; lines that are none (an unfinished last one) are left out. */
export async function* readDecisionLog(
  dir: string,
  options: ReadDecisionLogOptions = {},
): AsyncGenerator<LogRecord, void, undefined> {
  const { after, last, follow = false, signal } = options
  const reader = createReader(dir, after)
  try {
    if (last === undefined) yield* reader.news()
    else yield* await lastOf(reader.news(), last)
    while (follow && signal?.aborted !== true) {
      await delay(interval, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
      yield* reader.news()
    }
  } finally {
    await reader.close()
  }
}

async function lastOf(records: AsyncIterable<LogRecord>, count: number): Promise<LogRecord[]> {
  const kept: LogRecord[] = []
  for await (const record of records) {
    kept.push(record)
    if (kept.length > count) kept.shift()
  }
  return kept
}

/** Remembers how far each file was read, so that each record comes once. */
function createReader(
  dir: string,
  after: string | undefined,
): { news(): AsyncGenerator<LogRecord>; close(): Promise<void> } {
  let name: string | undefined
  let handle: FileHandle | undefined
  /** End of the last complete line that was read; an unfinished one is read again. */
  let offset = 0

  async function* lines(): AsyncGenerator<string> {
    const chunk = Buffer.alloc(65_536)
    let rest = Buffer.alloc(0)
    while (handle !== undefined) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, offset + rest.length)
      if (bytesRead === 0) return
      rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)])
      for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a)) {
        yield rest.subarray(0, end).toString('latin1')
        offset += end + 1
        rest = rest.subarray(end + 1)
      }
    }
  }

  async function* recordsHere(): AsyncGenerator<LogRecord> {
    for await (const line of lines()) {
      const record = readRecord(line)
      if (record !== undefined && (after === undefined || record.at > after)) yield record
    }
  }

  return {
    async *news() {
      // Listed before the rest of the old file is read: once a new file exists, the old one is complete.
      const newer = await filesAfter(dir, name)
      yield* recordsHere()
      for (const next of newer) {
        await handle?.close()
        handle = await open(join(dir, next), constants.O_RDONLY | constants.O_NOFOLLOW)
        name = next
        offset = 0
        yield* recordsHere()
      }
    },
    async close() {
      await handle?.close()
    },
  }
}

async function filesAfter(dir: string, name: string | undefined): Promise<string[]> {
  const names = await listLogFiles(dir)
  return name === undefined ? names : names.filter((entry) => entry > name)
}
