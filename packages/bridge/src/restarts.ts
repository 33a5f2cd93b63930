import { Refusal } from '@warder/protocol'
import type { BridgeLog } from './log.ts'

/** What happens when children crash again and again. */
export interface RestartRules {
  /** The first restart comes at once, the second one after this time, each further one after twice the time before. */
  readonly backOffMs: number
  /** After so many crashes nothing is started for a while. */
  readonly maxCrashes: number
  /** This long without a crash, and the crashes before are forgotten. */
  readonly windowMs: number
  /** The while; each time that a trial after it crashes, it is twice as long, up to ten minutes. */
  readonly pauseMs: number
}

/** What is used where nothing else is said. */
export const usualRestartRules: RestartRules = {
  backOffMs: 250,
  maxCrashes: 5,
  windowMs: 60_000,
  pauseMs: 30_000,
}

const maxPauseMs = 10 * 60_000

/** The crashes of one host's children, counted by owner: who makes a child crash slows down no other user. */
export interface Restarts {
  /** How many milliseconds to wait before the next start. Throws `upstream.crashing` while there is to be none. */
  checkStart(owner: string): number
  noteCrash(owner: string): void
}

interface History {
  crashes: number
  pauses: number
  /** Before this time nothing is started. */
  until: number
  paused: boolean
}

/** Counts crashes (P09). What it keeps of an owner is forgotten with the window. */
export function createRestarts(rules: RestartRules, log: BridgeLog): Restarts {
  const histories = new Map<string, History>()

  const forgetOld = (now: number): void => {
    for (const [owner, { until }] of histories) if (now - until > rules.windowMs) histories.delete(owner)
  }

  return {
    checkStart: (owner) => {
      const history = histories.get(owner)
      if (history === undefined) return 0
      const wait = history.until - performance.now()
      if (wait > 0 && history.paused) {
        const detail = `it has crashed ${history.crashes} times in a row`
        throw new Refusal('upstream.crashing', { detail, retryAfter: Math.ceil(wait / 1000) })
      }
      return Math.max(0, wait)
    },
    noteCrash: (owner) => {
      const now = performance.now()
      forgetOld(now)
      const history = histories.get(owner) ?? { crashes: 0, pauses: 0, until: 0, paused: false }
      histories.set(owner, history)
      history.crashes += 1
      history.paused = history.crashes >= rules.maxCrashes
      if (history.paused) {
        const pause = Math.min(rules.pauseMs * 2 ** history.pauses, maxPauseMs)
        history.pauses += 1
        history.until = now + pause
        log({ level: 'warn', event: 'child.crash-loop', crashes: history.crashes, pauseMs: pause })
      } else {
        history.until = now + (history.crashes === 1 ? 0 : rules.backOffMs * 2 ** (history.crashes - 2))
      }
    },
  }
}
