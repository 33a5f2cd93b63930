import { execFileSync } from 'node:child_process'
import {
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { everything, startWarder, type WarderProcess } from '../e2e/warder-process.ts'

const root = join(import.meta.dirname, '..', '..')
const rooms = globSync(['packages/*', 'apps/cli'], { cwd: root }).toSorted()

interface Tarball {
  readonly name: string
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

describe('the packages as they are published', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-packed-'))
  const modules = join(directory, 'node_modules')
  let tarballs: readonly Tarball[]

  beforeAll(() => {
    tarballs = rooms.map((room) => pack(join(root, room), directory))
    for (const { name, filename } of tarballs) {
      const target = join(modules, name)
      mkdirSync(target, { recursive: true })
      execFileSync('tar', ['-xzf', join(directory, filename), '-C', target, '--strip-components=1'])
    }
    borrowDependencies(join(root, 'node_modules'), modules)
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test('W01 hold compiled modules and their types, and nothing that runs at install', () => {
    for (const { name, files } of tarballs) {
      const others = files.map(({ path }) => path).filter((path) => !/^dist\/.+\.(js|d\.ts)$/.test(path))
      expect([name, others]).toEqual([name, ['package.json']])
      const manifest = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'))
      expect([name, manifest.scripts]).toEqual([name, undefined])
    }
  })

  test('W02 warder protect starts from them, without any source of ours', async () => {
    const warder: WarderProcess = await startWarder({
      directory,
      program: join(modules, 'warder', 'dist', 'main.js'),
      isPacked: true,
      args: ['--port', '0', '--name', 'everything', '--', process.execPath, everything, 'stdio'],
    })
    expect(warder.proof.filter(({ outcome }) => outcome === 'failed')).toEqual([])
    expect(warder.tools.map(({ name }) => name)).toContain('echo')
    expect(await warder.stop()).toBe(0)
  })
})

function pack(room: string, destination: string): Tarball {
  const said = execFileSync('npm', ['pack', '--json', '--pack-destination', destination], {
    cwd: room,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  // npm 11 answers a list, later ones an object by name.
  const answer: Record<string, Tarball> = JSON.parse(said.toString('utf8'))
  const [tarball] = Object.values(answer)
  if (tarball === undefined) throw new Error(`npm packed nothing in ${room}`)
  return tarball
}

/** Links what others wrote from an installed tree; what is ours comes from the tarballs alone. */
function borrowDependencies(from: string, to: string): void {
  for (const name of readdirSync(from).filter(
    (entry) => !entry.startsWith('.') && entry !== '@warder' && entry !== 'warder',
  )) {
    const target = join(to, name)
    mkdirSync(dirname(target), { recursive: true })
    if (lstatSync(join(from, name)).isSymbolicLink()) continue
    symlinkSync(join(from, name), target)
  }
}
