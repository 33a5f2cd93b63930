import type { Principal } from '@warder/policy'
import { LRUCache } from 'lru-cache'

/** What to answer to a call whose scopes are missing. */
export type NextChallenge = 'challenge' | 'explain' | 'renew'

interface Memory {
  readonly since: number
  challenges: number
  explained: boolean
  renewed: boolean
}

const window = 24 * 60 * 60_000
const maxChallenges = 3
const maxRemembered = 10_000

/**
 * Remembers which challenges went out, so that a client does not ask its user for ever: after three equal ones within a day, or
 * when the user said no, the model is told; then one 401 lets the client fetch a token that may be wider by now; then the model
 * is told again. Kept for each user, client and set of scopes, in memory.
 */
export function createRepeatedChallenges(
  now: () => number,
): (principal: Principal, scopes: readonly string[], declined: boolean) => NextChallenge {
  const memories = new LRUCache<string, Memory>({ max: maxRemembered })
  return (principal, scopes, declined) => {
    const { user, client } = principal
    const key = JSON.stringify([user.issuer, user.subject, client.id, ...[...scopes].sort()])
    const known = memories.get(key)
    const memory =
      known !== undefined && now() - known.since < window
        ? known
        : { since: now(), challenges: 0, explained: false, renewed: false }
    memories.set(key, memory)
    return step(memory, declined)
  }
}

function step(memory: Memory, declined: boolean): NextChallenge {
  if (!declined && !memory.explained && memory.challenges < maxChallenges) {
    memory.challenges += 1
    return 'challenge'
  }
  if (memory.explained && !memory.renewed) {
    memory.renewed = true
    return 'renew'
  }
  memory.explained = true
  return 'explain'
}
