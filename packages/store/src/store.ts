/**
 * What an authorization server must remember, as whole operations. There is no transaction callback: each operation is one
 * transaction that holds the write lock from its first statement; consume comes before mint. Times are
 * milliseconds since the epoch, always passed in. Secrets arrive hashed (SHA-256, base64url) or sealed; the store never sees
 * one in the clear. Every operation that changes what somebody has or may do writes its event in the same transaction; counting
 * failures, caching documents, beginning a transaction and sweeping write none.
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

/* ------------------------------------------------------------------ users */

export interface User {
  readonly id: string
  readonly email: string
  readonly role: 'owner' | 'user'
  readonly passwordHash: string
  readonly createdAt: number
  readonly disabledAt: number | undefined
}

export interface NewUser {
  readonly id: string
  /** Lower-cased and trimmed by the caller; unique. */
  readonly email: string
  readonly passwordHash: string
}

export interface UserOperations {
  /** Replaces all earlier links: at most one owner link is alive. */
  createOwnerLink(link: { hash: string; expiresAt: number; now: number }): Promise<void>
  isOwnerLinkAlive(hash: string, now: number): Promise<boolean>
  /** Consumes the link, then makes the owner, in one transaction. Exactly one of any number of racers gets `made`. `email-taken` leaves the link alive. */
  claimOwner(claim: {
    linkHash: string
    user: NewUser
    now: number
  }): Promise<'made' | 'link-invalid' | 'owner-exists' | 'email-taken'>
  hasOwner(): Promise<boolean>
  /** `false` when the e-mail is taken. */
  add(user: NewUser & { now: number }): Promise<boolean>
  loadById(id: string): Promise<User | undefined>
  loadByEmail(email: string): Promise<User | undefined>
  list(): Promise<readonly User[]>
  /** Ends every grant, session and sign-in of the user and forgets every yes: whoever knew the old password is out. `false` when there is no such user. */
  setPassword(id: string, passwordHash: string, now: number): Promise<boolean>
  /** Disabling ends every grant, session and sign-in of the user, forgets every yes, and is a change; enabling is one too and brings nothing back. `false` when there is no such user. */
  setDisabled(id: string, disabled: boolean, now: number): Promise<boolean>
  /** Counts a failed login under a key (an account, an address); answers how many failures stand there now. */
  countLoginFailure(key: string, now: number): Promise<number>
  /** Milliseconds since the epoch before which no login is tried under this key; 0 when free. */
  loadLoginBlock(key: string): Promise<number>
  clearLoginFailures(key: string): Promise<void>
}

/* ---------------------------------------------------------------- clients */

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

/* ----------------------------------------------------------- transactions */

/** One authorization request on its way through login and consent. `request` is the checked request as JSON. */
export interface Transaction {
  readonly id: string
  readonly request: string
  /** Hash of the browser's secret cookie. */
  readonly browserHash: string
  /** Hash of the token in the forms of this transaction. */
  readonly formHash: string
  readonly userId: string | undefined
  readonly signedInAt: number | undefined
  readonly createdAt: number
  readonly expiresAt: number
}

/** What the user said about one scope, for this client, redirect host and resource. */
export interface RememberedConsent {
  readonly scope: string
  readonly decision: 'granted' | 'declined'
  readonly at: number
  /** What the client was when this was said, as `SaidConsent` had it; empty where it said nothing of it. */
  readonly clientDigest: string
}

/** An answer to be remembered. */
export interface SaidConsent<Decision = 'granted' | 'declined'> {
  readonly key: ConsentKey
  readonly scope: string
  readonly decision: Decision
  /** Stands for what the client's description said at this moment. */
  readonly clientDigest?: string
}

/** A no, wherever the answers of the client go. */
export interface DeclinedConsent {
  readonly userId: string
  readonly clientId: string
  readonly resource: string
  readonly scope: string
  readonly at: number
}

export interface ConsentKey {
  readonly userId: string
  readonly clientId: string
  readonly redirectHost: string
  readonly resource: string
}

export interface NewGrant {
  readonly id: string
  readonly userId: string
  readonly clientId: string
  readonly clientClass: string
  readonly resource: string
  readonly scopes: readonly string[]
  /** As the client calls itself. */
  readonly clientName?: string
  /** Where its answers go, as in the `ConsentKey`. */
  readonly redirectHost?: string
  /** For the record of this grant, as in `SaidConsent`. */
  readonly clientDigest?: string
}

export interface NewCode {
  readonly hash: string
  readonly redirectUri: string
  readonly challenge: string
  readonly expiresAt: number
}

