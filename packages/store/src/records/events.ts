/** What the authorization server did, written in the transaction that did it. `details` is JSON without secrets. */
export interface StoredEvent {
  readonly number: number
  readonly at: number
  readonly kind: string
  readonly details: string
}

export interface EventOperations {
  /** For what is not part of another operation, such as a failed login. */
  record(kind: string, details: Readonly<Record<string, unknown>>, now: number): Promise<void>
  listAfter(number: number, limit: number): Promise<readonly StoredEvent[]>
}
