import { hasKnocked, hasReachedTool, type Sighting } from './sighting.ts'
import type { Place, Trap } from './trap.ts'

/** What a client made of a trap. `unseen`: it never came, or not far enough to tell. */
export interface Verdict {
  readonly outcome: 'safe' | 'fell' | 'unseen'
  readonly why: string
}

/** Judges by what the server saw; how a client ended, and what it showed, is not seen here. */
export function judge(trap: Trap, seen: readonly Sighting[], place: Place): Verdict {
  const fell = trap.fell(seen, place)
  if (fell !== undefined) return { outcome: 'fell', why: fell }
  if (!hasKnocked(seen)) return { outcome: 'unseen', why: 'no client came' }
  if (trap.isPassable === true && !hasReachedTool(seen))
    return { outcome: 'unseen', why: 'a safe client goes on here; this one did not reach the tool' }
  return { outcome: 'safe', why: trap.safe }
}
