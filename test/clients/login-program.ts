import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CredentialStore, chooseStore } from '@warder/client'
import { warderProgram } from '../e2e/warder-process.ts'

/** A user account of its own, in which `warder login` and the like run. */
export interface LoginHome {
  readonly directory: string
  readonly env: Readonly<Record<string, string>>
  /** Starts a command; what it says can be read while it runs. */
  start(args: readonly string[], options?: StartOptions): RunningCommand
  /** Runs one to its end. */
  run(args: readonly string[], options?: StartOptions): Promise<EndedCommand>
  /** What the commands have stored. */
  openStore(): Promise<CredentialStore>
  end(): void
}

interface StartOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** In a terminal of its own, where everything that is said is on standard output. */
  readonly inTerminal?: boolean
  /** More arguments for Node. */
  readonly node?: readonly string[]
}

export interface EndedCommand {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface RunningCommand {
  readonly pid: number
  readonly child: ChildProcess
  said(): string
  readonly ended: Promise<EndedCommand>
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/** Makes one with an encrypted store, whose key is in a file. */
export function createLoginHome(): LoginHome {
  const directory = mkdtempSync(join(tmpdir(), 'warder-login-'))
  const [home, keyFile] = [join(directory, 'home'), join(directory, 'key')]
  mkdirSync(home, { mode: 0o700 })
  writeFileSync(keyFile, randomBytes(32).toString('base64'), { mode: 0o600 })
  const env = {
    HOME: home,
    XDG_STATE_HOME: join(home, 'state'),
    PATH: process.env['PATH'] ?? '',
    WARDER_STORE: 'encrypted-file',
    WARDER_STORE_KEY_FILE: keyFile,
  }
  const running = new Set<ChildProcess>()
  const start: LoginHome['start'] = (args, options = {}) => {
    const words = [process.execPath, ...(options.node ?? []), ...warderProgram, ...args]
    const [program = '', ...rest] =
      options.inTerminal === true ? ['script', '-qec', words.map(quoted).join(' '), '/dev/null'] : words
    const child = spawn(program, rest, { cwd: home, env: { ...env, ...options.env } })
    running.add(child)
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (err += chunk))
    if (options.input !== undefined) child.stdin.end(options.input)
    const ended = once(child, 'close').then(([code]) => {
      running.delete(child)
      return { code: code as number | null, out, err }
    })
    return { pid: child.pid ?? 0, child, said: () => (options.inTerminal === true ? out : err), ended }
  }
  return {
    directory,
    env,
    start,
    run: (args, options = {}) => start(args, { input: '', ...options }).ended,
    openStore: () => chooseStore({ env }),
    end() {
      for (const child of running) child.kill('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
