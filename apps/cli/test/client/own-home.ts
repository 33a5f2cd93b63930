import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { chdir, cwd as currentDirectory, stderr, stdout } from 'node:process'
import type { HostPlaces } from '@warder/host-config'
import { onTestFinished } from 'vitest'
import { readInput } from '../../src/command.ts'
import { commands } from '../../src/commands.ts'
import { Problem } from '../../src/problem.ts'

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts')

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A home and a project of its own, and Warder's commands in it. */
export interface OwnHome {
  readonly root: string
  readonly places: HostPlaces
  write(path: string, content: unknown, mode?: number): string
  read(path: string): string
  /** A command in this process: starting the program takes longer than all that it does. */
  warder(argv: readonly string[]): Promise<Ran>
  /** The program itself. */
  program(
    argv: readonly string[],
    options?: { readonly input?: string; readonly env?: Readonly<Record<string, string>> },
  ): Ran
}

export function ownHome(env: Readonly<Record<string, string>> = {}): OwnHome {
  const root = mkdtempSync(join(tmpdir(), 'warder-lists-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const folder of ['home', 'project/.git', 'managed']) mkdirSync(join(root, folder), { recursive: true })
  const [home, cwd] = [join(root, 'home'), join(root, 'project')]
  const surroundings = { HOME: home, PATH: process.env['PATH'] ?? '', ...env }
  return {
    root,
    places: { cwd, home, env: surroundings, platform: process.platform, managedRoot: join(root, 'managed') },
    write(path, content, mode = 0o600) {
      const file = join(root, path)
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2))
      chmodSync(file, mode)
      return file
    },
    read: (path) => readFileSync(join(root, path), 'utf8'),
    warder: (argv) => within(cwd, surroundings, () => runHere(argv)),
    program(argv, { input = '', env: more = {} } = {}) {
      const all = ['--conditions=@warder/source', main, ...argv]
      const options = { cwd, input, encoding: 'utf8', env: { ...surroundings, ...more } } as const
      const ran = spawnSync(process.execPath, all, options)
      return { code: ran.status, out: ran.stdout, err: ran.stderr }
    },
  }
}

async function runHere(argv: readonly string[]): Promise<Ran> {
  const said = { out: '', err: '' }
  const restore = [
    capture(stdout, (text) => {
      said.out += text
    }),
    capture(stderr, (text) => {
      said.err += text
    }),
  ]
  try {
    const command = await commands.find(({ name }) => name === argv[0])!.load()
    return { code: await command.run(readInput(command, argv.slice(1))), ...said }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { code: error.exitCode, out: said.out, err: `${said.err}warder: ${error.message}\n` }
  } finally {
    for (const back of restore) back()
  }
}

function capture(stream: NodeJS.WriteStream, take: (text: string) => void): () => void {
  const { write } = stream
  stream.write = (text: string | Uint8Array) => {
    take(String(text))
    return true
  }
  return () => {
    stream.write = write
  }
}

async function within<T>(
  directory: string,
  env: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const before = { env: { ...process.env }, directory: currentDirectory() }
  const set = (wanted: NodeJS.ProcessEnv): void => {
    for (const name of Object.keys(process.env)) if (!(name in wanted)) delete process.env[name]
    Object.assign(process.env, wanted)
  }
  chdir(directory)
  set(env)
  try {
    return await work()
  } finally {
    set(before.env)
    chdir(before.directory)
  }
}
