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
  const counts = new Map<string, { readonly entry: Omit<Count, 'count'>; count: number }>()
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    for (const { entry, count } of counts.values()) if (count > 0) write({ ...entry, count })
    counts.clear()
  }

  return {
    count(entry) {
      const key = `${entry.server}\n${entry.reason}`
      const known = counts.get(key)
      if (known !== undefined) {
        known.count += 1
        return
      }
      write({ ...entry, count: 1 })
      counts.set(key, { entry: { server: entry.server, reason: entry.reason }, count: 0 })
      timer ??= setTimeout(flush, minute).unref()
    },
    close: flush,
  }
}
