import type { Finding, Place } from '../finding.ts'
import type { UrlPattern } from './url-pattern.ts'

/**
 * One entry of `allowedMcpServers` or `deniedMcpServers`: exactly one of three ways to say which servers it
 * means.
 */
export type PolicyEntry = { readonly place: Place } & (
  | { readonly kind: 'url'; readonly pattern: UrlPattern; readonly text: string }
  | { readonly kind: 'command'; readonly argv: readonly string[] }
  | { readonly kind: 'name'; readonly name: string }
)

/** What an administrator (and, where that one lets them, users) lay down about servers. */
export interface ManagedPolicy {
  /** Undefined: every server. Empty: none. */
  readonly allowed: readonly PolicyEntry[] | undefined
  readonly denied: readonly PolicyEntry[]
  /** There is a managed list of servers: Claude Code loads no others. */
  readonly isExclusive: boolean
  /** Claude Code takes servers from plugins and the administrator only. */
  readonly pluginsOnly: boolean
  /** A managed file is there and nobody can say what it lays down: then nothing is allowed. */
  readonly unreadable?: Finding
}

/** No rules at all. */
export const noPolicy: ManagedPolicy = {
  allowed: undefined,
  denied: [],
  isExclusive: false,
  pluginsOnly: false,
}
