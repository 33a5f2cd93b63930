/**
 * Milliseconds since `then`. A clock that was set back cannot tell how long ago that was: so long that
 * nothing of it counts any more, since nobody may be trusted until the clock has caught up.
 */
export function timeSince(then: number, now: number): number {
  return now < then ? Number.POSITIVE_INFINITY : now - then
}
