import { createHmac, createSecretKey, randomUUID } from 'node:crypto'
import { type Reason, Refusal } from '@warder/protocol'
import { type DecisionRecord, formatRecord, type OutcomeRecord } from './decision-record.ts'
import { deriveKey } from './derive-key.ts'
import { createLogChain } from './log-chain.ts'
import { prepareLogDirectory } from './log-file.ts'
import { openLogFiles } from './log-files.ts'
import { createRefusalCounts } from './refusal-counts.ts'

/** What the log itself adds to a record. */
type Added = 'id' | 'at' | 'kind' | 'n' | 'after' | 'mac'

export type DecisionEntry = Omit<DecisionRecord, Added>
export type OutcomeEntry = Omit<OutcomeRecord, Added>

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

/** Requests that may wait for the disk before further ones are refused. */
const maxWaiting = 10_000
/** Milliseconds after which a disk that does not answer counts as unavailable. */
const patience = 10_000

/** Records that are written together. */
interface Lines {
  readonly records: readonly string[]
  /** Present on lines that somebody waits for. */
  readonly settle?: (error?: unknown) => void
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
  const stamp = (): string => new Date(now()).toISOString()
  const chain = createLogChain(secret)
  const digest = bodyDigest(secret)
  await prepareLogDirectory(dir)
  const files = await openLogFiles(dir, chain, stamp())
  let waiting: Lines[] = []
  let lost = 0
  let closed = false
  let writing: Promise<void> | undefined

  async function writeWaiting(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        await writeBatch(batch)
        for (const line of batch) line.settle?.()
      } catch (error) {
        await files.close()
        lost += countLost(batch)
        for (const line of batch) line.settle?.(error)
      }
    }
  }

  async function writeBatch(batch: readonly Lines[]): Promise<void> {
    const loss =
      lost === 0 ? [] : [formatRecord({ id: randomUUID(), at: stamp(), kind: 'loss', count: lost })]
    const durable = batch.some((line) => line.settle !== undefined)
    await files.append([...loss, ...batch.flatMap(({ records }) => records)], stamp(), durable)
    lost = 0
  }

  function enqueue(line: Lines): void {
    if (closed || waiting.length >= maxWaiting) {
      if (line.settle === undefined) lost += line.records.length
      line.settle?.(new Error(closed ? 'the log is closed' : 'the disk is too slow'))
      return
    }
    waiting.push(line)
    writing ??= writeWaiting().finally(() => {
      writing = undefined
    })
  }

  const counts = createRefusalCounts((entry) => {
    enqueue({ records: [formatRecord({ id: randomUUID(), at: stamp(), kind: 'count', ...entry })] })
  })

  async function recordDecisions(entries: readonly DecisionEntry[]): Promise<string[]> {
    const ids = entries.map(() => randomUUID())
    const at = stamp()
    const records = entries.map((entry, place) =>
      formatRecord({ id: ids[place]!, at, kind: 'decision', ...entry }),
    )
    await new Promise<void>((resolve, reject) => {
      const settle = (cause?: unknown): void => {
        clearTimeout(timer)
        if (cause === undefined) resolve()
        else reject(new Refusal('log.unavailable', { detail: String(cause), cause, retryAfter: 5 }))
      }
      const timer = setTimeout(() => settle(new Error('the disk does not answer')), patience)
      enqueue({ records, settle })
    })
    return ids
  }

  return {
    recordDecision: async (entry) => (await recordDecisions([entry]))[0]!,
    recordDecisions,
    recordOutcome(id, entry) {
      const at = stamp()
      enqueue({ records: [id].flat().map((one) => formatRecord({ id: one, at, kind: 'outcome', ...entry })) })
    },
    countRefusal: counts.count,
    digest,
    async close() {
      counts.close()
      closed = true
      await writing
      await files.close()
    },
  }
}

/**
 * A digest of bodies that only the holder of the secret can make: what users write is often short enough to be guessed, and a log
 * is read by more people than bodies are.
 */
export function bodyDigest(secret: Uint8Array): (body: Uint8Array) => string {
  // As an object: given its bytes, Node imports the key for each digest, which costs more than the digest.
  const key = createSecretKey(deriveKey(secret, 'warder body digest'))
  return (body) => createHmac('sha256', key).update(body).digest('base64url')
}

/** Records that nobody waits for, and that will never be written now. */
function countLost(batch: readonly Lines[]): number {
  return batch.reduce((sum, { settle, records }) => sum + (settle === undefined ? records.length : 0), 0)
}
