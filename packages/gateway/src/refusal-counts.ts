import type { CountRecord } from './decision-record.ts'

type Count = Omit<CountRecord, 'id' | 'at' | 'kind'>

/** Counts refusals by server and reason; writes the first of a minute at once and the rest when the minute is over. */
export interface RefusalCounts {
  count(entry: Omit<Count, 'count'>): void
  /** Writes what is counted so far. */
  close(): void
}

const minute = 60_000

/** Bounded: there are as many counters as servers times reasons, whatever is sent. */
export function createRefusalCounts(write: (count: Count) => void): RefusalCounts {
  /** By server and reason, what has come after the one that was written at once. */
  const counts = new Map<string, Count | undefined>()
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    for (const count of counts.values()) if (count !== undefined) write(count)
    counts.clear()
  }

  return {
    count(entry) {
      const key = `${entry.server}\n${entry.reason}`
      const known = counts.get(key)
      if (known !== undefined) {
        counts.set(key, { ...known, count: known.count + 1 })
      } else if (counts.has(key)) {
        counts.set(key, { ...entry, count: 1 })
      } else {
        counts.set(key, undefined)
        write({ ...entry, count: 1 })
        timer ??= setTimeout(flush, minute).unref()
      }
    },
    close: flush,
  }
}
