const shortestMs = 100
const longestMs = 60_000

/** How long to wait before a stream is opened again: as the server asks, within what neither storms it nor gives it up. */
export function readRetryDelay(asked: number | undefined, otherwiseMs: number): number {
  return asked === undefined ? otherwiseMs : Math.min(Math.max(asked, shortestMs), longestMs)
}
