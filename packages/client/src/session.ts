import type { ClientParts } from './client-parts.ts'
import { currentTokens } from './current-tokens.ts'
import { isStepUpRefusal } from './decide-step-up.ts'
import { SignInRequired } from './sign-in-required.ts'
import type { SignedIn } from './signed-in.ts'
import { makeStepUpAttempts, type StepUpAttempts } from './step-up-attempts.ts'

/** What the requests of one client have in common while it lives. */
export interface Session {
  /**
   * As `currentTokens`, without asking the store while what was had the last time is good: a store may be a program to talk to, and
   * a token that somebody else has revoked gets a 401, after which the store is read again. Where the session holds nothing, the
   * store is asked each time.
   */
  current(rejected?: string): Promise<SignedIn | undefined>
  /**
   * Signs out: what was good is so no more, what is being fetched at this moment is not held either, and for requests that run
   * meanwhile nobody is signed in again.
   */
  end<Result>(signOut: () => Promise<Result>): Promise<Result>
  /** One at a time by its key; who comes while it runs gets its outcome. */
  join<Value extends SignedIn>(key: string, work: () => Promise<Value>): Promise<Value>
  /**
   * A sign-in that nobody asked for. One that failed is not begun again for a while: each request would open a browser. Throws
   * `SignInRequired` while somebody signs out.
   */
  braked(work: () => Promise<SignedIn>): Promise<SignedIn>
  readonly attempts: StepUpAttempts
  /** Ends with the client. */
  readonly signal: AbortSignal
  /** Somebody has signed in on purpose: failures before that count no more. */
  startAfresh(signedIn: SignedIn): void
}

const pauseMs = 30_000
/** Seconds before its end at which what is in memory is not good any more. */
const margin = 60

/** `holds: false` is for a store that other processes sign out of: what they have ended ends here with the next request. */
export function makeSession(
  parts: ClientParts,
  signal: AbortSignal,
  { holds = true }: { readonly holds?: boolean | undefined } = {},
): Session {
  const { now } = parts
  const flights = new Map<string, Promise<SignedIn>>()
  const attempts = makeStepUpAttempts()
  let held: SignedIn | undefined
  /** One more with each sign-in on purpose and each sign-out: what was begun before has no say after it. */
  let epoch = 0
  /** How many sign-outs run. */
  let ending = 0
  let failure: { readonly error: unknown; readonly at: number } | undefined

  const isGood = ({ tokens: { accessToken, expiresAt } }: SignedIn, rejected?: string): boolean =>
    accessToken !== rejected && (expiresAt === undefined || expiresAt - margin > now() / 1000)

  const replace = (signedIn: SignedIn | undefined): void => {
    epoch += 1
    held = holds ? signedIn : undefined
  }

  const holdResult = async <Value extends SignedIn | undefined>(
    work: () => Promise<Value>,
  ): Promise<Value> => {
    const begun = epoch
    const result = await work()
    if (holds && epoch === begun) held = result
    return result
  }

  return {
    attempts,
    signal,
    async current(rejected) {
      if (held !== undefined && isGood(held, rejected)) return held
      return holdResult(() => currentTokens(parts, rejected))
    },
    async end(signOut) {
      ending += 1
      replace(undefined)
      try {
        return await signOut()
      } finally {
        ending -= 1
        // What a request has read in between, before it was gone.
        replace(undefined)
      }
    },
    async join<Value extends SignedIn>(key: string, work: () => Promise<Value>): Promise<Value> {
      const flying = flights.get(key) as Promise<Value> | undefined
      const flight = flying ?? holdResult(work).finally(() => flights.delete(key))
      flights.set(key, flight)
      return flight
    },
    async braked(work) {
      if (ending > 0) throw new SignInRequired({ server: parts.server, reason: 'somebody is signing out' })
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
      replace(signedIn)
      failure = undefined
      attempts.clear()
    },
  }
}
