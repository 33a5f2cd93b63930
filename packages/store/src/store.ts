import type { ChangeOperations } from './records/changes.ts'
import type { ClientOperations } from './records/clients.ts'
import type { EventOperations } from './records/events.ts'
import type { GrantOperations } from './records/grants.ts'
import type { KeyOperations } from './records/keys.ts'
import type { PolicyOperations } from './records/policies.ts'
import type { SessionOperations } from './records/sessions.ts'
import type { TransactionOperations } from './records/transactions.ts'
import type { UserOperations } from './records/users.ts'

export type * from './records/changes.ts'
export type * from './records/clients.ts'
export type * from './records/events.ts'
export type * from './records/grants.ts'
export type * from './records/keys.ts'
export type * from './records/policies.ts'
export type * from './records/sessions.ts'
export type * from './records/transactions.ts'
export type * from './records/users.ts'

/**
 * What an authorization server must remember, as whole operations. There is no transaction callback: each operation is one
 * transaction that holds the write lock from its first statement; consume comes before mint. Times are
 * milliseconds since the epoch, always passed in. Secrets arrive hashed (SHA-256, base64url) or sealed; the store never sees
 * one in the clear. Every operation that changes what somebody has or may do writes its event in the same transaction; counting
 * failures, caching documents, what strangers register or begin, and sweeping write none.
 *
 * Errors: any operation may throw when the database does; nothing was stored then, unless the answer to a COMMIT was lost on its
 * way from PostgreSQL: then it may have been. A caller takes every error for a no.
 */
export interface Store {
  readonly users: UserOperations
  readonly clients: ClientOperations
  readonly transactions: TransactionOperations
  readonly sessions: SessionOperations
  readonly grants: GrantOperations
  readonly keys: KeyOperations
  readonly policies: PolicyOperations
  readonly changes: ChangeOperations
  readonly events: EventOperations
  /** Deletes what has expired; safe at any time, also while others work. */
  sweep(now: number): Promise<void>
  /** Throws unless the database answers; for `/readyz`. */
  ping(): Promise<void>
  close(): Promise<void>
}
