import { setTimeout as delay } from 'node:timers/promises'
import { childrenOf } from '../hosting/processes.ts'
import type { Scene } from './scene.ts'

/** What goes wrong each minute; a call may fail from its beginning until a little after its end. */
export interface Disturbances {
  /** Whether anything was disturbed between that time (ms since the epoch) and now. */
  wasDisturbedSince(time: number): boolean
  /** All faults of a minute, spread over it. */
  runMinute(stop: AbortSignal): Promise<void>
  readonly count: number
}

const settleMs = 5_000

export function createDisturbances(scene: Scene): Disturbances {
  let [underWay, quietAt, count] = [0, 0, 0]

  const disturb = async (fault: () => Promise<unknown> | unknown): Promise<void> => {
    underWay += 1
    count += 1
    try {
      await fault()
    } finally {
      underWay -= 1
      quietAt = Date.now() + settleMs
    }
  }

  const faults: readonly (() => Promise<unknown> | unknown)[] = [
    function killOneChild() {
      const hosted = childrenOf(scene.warder.pid).filter(({ command }) => command.includes('child-program'))
      const unlucky = hosted[Math.floor(Math.random() * hosted.length)]
      if (unlucky !== undefined) process.kill(unlucky.pid, 'SIGKILL')
    },
    () => scene.holdUpstream(2_000),
    async function narrowAndWiden() {
      scene.editPolicy(false)
      await delay(2_500)
      scene.editPolicy(true)
    },
    () => scene.restartUpstream(),
  ]

  return {
    wasDisturbedSince: (time) => underWay > 0 || time < quietAt,
    async runMinute(stop) {
      for (const fault of faults) {
        await delay(11_000, undefined, { signal: stop }).catch(() => undefined)
        if (stop.aborted) return
        await disturb(fault)
      }
    },
    get count() {
      return count
    },
  }
}