export interface TransactionOperations {
  /**
   * Keeps at most 50 live ones of a client and 500 in all from one peer: the oldest beyond that are dropped. Of more than
   * 5,000 in the whole store, the oldest of the peer that has the most is dropped: whoever floods loses his own.
   */
  create(transaction: {
    id: string
    clientId: string
    /** Whoever begins it, as far as addresses tell; absent: all those count as one peer. */
    peer?: string
    request: string
    browserHash: string
    formHash: string
    expiresAt: number
    now: number
  }): Promise<void>
  /** Only a live one: not expired, not finished. */
  load(id: string, now: number): Promise<Transaction | undefined>
  /** Puts the user into the transaction, with a new browser hash and form hash (no fixation). `false` when it is not alive or the old browser hash differs. */
  signIn(change: {
    id: string
    userId: string
    browserHash: string
    newBrowserHash: string
    newFormHash: string
    /** When the user showed the password; absent: now. */
    signedInAt?: number
    now: number
  }): Promise<boolean>
  /**
   * Ends the transaction, then makes the grant and its code and remembers what was said, all at once. `false` when it had
   * ended before, has no signed-in user, or the user is disabled: then nothing was made. Exactly one of any racers wins. An
   * earlier no to what is granted now is forgotten; a new no is a change.
   */
  finishWithCode(finish: {
    id: string
    grant: NewGrant
    code: NewCode
    /** Absent: remember nothing (local and self-registered clients remember only what was declined). */
    consents: readonly SaidConsent[]
    now: number
  }): Promise<boolean>
  /** Ends the transaction without a grant. `false` when it had ended before. */
  finishWithDenial(finish: {
    id: string
    consents: readonly SaidConsent<'declined'>[]
    now: number
  }): Promise<boolean>
  loadConsents(key: ConsentKey): Promise<readonly RememberedConsent[]>
  /** What users said no to after a time. */
  listDeclined(filter: { since: number; userId?: string }): Promise<readonly DeclinedConsent[]>
}

/* --------------------------------------------------------------- sessions */

/** A browser's sign-in that outlives one transaction; only where cookies are safe (https). */
export interface Session {
  readonly hash: string
  readonly userId: string
  readonly signedInAt: number
  readonly expiresAt: number
}

export interface SessionOperations {
  create(session: Session & { now: number }): Promise<void>
  /** Only a live one, of a user who is not disabled. */
  load(hash: string, now: number): Promise<Session | undefined>
  /** The live ones of a user, the newest first. */
  list(userId: string, now: number): Promise<readonly Session[]>
  end(hash: string, now: number): Promise<void>
}

/* ----------------------------------------------------------------- grants */

/** What one consent made: a family of refresh tokens and the access tokens that name it. */
export interface Grant extends Required<Omit<NewGrant, 'clientDigest'>> {
  /** When the user showed the password for it. */
  readonly signedInAt: number
  readonly createdAt: number
  readonly revokedAt: number | undefined
  readonly revokedBecause: string | undefined
}

/** A grant that can still be used. */
export interface GrantInUse extends Grant {
  readonly lastRefreshedAt: number | undefined
}

export interface Code {
  readonly hash: string
  readonly grant: Grant
  readonly redirectUri: string
  readonly challenge: string
  readonly expiresAt: number
  readonly redeemedAt: number | undefined
  readonly wrongVerifiers: number
}

export interface RefreshToken {
  readonly hash: string
  readonly grant: Grant
  readonly expiresAt: number
  readonly usedAt: number | undefined
}

export type Rotation =
  /** This call consumed the presented token; the successor is stored. */
  | { readonly outcome: 'rotated'; readonly grant: Grant }
  /** The presented token was consumed less than the grace time ago and its successor was not used: here is that successor, sealed. */
  | { readonly outcome: 'retried'; readonly grant: Grant; readonly sealedSuccessor: string }
  /** The presented token was consumed earlier: the grant is revoked now. */
  | { readonly outcome: 'replayed'; readonly grant: Grant }
  | { readonly outcome: 'unknown' | 'expired' | 'revoked' }

