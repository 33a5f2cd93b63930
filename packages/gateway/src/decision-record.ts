import { hideSecrets } from './hide-secrets.ts'

/** What every record has: an id of its own or of its call, and the time (ISO 8601, UTC). */
interface Stamp {
  readonly id: string
  readonly at: string
  /** Number of the record in its log, seal of the record before it, and its own; there once it is written (T03). */
  readonly n?: number
  readonly after?: string
  /** Name of the file that the record is the first of. */
  readonly begins?: string
  readonly mac?: string
}

/** What was decided about one message, durable before anything is forwarded. */
export interface DecisionRecord extends Stamp {
  readonly kind: 'decision'
  /** `refused`: the message never got as far as the policy; `reason` says why. */
  readonly outcome: 'open' | 'locked' | 'hidden' | 'refused'
  readonly because?: string
  /** The reason of the refusal catalogue, where something was refused. */
  readonly reason?: string
  readonly server: string
  readonly method?: string
  /** Name of the tool or prompt, or URI of the resource. */
  readonly target?: string
  readonly issuer?: string
  readonly subject?: string
  readonly client?: string
  readonly clientClass?: string
  readonly scopes?: readonly string[]
  readonly grantId?: string
  readonly tokenId?: string
  /** Digest of the policy that decided. */
  readonly policy?: string
  /** Keyed digest of the bytes that went on, of calls that did: `warder log digest` makes the same of a file (M19). */
  readonly body?: string
  /** Address of the TCP peer; never what a header claims. */
  readonly peer?: string
  /** As the client sent it, for correlation only. */
  readonly traceparent?: string
}

/** What became of a decided call; `id` is that of its decision. */
export interface OutcomeRecord extends Stamp {
  readonly kind: 'outcome'
  readonly status: number
  readonly durationMs: number
  /** Bytes of the answer that were handed to the client's connection. */
  readonly bytes: number
  /** Reason of the refusal catalogue, or why a stream ended early. */
  readonly error?: string
}

/** Requests without a valid token, counted by minute, server and reason. */
export interface CountRecord extends Stamp {
  readonly kind: 'count'
  readonly server: string
  readonly reason: string
  readonly count: number
  /** Peer of the first one. */
  readonly peer?: string
}

/** A line that a crash had left unfinished was taken out of the file; `partial` is what stood there, capped. */
export interface RepairRecord extends Stamp {
  readonly kind: 'repair'
  readonly file: string
  readonly bytes: number
  readonly partial: string
}

/** Outcome and count records that could not be written while the log was unavailable. */
export interface LossRecord extends Stamp {
  readonly kind: 'loss'
  readonly count: number
}

export type LogRecord = DecisionRecord | OutcomeRecord | CountRecord | RepairRecord | LossRecord

const maxText = 512
const maxItems = 100

/** What a line needs more work for: characters that are escaped, and what a token might begin with. */
const remarkable = /[\u007f-\uffff]|eyJ|w(?:rt|ac)_/

/**
 * One record as one line of printable ASCII without a newline; texts are capped at 512 characters, arrays at 100 items.
 * Everything else is escaped, so that no terminal and no line reader sees a control character of an attacker (T01).
 */
export function formatRecord(record: LogRecord): string {
  // Most records are plain, and a function that is asked about each value makes writing one five times as slow.
  const plain = isShort(record) ? JSON.stringify(record) : undefined
  if (plain !== undefined && !remarkable.test(plain)) return plain
  const json = JSON.stringify(record, (_key, value: unknown) => capped(value))
  return json.replace(/[\u007f-\uffff]/g, escaped)
}

/** Whether nothing in it is capped. */
function isShort(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= maxText
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.length <= maxItems && value.every(isShort)
  return Object.values(value).every(isShort)
}

/** One line as a record, or undefined where the line is not one. */
export function readRecord(line: string): LogRecord | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function capped(value: unknown): unknown {
  if (typeof value === 'string') {
    const text = hideSecrets(value)
    return text.length > maxText ? `${text.slice(0, maxText)}…` : text
  }
  if (Array.isArray(value) && value.length > maxItems) return value.slice(0, maxItems)
  return value
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

const kinds: ReadonlySet<unknown> = new Set(['decision', 'outcome', 'count', 'repair', 'loss'])

function isRecord(value: unknown): value is LogRecord {
  return typeof value === 'object' && value !== null && kinds.has(Reflect.get(value, 'kind'))
}
