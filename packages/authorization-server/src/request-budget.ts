import { Refusal } from '@warder/protocol'
import { readPeerKey, readSiteKey } from './peer-key.ts'

/** Takes one request out of the budget of a name, or throws `http.throttled` with the seconds to wait. */
export type TakeBudget = (name: string) => void

interface Limits {
  /** So many at once. */
  readonly burst: number
  /** Then one in so many milliseconds. */
  readonly everyMs: number
  readonly now: () => number
}

const mostNames = 10_000

/** A token bucket for each name, of an address or a host. Memory is bounded: what was not used for the longest time is forgotten. */
function makeRequestBudget({ burst, everyMs, now }: Limits): TakeBudget {
  const buckets = new Map<string, { tokens: number; at: number }>()
  return (name) => {
    const known = buckets.get(name) ?? { tokens: burst, at: now() }
    const tokens = Math.min(burst, known.tokens + Math.max(0, now() - known.at) / everyMs)
    if (tokens < 1) {
      throw new Refusal('http.throttled', { retryAfter: Math.ceil(((1 - tokens) * everyMs) / 1000) })
    }
    buckets.delete(name)
    buckets.set(name, { tokens: tokens - 1, at: now() })
    const oldest = buckets.keys().next()
    if (buckets.size > mostNames && !oldest.done) buckets.delete(oldest.value)
  }
}

/**
 * Registrations of one address: 30 at once, one in two seconds, 500 a day; of an IPv6 network of very many addresses four times as
 * much, after the address, as below.
 */
export function makeRegistrationBudget(now: () => number): TakeBudget {
  const takeNow = makeRequestBudget({ burst: 30, everyMs: 2_000, now })
  const takeToday = makeRequestBudget({ burst: 500, everyMs: 172_800, now })
  const takeOfSiteNow = makeRequestBudget({ burst: 120, everyMs: 500, now })
  const takeOfSiteToday = makeRequestBudget({ burst: 2_000, everyMs: 43_200, now })
  return (address) => {
    takeNow(readPeerKey(address))
    takeToday(readPeerKey(address))
    takeOfSiteNow(readSiteKey(address))
    takeOfSiteToday(readSiteKey(address))
  }
}

/** Takes one fetch of a document out of the budgets of whoever causes it, of the host it goes to, and of this server. */
type TakeFetch = (url: string, address: string) => void

/**
 * Fetches of client documents. The address first: one that has used up its own takes nothing from what others share. What is
 * in the cache, or under way already, costs nothing.
 */
export function makeFetchBudget(now: () => number): TakeFetch {
  const takeOfAddress = makeRequestBudget({ burst: 100, everyMs: 1_000, now })
  const takeOfOrigin = makeRequestBudget({ burst: 200, everyMs: 500, now })
  const takeOfAll = makeRequestBudget({ burst: 500, everyMs: 100, now })
  return (url, address) => {
    takeOfAddress(readPeerKey(address))
    takeOfOrigin(new URL(url).origin)
    takeOfAll('all')
  }
}
