import { Refusal } from '@warder/protocol'
import { readPeerKey } from './peer-key.ts'

/** Takes one request out of the budget of an address, or throws `http.throttled` with the seconds to wait. */
export type TakeBudget = (address: string) => void

const mostAddresses = 10_000

/** A token bucket for each peer address: `burst` requests at once, then one in `everyMs`. Memory is bounded. */
export function makeRequestBudget(limits: {
  readonly burst: number
  readonly everyMs: number
  readonly now: () => number
}): TakeBudget {
  const { burst, everyMs, now } = limits
  const buckets = new Map<string, { tokens: number; at: number }>()
  return (address) => {
    const key = readPeerKey(address)
    const known = buckets.get(key) ?? { tokens: burst, at: now() }
    const tokens = Math.min(burst, known.tokens + Math.max(0, now() - known.at) / everyMs)
    if (tokens < 1) {
      throw new Refusal('http.throttled', { retryAfter: Math.ceil(((1 - tokens) * everyMs) / 1000) })
    }
    buckets.delete(key)
    buckets.set(key, { tokens: tokens - 1, at: now() })
    const oldest = buckets.keys().next()
    if (buckets.size > mostAddresses && !oldest.done) buckets.delete(oldest.value)
  }
}
