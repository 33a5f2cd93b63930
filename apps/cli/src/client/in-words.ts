/** A length of time as people say it. */
export type Span = string

const units = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
] as const

/** Seconds in the largest unit of which there are at least two: `90 minutes`, `2 hours`, `36 hours`. */
export function spanInWords(seconds: number): Span {
  const [size, unit] = units.find(([one]) => seconds >= one * 2) ?? units[3]
  const count = Math.max(0, Math.round(seconds / size))
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** A moment as a person wants to know it. Both in seconds since 1970. */
export function momentInWords(at: number, now: number): string {
  const clock = new Date(at * 1000)
    .toISOString()
    .replace('T', ' ')
    .replace(/:\d\d\.\d+Z$/, ' UTC')
  return at > now ? `in ${spanInWords(at - now)} (${clock})` : `${spanInWords(now - at)} ago (${clock})`
}