export interface GrantOperations {
  loadCode(hash: string): Promise<Code | undefined>
  /** Counts a wrong verifier; the fifth kills the code. */
  countWrongVerifier(hash: string, now: number): Promise<void>
  /**
   * Consumes the code, then stores the first refresh token, at once. `replayed` revokes the grant in the same transaction.
   * The caller has proved client, redirect URI, verifier and resource before.
   */
  redeemCode(redemption: {
    codeHash: string
    refreshToken: { hash: string; expiresAt: number } | undefined
    now: number
  }): Promise<{ outcome: 'redeemed' | 'replayed' | 'expired' | 'unknown' | 'revoked'; grant?: Grant }>
  loadRefreshToken(hash: string): Promise<RefreshToken | undefined>
  rotateRefreshToken(rotation: {
    hash: string
    successor: { hash: string; sealed: string; expiresAt: number }
    /** Milliseconds for which a retry gets the same successor. */
    graceMs: number
    now: number
  }): Promise<Rotation>
  load(id: string): Promise<Grant | undefined>
  list(filter: { userId?: string; clientId?: string; live?: boolean }): Promise<readonly Grant[]>
  /** What the grants that are not revoked are for, each resource once. */
  listResources(): Promise<readonly string[]>
  /** Those of a user that are not revoked and have a live refresh token or may have an access token; the newest first. */
  listInUse(userId: string, now: number): Promise<readonly GrantInUse[]>
  /**
   * Gives a grant of this user other scopes; a change. What was taken away counts as declined from then on, and a decline of
   * what was added is forgotten. `false` when the grant is not alive or not this user's. The caller has asked the policy.
   */
  changeScopes(change: {
    id: string
    userId: string
    scopes: readonly string[]
    now: number
  }): Promise<boolean>
  /** Ends a grant of this user, and forgets every remembered yes to its client. `false` when it is not alive or not theirs. */
  revokeAndForget(revocation: { id: string; userId: string; because: string; now: number }): Promise<boolean>
  /** Ends a grant with all its tokens; a change. `false` when it was not alive. */
  revoke(id: string, because: string, now: number): Promise<boolean>
  /**
   * For use after a restore: ends every grant (a change each), sign-in, session and owner link, and forgets every remembered
   * yes. Answers how many grants it ended. In batches, so that others get the write lock in between; after an error, again.
   */
  revokeAll(revocation: { because: string; now: number }): Promise<number>
  /** Ends one access token by its `jti`; a change. */
  revokeAccessToken(token: { id: string; grantId: string; expiresAt: number; now: number }): Promise<void>
}

/* ------------------------------------------------------------------- keys */

export interface SigningKey {
  readonly kid: string
  readonly algorithm: 'ES256'
  readonly publicJwk: string
  /** The private JWK, sealed by the caller. */
  readonly sealedPrivateJwk: string
  readonly createdAt: number
}

export interface KeyOperations {
  list(): Promise<readonly SigningKey[]>
  /** Adds the key only if there is none; answers the keys that stand there afterwards. Racing nodes agree on one. */
  addFirst(key: SigningKey): Promise<readonly SigningKey[]>
}

/* --------------------------------------------------------------- policies */

/** A policy that a node has published for all nodes of this database; the newest is in force, the others are its history. */
export interface PublishedPolicy {
  readonly number: number
  readonly digest: string
  readonly text: string
  /** Who published it. */
  readonly node: string
  readonly at: number
}

export interface PolicyOperations {
  current(): Promise<PublishedPolicy | undefined>
  /**
   * Puts a policy in force; a change. `current`: it is already (nothing is stored). `superseded`: it was once, another is by
   * now, and this is not an edit, so nothing is stored: a node that starts with an old file adopts what is in force.
   */
  publish(policy: {
    digest: string
    text: string
    node: string
    /** Whether somebody has just written it, so that going back to an old text counts. */
    isEdit: boolean
    now: number
  }): Promise<'published' | 'current' | 'superseded'>
}

/* ---------------------------------------------------------------- changes */

/** A change that guards must hear of. Numbers are given in the transaction of the change, so they become visible in order. */
export interface Change {
  readonly number: number
  readonly kind:
    | 'grant-revoked'
    /** The grant has other scopes; tokens with more than those are dead. */
    | 'grant-changed'
    | 'token-revoked'
    /** The user said no to something, or took a no back. */
    | 'consents-changed'
    | 'user-disabled'
    | 'user-enabled'
    | 'user-added'
    /** Another policy is in force for all nodes. */
    | 'policy-published'
  /** Grant id, `jti`, user id, or the number of the policy. */
  readonly subject: string
  readonly at: number
  /** After this time (ms) nothing can depend on the change any more. */
  readonly until: number
}

export interface ChangeOperations {
  /** The last number given so far; 0 when there was none. */
  lastNumber(): Promise<number>
  /** Changes after a number, oldest first. */
  listAfter(number: number, limit: number): Promise<readonly Change[]>
}

/* ----------------------------------------------------------------- events */

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
