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
