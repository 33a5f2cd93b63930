import type { Actor } from '../faults/actor.ts'
import type { Tokens } from '../protect/scripted-sign-in.ts'

/** One grant of one user, as its client holds it. */
export interface Session {
  readonly user: string
  readonly actor: Actor
  readonly resource: string
  tokens: Tokens
  issuedAt: number
  /** From here on its tokens may be refused. */
  isEnding: boolean
}

/** All sessions; what changes a session's tokens takes it away while it works. */
export interface Sessions {
  readonly count: number
  add(session: Session): void
  /** Some session, which stays here; its tokens are fresh enough for a call. */
  look(resource?: string): Session | undefined
  /** Some session, which nobody else changes until it comes back by `add`. */
  take(): Session | undefined
  /** The one whose access token is the oldest. */
  takeOldest(): Session | undefined
}

const freshMs = 9 * 60_000

export function createSessions(): Sessions {
  const here: Session[] = []
  const pick = (from: readonly Session[]): Session | undefined =>
    from[Math.floor(Math.random() * from.length)]
  const takeOne = (session: Session | undefined): Session | undefined => {
    if (session !== undefined) here.splice(here.indexOf(session), 1)
    return session
  }
  return {
    get count() {
      return here.length
    },
    add: (session) => here.push(session),
    look: (resource) =>
      pick(
        here.filter(
          (session) =>
            (resource === undefined || session.resource === resource) &&
            Date.now() - session.issuedAt < freshMs,
        ),
      ),
    take: () => takeOne(pick(here)),
    takeOldest: () => takeOne(here.toSorted((a, b) => a.issuedAt - b.issuedAt)[0]),
  }
}
