import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { childrenOf, isAlive } from '../hosting/processes.ts'
import type { Scene } from './scene.ts'

/** What a process holds at one moment; sizes in MB. */
export interface Sample {
  readonly at: number
  readonly rss: number
  /** After a collection. */
  readonly heap: number | undefined
  /** Without the connections that clients keep open: those are in their hands. */
  readonly files: number
  readonly children: number
}

/** Looks at Warder from outside, again and again. */
export interface Measure {
  take(): Sample
  readonly samples: readonly Sample[]
  /** MB of its state directory. */
  stateSize(): number
  /** The children that it ever had and that still live. */
  leftovers(): readonly number[]
}

const mb = (bytes: number): number => bytes / 1024 / 1024

export function measure(scene: Scene): Measure {
  const { pid } = scene.warder
  const port = Number(new URL(scene.warder.issuer).port)
  const samples: Sample[] = []
  const seen = new Set<number>()
  return {
    samples,
    take() {
      const children = childrenOf(pid)
      for (const child of children) seen.add(child.pid)
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      const memory = scene.readMemory()
      const sample = {
        at: Date.now(),
        rss: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024,
        heap: memory === undefined ? undefined : mb(memory.heapUsed + memory.external),
        files: readdirSync(`/proc/${pid}/fd`).length - connectionsTo(port),
        children: children.length,
      }
      samples.push(sample)
      return sample
    },
    stateSize: () =>
      mb(
        readdirSync(scene.data, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0),
      ),
    leftovers: () => [...seen].filter(isAlive),
  }
}

/** Connections that are open at a port of this machine, by Linux' tables: `local remote state`, in hexadecimal. */
function connectionsTo(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return ['tcp', 'tcp6']
    .flatMap((table) => readFileSync(`/proc/net/${table}`, 'utf8').split('\n'))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, at, , state]) => at?.endsWith(local) === true && state === '01').length
}

/** The slope of a straight line through the values, a value an hour. */
export function slopeAnHour(points: readonly { readonly at: number; readonly value: number }[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(points.map(({ at }) => at)), mean(points.map(({ value }) => value))]
  const above = points.reduce((sum, { at, value }) => sum + (at - x) * (value - y), 0)
  const below = points.reduce((sum, { at }) => sum + (at - x) ** 2, 0)
  return below === 0 ? 0 : (above / below) * 3_600_000
}
