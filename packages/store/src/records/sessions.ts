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
