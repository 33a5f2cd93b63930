import { join } from 'node:path'
import { type Bench, compare, percentile, type Row, type Settings } from './measure/bench.ts'
import { openCallers } from './measure/call-tools.ts'
import { type Child, startChild } from './measure/child.ts'
import { findFreePort } from './measure/free-port.ts'
import { putLoad } from './measure/load.ts'
import { openSession } from './measure/open-session.ts'
import { startProtected } from './servers/start-protected.ts'

const connections = 4
const server: readonly string[] = [process.execPath, join(import.meta.dirname, 'servers', 'stdio-echo.mjs')]

interface Hosted {
  readonly child: Child
  readonly url: string
  readonly tokens: readonly string[]
  /** When the process was asked to start, by `performance.now()`. */
  readonly begun: number
  stop(): Promise<void>
}

/** Each figure once a round. Milliseconds, microseconds of the hosting process, megabytes of it. */
interface Figures {
  readonly start: number[]
  readonly p50: number[]
  readonly cpu: number[]
  readonly memory: number[]
}

interface Host {
  readonly name: string
  open(): Promise<Hosted>
  readonly figures: Figures
}

/**
 * The same stdio server behind each; one session, calls on four connections. Only Warder asks for a token, decides and keeps a
 * record on the disk; before its first list it also asks the server what it has. CPU and memory are those of the hosting process,
 * without the server.
 */
export default {
  name: 'hosting',
  question: 'What does hosting a stdio server cost beside bridges without authorization?',
  needsPeers: true,
  async rows(settings): Promise<readonly Row[]> {
    const hosts = [
      host('Warder', openWarder),
      peer('supergateway', server.join(' ')),
      peer('mcp-proxy', ...server),
    ]
    for (let round = 0; round <= settings.rounds; round += 1) {
      for (const one of hosts) await measure(one, round, settings)
    }
    return rowsOf(hosts)
  },
} satisfies Bench

const host = (name: string, open: () => Promise<Hosted>): Host => ({
  name,
  open,
  figures: { start: [], p50: [], cpu: [], memory: [] },
})

async function openWarder(): Promise<Hosted> {
  const begun = performance.now()
  const { child, endpoint, tokens, stop, issuerTook } = await startProtected({ run: server })
  // The issuer stands in for one that runs already.
  return { child, url: endpoint, tokens, begun: begun + issuerTook, stop }
}

const peer = (name: 'supergateway' | 'mcp-proxy', ...command: readonly string[]): Host =>
  host(name, async () => {
    const port = await findFreePort()
    const begun = performance.now()
    const child = await startChild({
      program: join(import.meta.dirname, 'peers', `${name}.mjs`),
      args: [String(port), ...command],
    })
    return { child, url: `http://127.0.0.1:${port}/mcp`, tokens: [], begun, stop: () => child.stop() }
  })

async function measure(
  { name, open, figures }: Host,
  round: number,
  { rounds, seconds, say }: Settings,
): Promise<void> {
  say(`${name}, round ${round} of ${rounds}`)
  const { child, url, tokens, begun, stop } = await open()
  try {
    const headers = await openSession(url, tokens[0])
    const start = performance.now() - begun
    const callers = openCallers({ url, count: connections, tokens, headers })
    await putLoad(child, callers.workers, 1)
    const load = await putLoad(child, callers.workers, seconds)
    const memory = (await child.memory()) / 1_000_000
    await callers.close()
    // The first round warms the caches of the disk up.
    if (round === 0) return
    figures.start.push(start)
    figures.p50.push(percentile(load.latencies, 0.5))
    figures.cpu.push(load.cpu)
    figures.memory.push(memory)
  } finally {
    await stop()
  }
}

function rowsOf([ours, ...others]: readonly Host[]): readonly Row[] {
  const row = (what: string, unit: string, of: (figures: Figures) => readonly number[]): readonly Row[] =>
    others.map(({ name, figures }) =>
      compare({
        what,
        unit,
        ours: ours === undefined ? [] : of(ours.figures),
        beside: { name, rounds: of(figures) },
      }),
    )
  return [
    ...row('start to first tool list', 'ms', ({ start }) => start),
    ...row('p50 of a call', 'ms', ({ p50 }) => p50),
    ...row('CPU a call', 'µs', ({ cpu }) => cpu),
    ...row('memory after the calls', 'MB', ({ memory }) => memory),
  ]
}
