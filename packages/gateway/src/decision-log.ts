import { randomUUID } from 'node:crypto'
import { type Reason, Refusal } from '@warder/protocol'
import { type DecisionRecord, formatRecord, type OutcomeRecord } from './decision-record.ts'
import { deriveKey } from './derive-key.ts'
import { createKeyedMac } from './keyed-mac.ts'
import { createLogChain } from './log-chain.ts'
import { prepareLogDirectory } from './log-file.ts'
import { openLogFiles } from './log-files.ts'
import { createLogQueue } from './log-queue.ts'
import { createRefusalCounts } from './refusal-counts.ts'

/** What the log itself adds to a record. */
type Added = 'id' | 'at' | 'kind' | 'begins' | 'n' | 'after' | 'mac'

export type DecisionEntry = Omit<DecisionRecord, Added>
export type OutcomeEntry = Omit<OutcomeRecord, Added>

/** The two records a request, and a count of what never became a request of anybody. */
export interface DecisionLog {
  /** Resolves with the record's id once it is on the disk; otherwise Refusal `log.unavailable`, and nothing may be forwarded. */
  recordDecision(entry: DecisionEntry): Promise<string>
  /** The same for all decisions about one request, in their order: they are on the disk together or not at all. */
  recordDecisions(entries: readonly DecisionEntry[]): Promise<string[]>
  /**
   * Appends without waiting, within 20 ms and a write; what cannot be written is counted, and the count is written when the log is
   * back.
   */
  recordOutcome(id: string | readonly string[], entry: OutcomeEntry): void
  /** Requests without a valid token: the first of a minute is written at once, the others as one count (T07). */
  countRefusal(entry: { readonly server: string; readonly reason: Reason; readonly peer?: string }): void
  /** What stands for a body in a record; says nothing to who has not the secret. */
  digest(body: Uint8Array): string
  /** Writes what is waiting and closes the file. */
  close(): Promise<void>
}

export interface DecisionLogOptions {
  /** 32 random bytes that survive a restart; the keys of the chain and of digests are derived from them. */
  readonly secret: Uint8Array
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/**
 * Opens the append-only log in `dir`: one JSON line a record, one file a day (UTC), 0600 in 0700, each line sealed behind the one
 * before it (`verifyDecisionLog`). Decisions that arrive together share one write and one fdatasync. A failed write (full disk,
 * I/O error) refuses the decisions in it and is tried again with the next ones. Throws where the directory or today's file is not
 * safe to write to, and on a secret that is none.
 */
export async function openDecisionLog(dir: string, options: DecisionLogOptions): Promise<DecisionLog> {
  const { secret } = options
  const now = options.now ?? Date.now
  const stamp = makeStamp(now)
  const chain = createLogChain(secret)
  const digest = bodyDigest(secret)
  await prepareLogDirectory(dir)
  const files = await openLogFiles(dir, chain, stamp())
  const queue = createLogQueue({
    async write(records, lost, durable) {
      const at = stamp()
      const lines = records.map(formatRecord)
      if (lost === 0) return files.append(lines, at, durable)
      const loss = formatRecord({ id: randomUUID(), at, kind: 'loss', count: lost })
      await files.append([loss, ...lines], at, durable)
    },
    giveUp: () => files.close(),
  })
  const counts = createRefusalCounts((entry) => {
    queue.add([{ id: randomUUID(), at: stamp(), kind: 'count', ...entry }])
  })

  function recordDecisions(entries: readonly DecisionEntry[]): Promise<string[]> {
    const at = stamp()
    const ids: string[] = []
    const records: DecisionRecord[] = []
    for (const entry of entries) {
      const id = randomUUID()
      ids.push(id)
      records.push({ id, at, kind: 'decision', ...entry })
    }
    return new Promise((resolve, reject) => {
      queue.add(records, (cause) => {
        if (cause === undefined) resolve(ids)
        else reject(new Refusal('log.unavailable', { detail: String(cause), cause, retryAfter: 5 }))
      })
    })
  }

  return {
    recordDecision: async (entry) => (await recordDecisions([entry]))[0]!,
    recordDecisions,
    recordOutcome(id, entry) {
      const at = stamp()
      const ids = typeof id === 'string' ? [id] : id
      queue.add(ids.map((one) => ({ id: one, at, kind: 'outcome', ...entry })))
    },
    countRefusal: counts.count,
    digest,
    async close() {
      counts.close()
      await queue.close()
      await files.close()
    },
  }
}

/** The time as a record says it; made once for all records of one millisecond. */
function makeStamp(now: () => number): () => string {
  let last = Number.NaN
  let text = ''
  return () => {
    const time = now()
    if (time !== last) text = new Date(time).toISOString()
    last = time
    return text
  }
}

/**
 * A digest of bodies that only the holder of the secret can make: what users write is often short enough to be guessed, and a log
 * is read by more people than bodies are.
 */
export function bodyDigest(secret: Uint8Array): (body: Uint8Array) => string {
  return createKeyedMac(deriveKey(secret, 'warder body digest'))
}
