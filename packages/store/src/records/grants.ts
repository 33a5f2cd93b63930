import type { NewGrant } from './transactions.ts'

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
