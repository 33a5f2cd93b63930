import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type LogRecord, readDecisionLog } from '@warder/gateway'

/** Compares what clients and servers saw with the decision log, call by call, as the soak goes on. */
export interface Audit {
  /** A client got the answer of a call. */
  noteAnswer(trace: string): void
  /** A server got a call. */
  noteServed(trace: string): void
  /** Compares what is old enough to be on the disk; `isEnd`: everything. */
  compare(isEnd?: boolean): AuditSum
  /** Reads to the end. */
  stop(): Promise<void>
}

export interface AuditSum {
  readonly answered: number
  readonly served: number
  readonly decided: number
  /** Calls that were answered or served without a decision on the disk. */
  readonly unaudited: number
  /** Calls with more than one decision. */
  readonly repeated: number
  /** Decisions whose outcome never came, in words; at the end only. */
  readonly withoutOutcome: readonly string[]
  /** Records that the log says it lost, or had to repair. */
  readonly lost: number
}

const settleMs = 5_000

export function followLog(data: string): Audit {
  const stop = new AbortController()
  const waiting = new Map<string, number>()
  /** By trace: its decision's id. Kept short: an entry goes once both sides were compared. */
  const decisions = new Map<string, number>()
  const open = new Map<string, string>()
  const sum = { answered: 0, served: 0, decided: 0, unaudited: 0, repeated: 0, lost: 0 }

  const read = (record: LogRecord): void => {
    if (record.kind === 'loss' || record.kind === 'repair') sum.lost += 1
    if (record.kind === 'outcome') open.delete(record.id)
    if (record.kind !== 'decision') return
    // A refusal is its own outcome.
    if (record.outcome !== 'refused') open.set(record.id, `${record.at} ${record.method} ${record.target}`)
    if (record.traceparent === undefined) return
    sum.decided += 1
    if (decisions.has(record.traceparent)) sum.repeated += 1
    decisions.set(record.traceparent, Date.parse(record.at))
  }
  const reading = (async () => {
    const records = readDecisionLog(join(data, 'log'), { follow: true, signal: stop.signal })
    for await (const record of records) read(record)
  })()

  const compare = (isEnd = false): AuditSum => {
    const settled = Date.now() - settleMs
    for (const [trace, at] of waiting) {
      if (!isEnd && at > settled) continue
      waiting.delete(trace)
      if (!decisions.has(trace)) sum.unaudited += 1
    }
    // A call may be answered long after its decision, when the server was held; then it is over, or its deadline was.
    const past = Date.now() - 10 * 60_000
    for (const [trace, at] of decisions) {
      if (at > past) break
      decisions.delete(trace)
    }
    return { ...sum, withoutOutcome: isEnd ? [...open.values()] : [] }
  }

  return {
    noteAnswer(trace) {
      sum.answered += 1
      waiting.set(trace, Date.now())
    },
    noteServed(trace) {
      sum.served += 1
      waiting.set(trace, Date.now())
    },
    compare,
    async stop() {
      // What was written last is read at the next look.
      await delay(1_000)
      stop.abort()
      await reading
    },
  }
}
