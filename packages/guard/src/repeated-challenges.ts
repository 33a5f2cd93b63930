import type { Principal } from '@warder/policy'
import { LRUCache } from 'lru-cache'

/** What to answer to a call whose scopes are missing. */
export type NextChallenge = 'challenge' | 'explain' | 'renew'

/** What is known of the user's will. */
export interface Will {
  readonly declined: boolean
  /** Whether a refresh brings what is missing; undefined: cannot be told. */
  readonly widened: boolean | undefined
}

interface Memory {
  readonly since: number
  challenges: number
  explained: boolean
  /** The token that was told to renew itself. */
  renewed: string | undefined
}

const window = 24 * 60 * 60_000
const maxChallenges = 3
const maxRemembered = 10_000

/**
 * Remembers which challenges went out, so that a client does not ask its user for ever: after three equal ones within a day, or
 * when the user said no, the model is told. When the user has widened the grant since, one 401 lets the client fetch the wider
 * token; where that cannot be told, the client may try it once. Kept for each user, client and set of scopes, in memory.
 */
export function createRepeatedChallenges(
  now: () => number,
): (principal: Principal, scopes: readonly string[], will: Will) => NextChallenge {
  const memories = new LRUCache<string, Memory>({ max: maxRemembered })
  return (principal, scopes, will) => {
    const { user, client } = principal
    const key = JSON.stringify([user.issuer, user.subject, client.id, ...[...scopes].sort()])
    const known = memories.get(key)
    const memory =
      known !== undefined && now() - known.since < window
        ? known
        : { since: now(), challenges: 0, explained: false, renewed: undefined }
    memories.set(key, memory)
    return step(memory, principal.tokenId, will)
  }
}

function step(memory: Memory, tokenId: string, { declined, widened }: Will): NextChallenge {
  if (widened === false) memory.renewed = undefined
  if (widened === true) {
    // The same token gets the same answer, also when calls overlap; a renewed one that still lacks the scopes is told.
    memory.renewed ??= tokenId
    return memory.renewed === tokenId ? 'renew' : 'explain'
  }
  if (!declined && !memory.explained && memory.challenges < maxChallenges) {
    memory.challenges += 1
    return 'challenge'
  }
  if (widened === undefined && memory.explained && memory.renewed === undefined) {
    memory.renewed = tokenId
    return 'renew'
  }
  memory.explained = true
  return 'explain'
}
