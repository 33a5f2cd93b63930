import type { LogRecord } from './decision-record.ts'

/** Records on their way to the disk, many of them in one write. */
export interface LogQueue {
  /**
   * Queues records. Those that somebody waits for are written soon, and `settle` is called once they are on the disk, or with what
   * went wrong; the others go along with them, or by themselves after 20 ms, and are counted where they are lost.
   */
  add(records: readonly LogRecord[], settle?: Settle): void
  /** Writes what is queued; refuses what comes after. */
  close(): Promise<void>
}

export type Settle = (error?: unknown) => void

/** Where the records go. */
export interface LogSink {
  /** All of them or none; `lost` is how many were lost before them, and with `durable` they are on the disk afterwards. */
  write(records: readonly LogRecord[], lost: number, durable: boolean): Promise<void>
  /** After a write that failed. */
  giveUp(): Promise<void>
}

/** Requests that may wait for the disk before further ones are refused. */
const maxWaiting = 10_000
/** Milliseconds after which a disk that does not answer counts as unavailable. */
const patience = 10_000
/** Milliseconds for which records that nobody waits for may stay behind, for the next decision to take them along. */
const idle = 20

/** Records that are written together. */
interface Lines {
  readonly records: readonly LogRecord[]
  /** Present on lines that somebody waits for. */
  readonly waiter: Waiter | undefined
}

interface Waiter {
  /** When it began to wait, in milliseconds of a clock that is never set. */
  readonly since: number
  readonly settle: Settle
}

/** One write at a time; what comes meanwhile shares the next one. */
export function createLogQueue(sink: LogSink): LogQueue {
  let waiting: Lines[] = []
  let inWork: readonly Lines[] = []
  let lost = 0
  let closed = false
  let writing: Promise<void> | undefined
  let start: NodeJS.Immediate | undefined
  let idleTimer: NodeJS.Timeout | undefined
  let isWatched = false

  async function writeWaiting(): Promise<void> {
    do {
      inWork = waiting
      waiting = []
      const records = inWork.flatMap((lines) => lines.records)
      const told = lost
      let failure: unknown
      try {
        await sink.write(records, told, isAwaited(inWork))
        lost -= told
      } catch (error) {
        failure = error
        lost += countLost(inWork)
        await sink.giveUp()
      }
      for (const { waiter } of inWork) waiter?.settle(failure)
      inWork = []
    } while (isAwaited(waiting) || (closed && waiting.length > 0))
  }

  function write(): void {
    clearImmediate(start)
    start = undefined
    if (writing !== undefined || waiting.length === 0) return
    writing = writeWaiting().finally(() => {
      writing = undefined
      if (waiting.length > 0) schedule(isAwaited(waiting))
    })
  }

  /** Not at once: all requests of one turn of the event loop share a write. */
  function schedule(soon: boolean): void {
    if (soon) {
      start ??= setImmediate(write)
      return
    }
    idleTimer ??= setTimeout(() => {
      idleTimer = undefined
      write()
    }, idle)
  }

  /** One timer for all that wait: one for each would be a timer a call. */
  function watchPatience(rest = patience): void {
    if (isWatched) return
    isWatched = true
    const look = (): void => {
      isWatched = false
      const now = performance.now()
      const [first] = [...inWork, ...waiting].flatMap(({ waiter }) => {
        const isLate = waiter !== undefined && now - waiter.since >= patience
        if (isLate) waiter.settle(new Error('the disk does not answer'))
        return waiter === undefined || isLate ? [] : [waiter]
      })
      if (first !== undefined) watchPatience(first.since + patience - now)
    }
    setTimeout(look, rest).unref()
  }

  return {
    add(records, settle) {
      if (closed || waiting.length >= maxWaiting) {
        if (settle === undefined) lost += records.length
        settle?.(new Error(closed ? 'the log is closed' : 'the disk is too slow'))
        return
      }
      waiting.push({ records, waiter: settle && { since: performance.now(), settle } })
      if (writing === undefined && start === undefined) schedule(settle !== undefined)
      if (settle !== undefined) watchPatience()
    },
    async close() {
      closed = true
      clearTimeout(idleTimer)
      await writing
      write()
      await writing
    },
  }
}

function isAwaited(batch: readonly Lines[]): boolean {
  return batch.some(({ waiter }) => waiter !== undefined)
}

/** Records that nobody waits for, and that will never be written now. */
function countLost(batch: readonly Lines[]): number {
  return batch.reduce((sum, { waiter, records }) => sum + (waiter === undefined ? records.length : 0), 0)
}
