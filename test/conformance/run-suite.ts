import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const modules = join(import.meta.dirname, '../../node_modules')
const program = join(modules, '@modelcontextprotocol/conformance/dist/index.js')
/** The program is started some eighty times; what it compiles to is kept. */
const env = { ...process.env, NODE_COMPILE_CACHE: join(modules, '.cache/conformance') }

/** One check of a scenario: its id and outcome, such as `tools-list SUCCESS`. */
export type Check = string

export interface Run {
  readonly exitCode: number | null
  readonly out: string
  /** By scenario. What the suite only notes (`INFO`) is left out. */
  readonly checks: ReadonlyMap<string, readonly Check[]>
}

/**
 * Runs the official conformance suite's own program, in a directory of its own, and reads the checks that it wrote. Where it
 * prints an authorization URL and waits for a person, `follow` is that person.
 */
export async function runSuite(
  args: readonly string[],
  follow?: (authorizationUrl: string) => Promise<void>,
): Promise<Run> {
  const directory = mkdtempSync(join(tmpdir(), 'warder-conformance-'))
  try {
    const child = spawn(process.execPath, [program, ...args, '-o', directory], {
      cwd: directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    let following: Promise<void> | undefined
    const take = (chunk: Buffer): void => {
      out += chunk
      const url = /^http\S+\/authorize\?\S+(?=\n)/m.exec(out)?.[0]
      if (url === undefined || following !== undefined) return
      following = follow?.(url)
      // Nobody else would end its waiting.
      following?.catch(() => child.kill())
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve))
    await following
    return { exitCode, out, checks: readChecks(directory) }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function readChecks(directory: string): Map<string, readonly Check[]> {
  const found = new Map<string, readonly Check[]>()
  for (const name of readdirSync(directory)) {
    const scenario = /^(?:server|authorization-server)-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name)?.[1]
    if (scenario === undefined) throw new Error(`what is ${name}?`)
    const checks = JSON.parse(readFileSync(join(directory, name, 'checks.json'), 'utf8')) as {
      readonly id: string
      readonly status: string
    }[]
    found.set(
      scenario,
      checks.filter(({ status }) => status !== 'INFO').map(({ id, status }) => `${id} ${status}`),
    )
  }
  return found
}
