/** A client that registered itself or that an operator entered. `metadata` is the registered document as JSON. */
export interface StoredClient {
  readonly id: string
  readonly kind: 'self-registered' | 'pre-registered'
  readonly metadata: string
  readonly createdAt: number
  readonly disabledAt: number | undefined
}

export interface RevokedClient {
  /** Whether it is registered here, and so disabled now. */
  readonly isDisabled: boolean
  readonly endedGrants: number
}

/** A fetched client id metadata document with its HTTP cache state. */
export interface StoredDocument {
  readonly url: string
  readonly body: string
  readonly etag: string | undefined
  readonly fetchedAt: number
  readonly freshUntil: number
}

export interface ClientOperations {
  /**
   * Keeps at most 2,000 self-registered ones that never had a grant, a no or a sign-in under way: the oldest beyond that are
   * dropped. Such a one is an event from its first grant on.
   */
  add(client: { id: string; kind: StoredClient['kind']; metadata: string; now: number }): Promise<void>
  load(id: string): Promise<StoredClient | undefined>
  list(): Promise<readonly StoredClient[]>
  /**
   * Ends every grant and sign-in of the client and forgets every yes to it. One that is registered here is disabled for good;
   * one that is described by a document is not in our hands and may ask its users again.
   */
  revoke(id: string, now: number): Promise<RevokedClient>
  /** Keeps at most 2,000: the stalest beyond that are dropped. */
  saveDocument(document: StoredDocument): Promise<void>
  loadDocument(url: string): Promise<StoredDocument | undefined>
}
