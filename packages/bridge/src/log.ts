/** One thing that happened to a child; never a session id, a token or a message. */
export interface BridgeLogEntry {
  readonly level: 'info' | 'warn' | 'error'
  readonly event: string
  readonly [key: string]: unknown
}

/** Where the bridge tells what happened. */
export type BridgeLog = (entry: BridgeLogEntry) => void
