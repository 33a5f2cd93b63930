import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

const root = join(import.meta.dirname, '..', '..')
const main = join(root, 'apps', 'cli', 'src', 'main.ts')

/** The sample server's program, as anybody has it after an install. */
export const everything: string = join(
  root,
  'node_modules/@modelcontextprotocol/server-everything/dist/index.js',
)

const nodeArguments = ['--conditions=@warder/source', '--disable-warning=ExperimentalWarning']

/** What Node is given to run the CLI from its sources. */
export const warderProgram: readonly string[] = [...nodeArguments, main]

/** One protected server, as the first screen shows it. */
export interface ShownServer {
  readonly name: string
  readonly endpoint: string
  readonly proof: readonly { readonly id: string; readonly outcome: string }[]
  readonly tools: readonly { readonly name: string; readonly scope: string | null }[]
}

/** A running `warder protect`; what stands here of a server is of its first one. */
export interface WarderProcess extends ShownServer {
  readonly issuer: string
  readonly servers: readonly ShownServer[]
  readonly pid: number
  /** What it wrote to standard error so far. */
  said(): string
  /** Ends it by a signal and answers the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts `warder protect --json` and waits for its first screen. */
export async function startWarder(options: {
  readonly directory: string
  readonly args: readonly string[]
  /** Another program than the CLI that prints the same screen. */
  readonly program?: string
  /** The program is compiled: it must not find our sources. */
  readonly isPacked?: boolean
  readonly env?: Readonly<Record<string, string>>
}): Promise<WarderProcess> {
  const child = spawn(
    process.execPath,
    [
      ...(options.isPacked === true ? [] : nodeArguments),
      options.program ?? main,
      'protect',
      '--json',
      '--data',
      join(options.directory, 'data'),
      ...options.args,
    ],
    { cwd: options.directory, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.env } },
  )
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += chunk))
  const first = await Promise.race([firstLine(child.stdout), ended.then(([code]) => `ended with ${code}`)])
  if (!first.startsWith('{')) throw new Error(`warder did not start (${first}): ${errors}`)
  const { issuer, servers }: Pick<WarderProcess, 'issuer' | 'servers'> = JSON.parse(first)
  const [shown] = servers
  if (shown === undefined) throw new Error('warder protects nothing')
  return {
    ...shown,
    issuer,
    servers,
    pid: child.pid ?? 0,
    said: () => errors,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      return (await ended)[0]
    },
  }
}

/** Runs another command of the CLI to its end. */
export async function runWarder(
  directory: string,
  args: readonly string[],
  input = '',
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [...nodeArguments, main, ...args], {
    cwd: directory,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  return collect(child, input)
}

/** Runs a command of the CLI in a terminal of its own, as a person does. */
export async function runInTerminal(directory: string, args: readonly string[]): Promise<string> {
  const quoted = [process.execPath, ...nodeArguments, main, ...args].map(
    (word) => `'${word.replaceAll("'", `'\\''`)}'`,
  )
  const child = spawn('script', ['-qec', quoted.join(' '), '/dev/null'], {
    cwd: directory,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  return (await collect(child, '')).out
}

async function collect(
  child: ChildProcess,
  input: string,
): Promise<{ code: number | null; out: string; err: string }> {
  let [out, err] = ['', '']
  child.stdout?.on('data', (chunk) => (out += chunk))
  child.stderr?.on('data', (chunk) => (err += chunk))
  if (input !== '') child.stdin?.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

async function firstLine(stream: Readable): Promise<string> {
  for await (const line of createInterface({ input: stream })) return line
  return 'without a word'
}

/** The sample server over HTTP: a server that is not ours, on a free port. */
export async function startEverythingOverHttp(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const port = await freePort()
  const child = spawn(process.execPath, [everything, 'streamableHttp'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PORT: String(port) },
  })
  const ended = once(child, 'exit')
  for await (const line of createInterface({ input: child.stderr })) if (line.includes('listening')) break
  child.stderr.resume()
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async stop() {
      child.kill()
      await ended
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}
