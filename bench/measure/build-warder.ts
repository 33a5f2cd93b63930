import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
let building: Promise<string> | undefined

/** Compiles Warder as it is published, at most once in this process; answers the program to run. */
export function buildWarder(): Promise<string> {
  building ??= build()
  return building
}

async function build(): Promise<string> {
  const compiler = spawn(process.execPath, [tsc, '-b'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code] = (await once(compiler, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`tsc -b ended with code ${code}`)
  return join(root, 'apps', 'cli', 'dist', 'main.js')
}
