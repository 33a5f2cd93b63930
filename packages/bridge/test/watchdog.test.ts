import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { watchdogScript } from '../src/watchdog.ts'

const open: ChildProcess[] = []
afterEach(() => {
  for (const child of open.splice(0)) child.kill('SIGKILL')
})

/** A group of one process, and when it began. */
const startGroup = async (): Promise<{ child: ChildProcess; pid: number; since: number }> => {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
  open.push(child)
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return { child, pid, since: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) }
}

/** What the watchdog does when it was told this and Warder is gone. */
const watch = (...lines: string[]): void => {
  spawnSync('/bin/sh', ['-c', watchdogScript], { input: lines.map((line) => `${line}\n`).join(''), env: {} })
}

describe.runIf(process.platform === 'linux')('P07 the watchdog', () => {
  test('P07 kills the groups that it was told of', async () => {
    const [one, two] = [await startGroup(), await startGroup()]
    const ended = Promise.all([once(one.child, 'exit'), once(two.child, 'exit')])
    watch(`+ ${one.pid} ${one.since}`, `+ ${two.pid} ${two.since}`)
    expect((await ended).map(([, signal]) => signal)).toEqual(['SIGKILL', 'SIGKILL'])
  })

  test('P07 leaves alone what ended before, and a process that has got the number of one that is gone', async () => {
    const [ended, other, meant] = [await startGroup(), await startGroup(), await startGroup()]
    const gone = once(meant.child, 'exit')
    watch(
      `+ ${ended.pid} ${ended.since}`,
      `+ ${meant.pid} ${meant.since}`,
      `- ${ended.pid} ${ended.since}`,
      `+ ${other.pid} ${other.since - 1}`,
    )
    await gone
    expect([ended.child, other.child].map(({ exitCode, signalCode }) => [exitCode, signalCode])).toEqual([
      [null, null],
      [null, null],
    ])
  })

  test('P07 what is no number of a group harms nobody', async () => {
    const bystander = await startGroup()
    watch('+ x y', '+', '- 1', 'rubbish', '+ 99999999 1', `+ ${bystander.pid}; 1`)
    expect(bystander.child.exitCode ?? bystander.child.signalCode).toBeNull()
  })
})
