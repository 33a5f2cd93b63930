import { setTimeout as delay } from 'node:timers/promises'
import { type Action, actions, type Stand } from './actions.ts'

/** The mixed load. */
export interface Load {
  /** As many at once as `workers`, one after the other, for a time; answers actions a second. */
  runFlat(ms: number, workers: number): Promise<number>
  /** So many a second, however long each takes, until `stop` ends it. */
  runSteadily(rate: number, stop: AbortSignal): Promise<void>
  /** What happened since the last time. */
  takeCounts(): Counts
}

export interface Counts {
  readonly done: ReadonlyMap<string, number>
  /** Not begun, since too many were under way. */
  readonly skipped: number
  /** Milliseconds of each action. */
  readonly latencies: readonly number[]
  /** Of each kind of action the longest, in milliseconds. */
  readonly longest: ReadonlyMap<string, number>
}

const tickMs = 25
const mostAtOnce = 256

export function createLoad(stand: Stand): Load {
  const whole = actions.reduce((sum, { weight }) => sum + weight, 0)
  let [done, skipped, latencies] = [new Map<string, number>(), 0, [] as number[]]
  let longest = new Map<string, number>()
  const running = new Set<Promise<void>>()

  const choose = (): Action => {
    let place = Math.random() * whole
    const chosen = actions.find(({ weight }) => {
      place -= weight
      return place < 0
    })
    return chosen ?? actions[0]!
  }
  const run = async (): Promise<void> => {
    const action = choose()
    const begun = performance.now()
    try {
      await action.run(stand)
    } catch (error) {
      stand.violate(`${action.name}: ${error instanceof Error ? error.stack : String(error)}`)
    }
    const ms = performance.now() - begun
    latencies.push(ms)
    longest.set(action.name, Math.max(ms, longest.get(action.name) ?? 0))
    done.set(action.name, (done.get(action.name) ?? 0) + 1)
  }

  return {
    async runFlat(ms, workers) {
      const end = performance.now() + ms
      let count = 0
      const work = async (): Promise<void> => {
        while (performance.now() < end) {
          await run()
          count += 1
        }
      }
      await Promise.all(Array.from({ length: workers }, work))
      return (count / ms) * 1000
    },
    async runSteadily(rate, stop) {
      const begun = performance.now()
      for (let begunActions = 0; !stop.aborted; ) {
        const due = Math.floor(((performance.now() - begun) / 1000) * rate)
        for (; begunActions < due; begunActions += 1) {
          if (running.size >= mostAtOnce) skipped += 1
          else {
            const one = run()
            running.add(one)
            void one.finally(() => running.delete(one))
          }
        }
        await delay(tickMs)
      }
      await Promise.all(running)
    },
    takeCounts() {
      const counts = { done, skipped, latencies, longest }
      done = new Map()
      skipped = 0
      latencies = []
      longest = new Map()
      return counts
    },
  }
}
