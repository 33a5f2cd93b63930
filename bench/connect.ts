import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Bench, compare, percentile, type Row, type Settings } from './measure/bench.ts'
import { buildWarder } from './measure/build-warder.ts'
import { openCallers, toolCall } from './measure/call-tools.ts'
import { startChild } from './measure/child.ts'
import { findFreePort } from './measure/free-port.ts'
import { openSession } from './measure/open-session.ts'

const warmUpCalls = 200
const root = join(import.meta.dirname, '..')
const mcpRemote = join(root, 'node_modules', 'mcp-remote', 'dist', 'proxy.js')
const reportCpu = join(import.meta.dirname, 'measure', 'report-cpu.mjs')
const hello = {
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
}

/** Each figure once a round: milliseconds to the greeting and to the first list, of a call, and megabytes. */
interface Figures {
  readonly greeting: number[]
  readonly start: number[]
  readonly p50: number[]
  readonly memory: number[]
}

interface Bridge {
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  readonly figures: Figures
}

const makeFigures = (): Figures => ({ greeting: [], start: [], p50: [], memory: [] })

/**
 * A host that knows only stdio servers, in front of a small MCP server over HTTP. Both bridges get a bearer
 * token as a header, so that neither asks for a sign-in; one call after the other, as hosts make them.
 */
export default {
  name: 'connect',
  question: 'What does a stdio bridge to a remote server cost beside mcp-remote and no bridge at all?',
  async rows(settings): Promise<readonly Row[]> {
    const port = await findFreePort()
    const server = await startChild({
      program: join(import.meta.dirname, 'servers', 'http-upstream.ts'),
      args: [String(port)],
    })
    const url = `http://127.0.0.1:${port}/mcp`
    const home = mkdtempSync(join(tmpdir(), 'warder-bench-connect-'))
    const header = ['--header', 'Authorization:Bearer token']
    const ours: Bridge = {
      name: 'Warder',
      program: await buildWarder(),
      args: ['connect', url, ...header],
      figures: makeFigures(),
    }
    const theirs: Bridge = {
      name: 'mcp-remote',
      program: mcpRemote,
      args: [url, ...header, '--transport', 'http-only', '--silent'],
      figures: makeFigures(),
    }
    const direct = makeFigures()
    try {
      for (let round = 0; round <= settings.rounds; round += 1) {
        for (const bridge of [ours, theirs]) await measureBridge(bridge, home, round, settings)
        await measureDirect(direct, url, round, settings)
      }
    } finally {
      await server.stop()
      rmSync(home, { recursive: true, force: true })
    }
    return rowsOf(ours.figures, theirs, direct)
  },
} satisfies Bench

function rowsOf(ours: Figures, { name, figures }: Bridge, direct: Figures): readonly Row[] {
  const target = { atMost: 1 }
  const row = (what: string, unit: string, of: (figures: Figures) => readonly number[]): Row =>
    compare({ what, unit, ours: of(ours), beside: { name, rounds: of(figures) }, target })
  return [
    row('start to greeting', 'ms', ({ greeting }) => greeting),
    row('start to first tool list', 'ms', ({ start }) => start),
    row('p50 of a call', 'ms', ({ p50 }) => p50),
    row('memory after the calls', 'MB', ({ memory }) => memory),
    compare({
      what: 'p50 of a call',
      unit: 'ms',
      ours: ours.p50,
      beside: { name: 'no bridge', rounds: direct.p50 },
    }),
  ]
}

async function measureBridge(
  { name, program, args, figures }: Bridge,
  home: string,
  round: number,
  { rounds, seconds, say }: Settings,
): Promise<void> {
  say(`${name}, round ${round} of ${rounds}`)
  const begun = performance.now()
  const child = spawn(process.execPath, [`--import=${reportCpu}`, program, ...args], {
    stdio: ['pipe', 'pipe', 'ignore', 'ipc'],
    env: { PATH: process.env['PATH'], HOME: home, MCP_REMOTE_CONFIG_DIR: home },
  })
  const ended = once(child, 'exit')
  const host = makeHost(child)
  try {
    await host.ask(0, JSON.stringify({ jsonrpc: '2.0', id: 0, ...hello }))
    const greeting = performance.now() - begun
    host.tell({ jsonrpc: '2.0', method: 'notifications/initialized' })
    await host.ask(1, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }))
    const start = performance.now() - begun
    const latencies: number[] = []
    const end = performance.now() + seconds * 1000
    for (let id = 2; performance.now() < end || latencies.length === 0; id += 1) {
      const sent = performance.now()
      const answer = await host.ask(id, toolCall(id))
      if (!answer.includes('quick brown fox')) throw new Error(`${name}: ${answer}`)
      if (id > warmUpCalls) latencies.push(performance.now() - sent)
    }
    const memory = (await memoryOf(child)) / 1_000_000
    // The first round warms the caches of the disk up.
    if (round === 0) return
    figures.greeting.push(greeting)
    figures.start.push(start)
    figures.p50.push(
      percentile(
        latencies.toSorted((a, b) => a - b),
        0.5,
      ),
    )
    figures.memory.push(memory)
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

async function memoryOf(child: ChildProcess): Promise<number> {
  child.send('memory')
  const [answer] = (await once(child, 'message')) as [number]
  return answer
}

/** One question at a time, as far as a bench needs it. */
function makeHost(child: ChildProcess): {
  ask(id: number, line: string): Promise<string>
  tell(message: object): void
} {
  let waiting: { readonly id: number; readonly resolve: (line: string) => void } | undefined
  if (child.stdout === null) throw new Error('no output')
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (waiting === undefined) return
    const { id } = JSON.parse(line) as { id?: number }
    if (id === waiting.id) waiting.resolve(line)
  })
  return {
    ask: (id, line) =>
      new Promise((resolve, reject) => {
        const gone = (): void => reject(new Error('the bridge has ended'))
        child.once('exit', gone)
        waiting = {
          id,
          resolve: (answer) => {
            child.off('exit', gone)
            resolve(answer)
          },
        }
        child.stdin?.write(`${line}\n`)
      }),
    tell: (message) => void child.stdin?.write(`${JSON.stringify(message)}\n`),
  }
}

async function measureDirect(
  figures: Figures,
  url: string,
  round: number,
  { seconds }: Settings,
): Promise<void> {
  const headers = await openSession(url, 'token')
  const callers = openCallers({ url, count: 1, tokens: ['token'], headers })
  const [call] = callers.workers
  const latencies: number[] = []
  const end = performance.now() + seconds * 1000
  for (let count = 0; performance.now() < end || latencies.length === 0; count += 1) {
    const sent = performance.now()
    await call?.()
    if (count > warmUpCalls) latencies.push(performance.now() - sent)
  }
  await callers.close()
  if (round > 0)
    figures.p50.push(
      percentile(
        latencies.toSorted((a, b) => a - b),
        0.5,
      ),
    )
}
