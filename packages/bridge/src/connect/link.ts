import { type McpEra, Refusal } from '@warder/protocol'
import type { BridgeLog } from '../log.ts'
import { currentErrand, makeErrand, runErrand } from './errand.ts'
import { meetServer } from './meet-server.ts'
import type { HostFacts, Server, ServerMessage } from './server.ts'
import { innermostWords, isSignInRequired, ServerTrouble } from './server-trouble.ts'
import type { UserFetch } from './user-fetch.ts'

/** Why there is no server to ask yet. */
export type Absence =
  /** It is being contacted; a person may be signing in. */
  | { readonly kind: 'waiting' }
  | {
      readonly kind: 'sign-in'
      readonly error: Error
      readonly why: string
      readonly url?: string | undefined
    }
  | { readonly kind: 'trouble'; readonly error: unknown }

/** The way to the server, which may not be open yet. */
export interface Link {
  /** The server, as soon as it has been met. */
  current(): Server | undefined
  /** Begins to contact the server, if nobody has. */
  begin(): void
  /** Waits for the server for so many milliseconds at most; the contact itself goes on. Never rejects. */
  reach(patienceMs: number, signal: AbortSignal): Promise<Server | Absence>
  close(): Promise<void>
}

export interface LinkOptions {
  readonly url: string
  /** Only for errands that may ask a person. */
  readonly fetch: UserFetch
  readonly quietFetch: UserFetch
  /** Read when the server is contacted. */
  readonly host: () => HostFacts
  readonly first: () => McpEra
  readonly onMessage: (message: ServerMessage) => void | Promise<void>
  readonly onMet: (server: Server) => void
  readonly onRenewed: (server: Server) => void
  readonly onAbsent: (absence: Absence) => void
  readonly log: BridgeLog
}

const shortestPauseMs = 1000
const firstRetryMs = 3000
const longestRetryMs = 60_000

/**
 * Contacts the server once for all who wait for it. What fails is tried again when the host asks for something, and now and then
 * without asking anybody for anything: a server that comes back, or somebody who signs in elsewhere, is noticed.
 */
export function createLink(options: LinkOptions): Link {
  let server: Server | undefined
  let meeting: Promise<Server | Absence> | undefined
  let failed: { readonly absence: Absence; readonly at: number } | undefined
  let retry: NodeJS.Timeout | undefined
  let pause = firstRetryMs
  const closing = new AbortController()
  const fetch = fetchOnErrands(options)
  let isClosed = false

  const meet = (isQuiet: boolean): Promise<Server | Absence> => {
    clearTimeout(retry)
    const work = async (): Promise<Server | Absence> => {
      try {
        const { url, quietFetch, onMessage, onRenewed, log } = options
        const met = await meetServer(
          { url, fetch, quietFetch, host: options.host(), onMessage, onRenewed, log, signal: closing.signal },
          options.first(),
        )
        if (isClosed) await met.close()
        server = met
        failed = undefined
        if (!isClosed) options.onMet(met)
        return met
      } catch (error) {
        const absence = readAbsence(error)
        failed = { absence, at: performance.now() }
        if (!isClosed) {
          options.onAbsent(absence)
          tryLater()
        }
        return absence
      } finally {
        meeting = undefined
      }
    }
    meeting = runErrand(makeErrand(!isQuiet), work)
    return meeting
  }

  const tryLater = (): void => {
    retry = setTimeout(() => void (meeting ?? meet(true)), pause)
    retry.unref()
    pause = Math.min(pause * 2, longestRetryMs)
  }

  const begin = (): Promise<Server | Absence> => {
    if (meeting !== undefined) return meeting
    if (failed !== undefined && performance.now() - failed.at < shortestPauseMs)
      return Promise.resolve(failed.absence)
    pause = firstRetryMs
    return meet(false)
  }

  return {
    current: () => server,
    begin: () => {
      if (server === undefined && !isClosed) void begin()
    },
    reach: (patienceMs, signal) => {
      if (server !== undefined) return Promise.resolve(server)
      if (isClosed || signal.aborted) return Promise.resolve({ kind: 'waiting' })
      return waitFor(begin(), patienceMs, signal)
    },
    close: async () => {
      isClosed = true
      clearTimeout(retry)
      await server?.close()
      closing.abort()
    },
  }
}

function waitFor(
  work: Promise<Server | Absence>,
  patienceMs: number,
  signal: AbortSignal,
): Promise<Server | Absence> {
  return new Promise((resolve) => {
    const finish = (outcome: Server | Absence): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      resolve(outcome)
    }
    const stop = (): void => finish({ kind: 'waiting' })
    const timer = setTimeout(stop, patienceMs)
    signal.addEventListener('abort', stop, { once: true })
    void work.then(finish)
  })
}

/** Who is on no errand goes the quiet way: nobody would know why a browser opens. */
function fetchOnErrands(options: LinkOptions): UserFetch {
  return async (url, init) => {
    const errand = currentErrand()
    const fetch = errand?.mayAsk === true ? options.fetch : options.quietFetch
    if (errand === undefined) return fetch(url, init)
    // A stream that is opened again brings on what the server has taken before.
    if (init.method === 'POST') errand.isHeldUp = true
    const response = await fetch(url, init)
    if (response.ok) errand.isHeldUp = false
    return response
  }
}

/** What an error of a fetch or of a server means for the host. */
export function readAbsence(error: unknown): Absence {
  if (isSignInRequired(error)) {
    return { kind: 'sign-in', error, why: error.reason ?? error.message, url: error.authorizationUrl }
  }
  // A person was asked, and it came to nothing.
  if (error instanceof Refusal && error.reason.startsWith('sign-in.')) {
    return { kind: 'sign-in', error, why: error.rule.says }
  }
  return { kind: 'trouble', error }
}

/** The absence in one sentence that says what to do. `link`: where the user can sign in right now. */
export function wordsOf(
  absence: Absence,
  place: string,
  link: string | undefined,
  loginCommand: string,
): string {
  if (absence.kind === 'waiting') {
    return link === undefined
      ? `${place} has not answered yet. If a browser window asks for a sign-in, finish it, then try again.`
      : `${place} waits for a sign-in. Ask the user to open ${link} and to sign in, then try again.`
  }
  if (absence.kind === 'sign-in') {
    const url = absence.url ?? link
    const todo = url === undefined ? `run: ${loginCommand}` : `open ${url}`
    return `${place} wants somebody to sign in (${withoutStop(absence.why)}). Ask the user to ${todo}`
  }
  const { error } = absence
  if (error instanceof ServerTrouble && error.kind === 'unauthorized') {
    return `${place} does not accept the credentials that it was given: ${withoutStop(error.message)}.`
  }
  return `${place} cannot be used right now: ${withoutStop(wordsOfError(error))}.`
}

function wordsOfError(error: unknown): string {
  if (error instanceof Refusal) {
    const { detail } = error.notes
    return detail === undefined ? error.rule.says : `${withoutStop(error.rule.says)} (${detail})`
  }
  return error instanceof ServerTrouble ? error.message : innermostWords(error)
}

const withoutStop = (words: string): string => words.replace(/\.$/, '')
