import type { Child } from './child.ts'

/** What a server did in one stretch of load. */
export interface Load {
  readonly perSecond: number
  /** Microseconds of the server's CPU for one operation. */
  readonly cpu: number
  /** Milliseconds of each operation, sorted. */
  readonly latencies: readonly number[]
}

/** Lets each worker repeat its operation, one after the other, until the time is over. */
export async function putLoad(
  child: Child,
  workers: readonly (() => Promise<void>)[],
  seconds: number,
): Promise<Load> {
  const latencies: number[] = []
  const before = await child.cpu()
  const start = performance.now()
  const end = start + seconds * 1000
  await Promise.all(
    workers.map(async (work) => {
      for (let begun = performance.now(); begun < end; ) {
        await work()
        const done = performance.now()
        latencies.push(done - begun)
        begun = done
      }
    }),
  )
  const elapsed = performance.now() - start
  const used = (await child.cpu()) - before
  return {
    perSecond: (latencies.length / elapsed) * 1000,
    cpu: used / latencies.length,
    latencies: latencies.sort((a, b) => a - b),
  }
}
