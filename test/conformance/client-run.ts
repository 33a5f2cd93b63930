import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const modules = join(import.meta.dirname, '../../node_modules')
const suite = join(modules, '@modelcontextprotocol/conformance/dist/index.js')
const program = join(import.meta.dirname, 'client-under-test.ts')
/** Both programs are started some sixty times; what they compile to is kept. */
const env = { ...process.env, NODE_COMPILE_CACHE: join(modules, '.cache/conformance') }

/** How one scenario went. */
export interface ClientRun {
  readonly exitCode: number | null
  /** How many checks went well. */
  readonly succeeded: number
  /** Every other one: its id, outcome and words. */
  readonly others: readonly string[]
  /** What the suite and the client printed. */
  readonly out: string
}

/**
 * Runs one scenario of the official suite against our client (or another program), singly: only then do warnings and the exit code of the client count.
 * Extension scenarios have no revision of their own, and are skipped without `--force`.
 */
export async function runClientScenario(
  scenario: string,
  revision: string,
  client: string = program,
): Promise<ClientRun> {
  const directory = mkdtempSync(join(tmpdir(), 'warder-conformance-'))
  try {
    const command = `${process.execPath} --conditions=@warder/source ${client}`
    const args = ['client', '--command', command, '--scenario', scenario, '--spec-version', revision]
    const child = spawn(process.execPath, [suite, ...args, '--force', '-o', directory], {
      cwd: directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    const take = (chunk: Buffer): void => {
      out += chunk
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve))
    return { exitCode, out, ...readChecks(directory) }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function readChecks(directory: string): Pick<ClientRun, 'succeeded' | 'others'> {
  const checks = globSync('**/checks.json', { cwd: directory }).flatMap(
    (file) =>
      JSON.parse(readFileSync(join(directory, file), 'utf8')) as {
        readonly id: string
        readonly status: string
        readonly errorMessage?: string
      }[],
  )
  const counted = checks.filter(({ status }) => status !== 'INFO')
  return {
    succeeded: counted.filter(({ status }) => status === 'SUCCESS').length,
    others: counted
      .filter(({ status }) => status !== 'SUCCESS')
      .map(({ id, status, errorMessage = '' }) => `${id} ${status} ${errorMessage}`),
  }
}
