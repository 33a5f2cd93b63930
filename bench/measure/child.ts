import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A program in a process of its own, whose CPU time can be read. */
export interface Child {
  /** What its first line of output said. */
  readonly hello: Readonly<Record<string, unknown>>
  readonly pid: number
  /** Microseconds of CPU that it has used, user and system. */
  cpu(): Promise<number>
  /** Bytes of memory that it holds (resident set). */
  memory(): Promise<number>
  stop(): Promise<void>
}

const reportCpu = join(import.meta.dirname, 'report-cpu.mjs')

/**
 * Starts a program with this Node and waits for its first line, which must be JSON. It ends with this process. TypeScript runs from our
 * sources, and JavaScript with what is published beside it.
 */
export async function startChild(options: {
  readonly program: string
  readonly args?: readonly string[]
  readonly nodeArgs?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}): Promise<Child> {
  const { program, args = [], nodeArgs = [], env = {}, cwd } = options
  const child = spawn(
    process.execPath,
    [
      ...(program.endsWith('.ts') ? ['--conditions=@warder/source'] : []),
      '--disable-warning=ExperimentalWarning',
      `--import=${reportCpu}`,
      ...nodeArgs,
      program,
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env: { ...process.env, ...env }, cwd },
  )
  let errors = ''
  child.stderr?.on('data', (chunk) => {
    errors += chunk
  })
  const ended = once(child, 'exit')
  const first = await Promise.race([firstLine(child), ended.then(([code]) => `ended with ${code}`)])
  if (!first.startsWith('{')) throw new Error(`${program} did not start (${first}):\n${errors}`)
  const ask = async (wanted: 'cpu' | 'memory'): Promise<number> => {
    child.send(wanted)
    const [answer] = (await once(child, 'message')) as [number]
    return answer
  }
  return {
    hello: JSON.parse(first) as Record<string, unknown>,
    pid: child.pid ?? 0,
    cpu: () => ask('cpu'),
    memory: () => ask('memory'),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) return reject(new Error('no output'))
    // Read on to the end: a full pipe would stop the program.
    createInterface({ input: child.stdout }).on('line', resolve)
  })
}
