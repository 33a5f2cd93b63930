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
    /** Hash of the browser's session: while that is alive, its user is put in at once, as by `signIn`; never a disabled one. */
    session?: string | undefined
    expiresAt: number
    now: number
  }): Promise<void>
  /** Only a live one: not expired, not finished. */
  load(id: string, now: number): Promise<Transaction | undefined>
  /**
   * Puts the user into the transaction, with a new browser hash and form hash (no fixation). `false` when it is not alive, the
   * old browser hash differs, or the user is disabled or has another password by now.
   */
  signIn(change: {
    id: string
    userId: string
    /** What the shown password was verified against; absent: none was shown for this, a session vouches for the user. */
    passwordHash?: string
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
    /** Nobody was asked, since the user said yes to all of it before: that must stand still. `false` where it does not. */
    unasked?: boolean
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
