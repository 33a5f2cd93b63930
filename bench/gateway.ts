import { join } from 'node:path'
import { type Bench, compare, percentile, type Row, type Settings, type Target } from './measure/bench.ts'
import { type Callers, openCallers } from './measure/call-tools.ts'
import { type Child, startChild } from './measure/child.ts'
import { findFreePort } from './measure/free-port.ts'
import { type Load, putLoad } from './measure/load.ts'
import { startProtected } from './servers/start-protected.ts'

/** Callers at one time, each with one call in progress: the more there are, the more of them share a write and its sync. */
const connections = [16, 64]

/** One way to the same MCP server. */
interface Way {
  readonly name: string
  /** The process whose CPU counts. */
  readonly child: Child
  readonly crowds: readonly Crowd[]
}

/** So many callers of one way, and what they saw. */
interface Crowd {
  readonly callers: Callers
  readonly loads: Load[]
}

/**
 * `warder protect` as a user runs it: token, decision, a record on the disk before each call goes on, and one behind it. The
 * proxy passes bytes on. CPU is that of the process in front; for the direct way it is that of the MCP server itself.
 */
export default {
  name: 'gateway',
  question: 'What does a call through the gateway cost beside a proxy that does nothing?',
  async rows(settings): Promise<readonly Row[]> {
    const stops: (() => Promise<void>)[] = []
    try {
      const ways = await openWays(stops)
      await measure(ways, settings)
      return rowsOf(ways)
    } finally {
      for (const stop of stops.reverse()) await stop()
    }
  },
} satisfies Bench

async function openWays(stops: (() => Promise<void>)[]): Promise<readonly Way[]> {
  const start = async (
    program: string,
    ...args: readonly string[]
  ): Promise<{ child: Child; url: string }> => {
    const port = await findFreePort()
    const child = await startChild({
      program: join(import.meta.dirname, 'servers', program),
      args: [String(port), ...args],
    })
    stops.push(() => child.stop())
    return { child, url: `http://127.0.0.1:${port}/mcp` }
  }
  const direct = await start('http-upstream.ts')
  const proxy = await start('bare-proxy.ts', direct.url)
  const warder = await startProtected({ url: direct.url })
  stops.push(() => warder.stop())
  const open = (name: string, child: Child, url: string, tokens: readonly string[]): Way => {
    const crowds = connections.map((count) => {
      const callers = openCallers({ url, count, tokens })
      stops.push(() => callers.close())
      return { callers, loads: [] }
    })
    return { name, child, crowds }
  }
  return [
    open('Warder', warder.child, warder.endpoint, warder.tokens),
    // The same requests to all, with the token: to pass on or to leave out is their business.
    open('bare proxy', proxy.child, proxy.url, warder.tokens),
    open('direct', direct.child, direct.url, warder.tokens),
  ]
}

async function measure(ways: readonly Way[], { rounds, seconds, say }: Settings): Promise<void> {
  for (let round = 0; round <= rounds; round += 1) {
    for (const [place, count] of connections.entries()) {
      for (const { name, child, crowds } of ways) {
        say(`${name}, ${count} connections, round ${round} of ${rounds}`)
        const { callers, loads } = crowds[place]!
        const load = await putLoad(child, callers.workers, seconds)
        // The first round warms the compiler up.
        if (round > 0) loads.push(load)
      }
    }
  }
}

function rowsOf([ours, ...others]: readonly Way[]): readonly Row[] {
  if (ours === undefined) return []
  return connections.flatMap((count, place) =>
    others.flatMap((other) => {
      const row = (what: string, unit: string, of: (load: Load) => number, target?: Target): Row =>
        compare({
          what: `${count} connections: ${what}`,
          unit,
          ours: ours.crowds[place]!.loads.map(of),
          beside: { name: other.name, rounds: other.crowds[place]!.loads.map(of) },
          ...(target === undefined ? {} : { target }),
        })
      const isProxy = other.name === 'bare proxy'
      return [
        ...(isProxy ? [row('CPU a call', 'µs', ({ cpu }) => cpu, { atMost: 1.5 })] : []),
        row('throughput', '1/s', ({ perSecond }) => perSecond),
        row('p50', 'ms', ({ latencies }) => percentile(latencies, 0.5)),
        row('p99', 'ms', ({ latencies }) => percentile(latencies, 0.99)),
      ]
    }),
  )
}
