import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type Reason, Refusal } from '@warder/protocol'
import { type DecisionRecord, formatRecord, type OutcomeRecord } from './decision-record.ts'
import { type LogFile, openLogFile, prepareLogDirectory } from './log-file.ts'
import { createRefusalCounts } from './refusal-counts.ts'

export type DecisionEntry = Omit<DecisionRecord, 'id' | 'at' | 'kind'>
export type OutcomeEntry = Omit<OutcomeRecord, 'id' | 'at' | 'kind'>

/** The two records a request, and a count of what never became a request of anybody. */
export interface DecisionLog {
  /** Resolves with the record's id once it is on the disk; otherwise Refusal `log.unavailable`, and nothing may be forwarded. */
  recordDecision(entry: DecisionEntry): Promise<string>
  /** The same for all decisions about one request, in their order: they are on the disk together or not at all. */
  recordDecisions(entries: readonly DecisionEntry[]): Promise<string[]>
  /** Appends without waiting; what cannot be written is counted and the count is written when the log is back. */
  recordOutcome(id: string | readonly string[], entry: OutcomeEntry): void
  /** Requests without a valid token: the first of a minute is written at once, the others as one count (T07). */
  countRefusal(entry: { readonly server: string; readonly reason: Reason; readonly peer?: string }): void
  /** Writes what is waiting and closes the file. */
  close(): Promise<void>
}

export interface DecisionLogOptions {
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** Requests that may wait for the disk before further ones are refused. */
const maxWaiting = 10_000
/** Milliseconds after which a disk that does not answer counts as unavailable. */
const patience = 10_000

/** Name of the file of one day (UTC); sorting names sorts days. */
const logFileName = (at: string): string => `decisions-${at.slice(0, 10)}.jsonl`

/** Records that are written together. */
interface Lines {
  readonly text: string
  readonly count: number
  /** Present on lines that somebody waits for. */
  readonly settle?: (error?: unknown) => void
}

/**
 * Opens the append-only log in `dir`: one JSON line a record, one file a day (UTC), 0600 in 0700. Decisions that arrive
 * together share one write and one fdatasync. A failed write (full disk, I/O error) refuses the decisions in it and is
 * tried again with the next ones. Throws where the directory or today's file is not safe to write to.
 */
export async function openDecisionLog(dir: string, options: DecisionLogOptions = {}): Promise<DecisionLog> {
  const now = options.now ?? Date.now
  const stamp = (): string => new Date(now()).toISOString()
  await prepareLogDirectory(dir)
  let file: LogFile | undefined = await openLogFile(join(dir, logFileName(stamp())), stamp())
  let waiting: Lines[] = []
  let lost = 0
  let closed = false
  let writing: Promise<void> | undefined

  async function currentFile(): Promise<LogFile> {
    const at = stamp()
    const path = join(dir, logFileName(at))
    if (file !== undefined && (file.path !== path || (await file.isGone()))) await closeFile()
    file ??= await openLogFile(path, at)
    return file
  }

  async function closeFile(): Promise<void> {
    const old = file
    file = undefined
    await old?.close().catch(() => undefined)
  }

  async function writeWaiting(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        await writeBatch(batch)
        for (const line of batch) line.settle?.()
      } catch (error) {
        await closeFile()
        lost += countLost(batch)
        for (const line of batch) line.settle?.(error)
      }
    }
  }

  async function writeBatch(batch: readonly Lines[]): Promise<void> {
    const target = await currentFile()
    const loss = lost === 0 ? '' : formatRecord({ id: randomUUID(), at: stamp(), kind: 'loss', count: lost })
    const durable = batch.some((line) => line.settle !== undefined)
    await target.append(loss + batch.map((line) => line.text).join(''), durable)
    lost = 0
  }

  function enqueue(line: Lines): void {
    if (closed || waiting.length >= maxWaiting) {
      if (line.settle === undefined) lost += line.count
      line.settle?.(new Error(closed ? 'the log is closed' : 'the disk is too slow'))
      return
    }
    waiting.push(line)
    writing ??= writeWaiting().finally(() => {
      writing = undefined
    })
  }

  const counts = createRefusalCounts((entry) => {
    enqueue({ text: formatRecord({ id: randomUUID(), at: stamp(), kind: 'count', ...entry }), count: 1 })
  })

  async function recordDecisions(entries: readonly DecisionEntry[]): Promise<string[]> {
    const ids = entries.map(() => randomUUID())
    const at = stamp()
    const lines = entries.map((entry, place) =>
      formatRecord({ id: ids[place]!, at, kind: 'decision', ...entry }),
    )
    await new Promise<void>((resolve, reject) => {
      const settle = (cause?: unknown): void => {
        clearTimeout(timer)
        if (cause === undefined) resolve()
        else reject(new Refusal('log.unavailable', { detail: String(cause), cause, retryAfter: 5 }))
      }
      const timer = setTimeout(() => settle(new Error('the disk does not answer')), patience)
      enqueue({ text: lines.join(''), count: lines.length, settle })
    })
    return ids
  }

  return {
    recordDecision: async (entry) => (await recordDecisions([entry]))[0]!,
    recordDecisions,
    recordOutcome(id, entry) {
      const at = stamp()
      const lines = [id].flat().map((one) => formatRecord({ id: one, at, kind: 'outcome', ...entry }))
      enqueue({ text: lines.join(''), count: lines.length })
    },
    countRefusal: counts.count,
    async close() {
      counts.close()
      closed = true
      await writing
      await closeFile()
    },
  }
}

/** Records that nobody waits for, and that will never be written now. */
function countLost(batch: readonly Lines[]): number {
  return batch.reduce((sum, line) => sum + (line.settle === undefined ? line.count : 0), 0)
}
