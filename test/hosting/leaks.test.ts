import { execFile, type StdioOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { createStdioHost } from '@warder/bridge'
import { describe, expect, test } from 'vitest'
import { callTool } from './ask-host.ts'
import { childrenOf, isAlive } from './processes.ts'

const here = import.meta.dirname
const nodeArguments = ['--conditions=@warder/source', '--disable-warning=ExperimentalWarning']
const plain = [process.execPath, join(here, 'plain-server.mjs')]
/** It ignores SIGTERM and the end of its input, and so does what it has started. */
const stubborn = [process.execPath, join(here, '../../packages/bridge/test/children/stubborn-server.mjs')]

const gone = (pids: readonly number[]): ReturnType<typeof expect.poll<number[]>> =>
  expect.poll(() => pids.filter(isAlive), { timeout: 10_000 })

interface Program {
  readonly pid: number
  /** Its children and theirs, as they said themselves. */
  readonly below: readonly number[]
  kill(): Promise<void>
}

const startProgram = async (): Promise<Program> => {
  const args = [...nodeArguments, join(here, 'host-program.ts'), ...stubborn]
  const program = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(program, 'exit')
  const [line] = (await once(createInterface({ input: program.stdout }), 'line')) as [string]
  const kill = async (): Promise<void> => {
    program.kill('SIGKILL')
    await ended
  }
  return { pid: program.pid ?? 0, below: JSON.parse(line), kill }
}

const watchdogsOf = (pid: number): number[] =>
  childrenOf(pid)
    .filter(({ command }) => command.startsWith('/bin/sh'))
    .map((child) => child.pid)

describe.skipIf(process.platform === 'win32')('P07 the end of Warder by SIGKILL', () => {
  test('P07 nothing of it is left: no child, no grandchild, no watchdog; many times', async () => {
    for (let cycle = 0; cycle < 5; cycle++) {
      const program = await startProgram()
      const watchdogs = watchdogsOf(program.pid)
      expect(watchdogs).toHaveLength(1)
      expect(program.below.filter(isAlive)).toHaveLength(4)
      await program.kill()
      await gone([...program.below, ...watchdogs]).toEqual([])
    }
  })

  test('P07 a watchdog that was killed is replaced, and signals that end others do not end it', async () => {
    const program = await startProgram()
    const [first = 0] = watchdogsOf(program.pid)
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(first, signal)
    // One that ends at once is not started again at once; this one has lived.
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    expect(isAlive(first)).toBe(true)
    process.kill(first, 'SIGKILL')
    await expect.poll(() => watchdogsOf(program.pid).filter((pid) => pid !== first)).toHaveLength(1)
    const [second = 0] = watchdogsOf(program.pid)
    await program.kill()
    await gone([...program.below, second]).toEqual([])
  })
})

describe.skipIf(process.platform !== 'linux')('P02 open files', () => {
  test('P02 a child gets none of Warder’s, nor any that Warder got from whoever started it', async () => {
    const program = join(here, 'files-program.ts')
    const file = openSync(program, 'r')
    const stdio = Array.from({ length: 41 }, (_, place) =>
      place === 40 ? file : place < 3 ? 'pipe' : 'ignore',
    )
    const run = (command: string, args: readonly string[]): string =>
      spawnSync(command, args, { stdio: stdio as StdioOptions, encoding: 'utf8' }).stdout
    expect(run('/bin/sh', ['-c', 'readlink /proc/$$/fd/40'])).toContain(program)
    const files = run(process.execPath, [...nodeArguments, program])
    expect(files).toMatch(/fd\/0 (pipe|socket):/)
    expect(files).toMatch(/fd\/40 \/dev\/null/)
    expect(files).not.toContain(program)
    closeSync(file)
  })
})

describe('P07 fifty lives', () => {
  test('P07 no process is left of fifty hosts, closed in order', async () => {
    const before = childrenOf(process.pid).length
    const live = async (): Promise<unknown> => {
      const host = createStdioHost({ command: plain, env: {} })
      const pids = await callTool(host, 'alice', 'any')
      await host.close()
      return pids
    }
    const all: unknown[] = []
    for (let cycle = 0; cycle < 10; cycle++) all.push(...(await Promise.all([1, 2, 3, 4, 5].map(live))))
    const pids = all.flat() as number[]
    expect(new Set(pids).size).toBe(50)
    expect(pids.filter(isAlive)).toEqual([])
    // The watchdog leaves with the last child.
    await expect.poll(() => childrenOf(process.pid).length).toBe(before)
  })
})

describe('N13 two thousand sessions', () => {
  test('N13 leave no memory behind, and never more children than allowed', async () => {
    const args = [...nodeArguments, '--expose-gc', join(here, 'sessions-program.ts'), ...plain]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { first, second, most, atEnd, left } = JSON.parse(stdout)
    // A session that stayed would be some kilobytes: a thousand of them far more than this.
    expect(second - first).toBeLessThan(1024 * 1024)
    expect(most).toBe(4)
    expect(atEnd).toBe(4)
    expect(left).toBe(0)
  })
})
