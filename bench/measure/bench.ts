/** One question, asked of Warder and of what stands beside it in the same run. */
export interface Bench {
  /** The file's name. */
  readonly name: string
  readonly question: string
  /** Whether `bench/peers` must be installed. */
  readonly needsPeers?: boolean
  rows(settings: Settings): Promise<readonly Row[]>
}

export interface Settings {
  /** Each round measures everything once, one after the other. */
  readonly rounds: number
  /** For one subject in one round. */
  readonly seconds: number
  /** Tells whoever waits what is going on. */
  say(text: string): void
}

/** What several rounds gave. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

export type Target = { readonly atLeast: number } | { readonly atMost: number }

/** One line of the table. */
export interface Row {
  readonly what: string
  readonly unit: string
  readonly ours: Spread
  /** A peer or a floor. */
  readonly beside: { readonly name: string; readonly measured: Spread; readonly ratio: Spread } | undefined
  /** Of the ratio, or of our own figure where nothing stands beside it. */
  readonly target: Target | undefined
}

/**
 * Makes a row of what the rounds gave. Figures of one place come from the same round, minutes of another load on the machine
 * hit both; so the ratio is the median of the rounds' ratios, not the ratio of medians.
 */
export function compare(given: {
  readonly what: string
  readonly unit: string
  readonly ours: readonly number[]
  readonly beside?: { readonly name: string; readonly rounds: readonly number[] }
  readonly target?: Target
}): Row {
  const { what, unit, ours, beside, target } = given
  return {
    what,
    unit,
    ours: spreadOf(ours),
    beside: beside && {
      name: beside.name,
      measured: spreadOf(beside.rounds),
      ratio: spreadOf(beside.rounds.map((theirs, round) => (ours[round] ?? Number.NaN) / theirs)),
    },
    target,
  }
}

/** Whether a row reaches its target; undefined where it has none. */
export function reaches({ ours, beside, target }: Row): boolean | undefined {
  if (target === undefined) return undefined
  const { median } = beside?.ratio ?? ours
  return 'atLeast' in target ? median >= target.atLeast : median <= target.atMost
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: percentile(sorted, 0.5), low: percentile(sorted, 0), high: percentile(sorted, 1) }
}

/** Of sorted values; between two of them it goes in a straight line. */
export function percentile(sorted: readonly number[], part: number): number {
  const place = (sorted.length - 1) * part
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}
