import type { User } from './users.ts'

/** A browser's sign-in that outlives one transaction; only where cookies are safe (https). */
export interface Session {
  readonly hash: string
  readonly userId: string
  readonly signedInAt: number
  readonly expiresAt: number
}

/** A session to be made for somebody who has just shown the password. */
export interface NewSession extends Session {
  /** What the shown password was verified against. */
  readonly passwordHash: string
  readonly now: number
}

export interface SessionOperations {
  /** `false`, and nothing is made, when the user is disabled or has another password by now. */
  create(session: NewSession): Promise<boolean>
  /** Only a live one, of a user who is not disabled. */
  load(hash: string, now: number): Promise<Session | undefined>
  /** The same session, and whose it is. */
  loadWithUser(
    hash: string,
    now: number,
  ): Promise<{ readonly session: Session; readonly user: User } | undefined>
  /** The live ones of a user, the newest first. */
  list(userId: string, now: number): Promise<readonly Session[]>
  end(hash: string, now: number): Promise<void>
}
