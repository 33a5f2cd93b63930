import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startEverythingOverHttp } from '../../../test/e2e/warder-process.ts'

const repository = join(import.meta.dirname, '..', '..', '..')

interface Own {
  readonly version: string
  readonly path: string
}
type Find = (own: Own, packaged: () => string | undefined) => string
const { findNode, findTestNode, packagedNode } = (await import(join(repository, 'scripts/install.mjs'))) as {
  findNode: Find
  findTestNode: Find
  packagedNode(directory: string): string | undefined
}

/** A clone in which everything is installed. */
function makeClone(): string {
  const clone = mkdtempSync(join(tmpdir(), 'warder-clone-'))
  cpSync(join(repository, 'scripts'), join(clone, 'scripts'), { recursive: true })
  const lock = join(repository, 'package-lock.json')
  copyFileSync(lock, join(clone, 'package-lock.json'))
  mkdirSync(join(clone, 'node_modules'))
  for (const name of ['apps', 'packages', 'node_modules/@modelcontextprotocol'])
    symlinkSync(join(repository, name), join(clone, name))
  const stamp = createHash('sha256').update(readFileSync(lock)).digest('hex')
  writeFileSync(join(clone, 'node_modules/.warder-installed'), `${stamp} start\n`)
  return clone
}

describe('npm start', () => {
  let clone: string
  let other: { readonly url: string; stop(): Promise<void> }
  beforeAll(async () => {
    clone = makeClone()
    other = await startEverythingOverHttp()
  })
  afterAll(async () => {
    await other.stop()
    rmSync(clone, { recursive: true, force: true })
  })

  /** Its first screen, and what it said beside. */
  async function start(...words: string[]): Promise<{ readonly screen: unknown; readonly said: string }> {
    const args = ['scripts/start.mjs', '--port', '0', '--json', ...words]
    const env = { ...process.env, HOME: clone, XDG_STATE_HOME: join(clone, 'state') }
    const child: ChildProcess = spawn(process.execPath, args, { cwd: clone, env })
    let [out, said] = ['', '']
    child.stdout?.on('data', (chunk) => (out += chunk))
    child.stderr?.on('data', (chunk) => (said += chunk))
    const ended = once(child, 'exit')
    await Promise.race([ended, expect.poll(() => out, { timeout: 30_000 }).toContain('\n')])
    child.kill()
    await ended
    const [line = ''] = out.split('\n')
    if (!line.startsWith('{')) throw new Error(`npm start ${words.join(' ')}: ${said}`)
    return { screen: JSON.parse(line), said }
  }

  const shows = (policy: string, name: string): object => ({ policy, servers: [{ name }] })

  test('the lines of the README work one after the other in one clone', async () => {
    const sample = await start()
    expect(sample.screen).toMatchObject(shows('.cache/sample.yaml', 'everything'))
    expect(existsSync(join(clone, 'warder.yaml'))).toBe(false)
    // What it says to run next finds the sample's state from the root, where there is no warder.yaml.
    expect(sample.said).toContain(`warder owner-link --data ${join(clone, 'state/warder/everything')}`)

    const own = await start('--url', other.url, '--name', 'notes')
    expect(own.screen).toMatchObject(shows('warder.yaml', 'notes'))
    expect(own.said).toMatch(/run in a terminal: warder owner-link$/m)

    // The other way to name it, and the sample once more: neither is in the way of what was written.
    expect((await start('--policy=warder.yaml')).screen).toMatchObject(shows('warder.yaml', 'notes'))
    expect((await start()).screen).toMatchObject(shows('.cache/sample.yaml', 'everything'))
  })
})

describe('the Node that runs it', () => {
  const own = (version: string): Own => ({ version, path: '/own/node' })
  const packaged = (): string => '/packaged/node'
  const none = (): undefined => undefined

  test.each(['22.19.0', '22.23.1', '24.0.0', '26.1.0'])('%s is new enough', (version) => {
    expect(findNode(own(version), packaged)).toBe('/own/node')
    expect(findNode(own(version), none)).toBe('/own/node')
  })

  test.each(['20.20.2', '22.18.0', '23.5.0'])('%s is not: the one of the lock file is taken', (version) => {
    expect(findNode(own(version), packaged)).toBe('/packaged/node')
    expect(() => findNode(own(version), none)).toThrow('install Node 24, or 22.19')
  })

  test('tests run on the one of the lock file where there is one', () => {
    expect(findTestNode(own('26.1.0'), packaged)).toBe('/packaged/node')
    expect(findTestNode(own('26.1.0'), none)).toBe('/own/node')
  })

  test.skipIf(process.platform === 'win32')('one that is made for another C library is none', () => {
    const directory = mkdtempSync(join(tmpdir(), 'warder-node-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    expect(packagedNode(directory)).toBeUndefined()
    const room = join(directory, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin')
    mkdirSync(room, { recursive: true })
    const binary = join(room, 'node')
    writeFileSync(binary, '#!/nowhere/ld-linux.so\n')
    chmodSync(binary, 0o755)
    expect(packagedNode(directory)).toBeUndefined()
    writeFileSync(binary, '#!/bin/sh\necho v24.0.0\n')
    expect(packagedNode(directory)).toBe(binary)
  })
})
