import type { ClientParts } from './client-parts.ts'
import { currentTokens } from './current-tokens.ts'
import { isStepUpRefusal } from './decide-step-up.ts'
import type { SignedIn } from './signed-in.ts'

/** What the requests of one client have in common while it lives. */
export interface Session {
  /**
   * As `currentTokens`, without asking the store while what was had the last time is good: a store may be a program to talk to, and
   * a token that somebody else has revoked gets a 401, after which the store is read again.
   */
  current(rejected?: string): Promise<SignedIn | undefined>
  /** What is good from now on; undefined: nothing is. */
  hold(signedIn: SignedIn | undefined): void
  /** One at a time by its key; who comes while it runs gets its outcome. */
  join<Value extends SignedIn>(key: string, work: () => Promise<Value>): Promise<Value>
  /** A sign-in that nobody asked for. One that failed is not begun again for a while: each request would open a browser. */
  braked(work: () => Promise<SignedIn>): Promise<SignedIn>
  /** Authorization requests that were made, by operation. */
  readonly attempts: Map<string, number>
  /** Ends with the client. */
  readonly signal: AbortSignal
  /** Somebody has signed in on purpose: failures before that count no more. */
  startAfresh(signedIn: SignedIn): void
}

const pauseMs = 30_000
/** Seconds before its end at which what is in memory is not good any more. */
const margin = 60

export function makeSession(parts: ClientParts, signal: AbortSignal): Session {
  const { now } = parts
  const flights = new Map<string, Promise<SignedIn>>()
  const attempts = new Map<string, number>()
  let held: SignedIn | undefined
  let failure: { readonly error: unknown; readonly at: number } | undefined

  const isGood = ({ tokens: { accessToken, expiresAt } }: SignedIn, rejected?: string): boolean =>
    accessToken !== rejected && (expiresAt === undefined || expiresAt - margin > now() / 1000)

  return {
    attempts,
    signal,
    async current(rejected) {
      if (held !== undefined && isGood(held, rejected)) return held
      held = await currentTokens(parts, rejected)
      return held
    },
    hold(signedIn) {
      held = signedIn
    },
    async join<Value extends SignedIn>(key: string, work: () => Promise<Value>): Promise<Value> {
      const flight =
        (flights.get(key) as Promise<Value> | undefined) ?? work().finally(() => flights.delete(key))
      flights.set(key, flight)
      held = await flight
      return flight
    },
    async braked(work) {
      if (failure !== undefined && now() < failure.at + pauseMs) throw failure.error
      try {
        const signedIn = await work()
        failure = undefined
        return signedIn
      } catch (error) {
        if (!isStepUpRefusal(error)) failure = { error, at: now() }
        throw error
      }
    },
    startAfresh(signedIn) {
      held = signedIn
      failure = undefined
      attempts.clear()
    },
  }
}
