import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDecisionLog } from '@warder/gateway'
import { expect, onTestFinished, test, vi } from 'vitest'
import { readInput } from '../src/command.ts'
import { commands } from '../src/commands.ts'
import { Problem } from '../src/problem.ts'

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command of `log` in this process: starting one for each would take longer than all of its work. */
async function log(name: string, ...args: readonly string[]): Promise<Ran> {
  const entry = commands.find((each) => each.name === `log ${name}`)
  const command = await entry?.load()
  if (command === undefined) throw new Error(`there is no log ${name}`)
  const out: string[] = []
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0)
  try {
    const code = await command.run(readInput(command, args))
    return { code, out: out.join(''), err: '' }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { code: error.exitCode, out: out.join(''), err: error.message }
  } finally {
    spy.mockRestore()
  }
}

/** A state directory with three decisions in its log. */
async function stateWithLog(): Promise<{
  readonly data: string
  readonly file: string
  write(): Promise<void>
}> {
  const data = await mkdtemp(join(tmpdir(), 'warder-state-'))
  onTestFinished(() => rm(data, { recursive: true, force: true }))
  const secret = randomBytes(32)
  await writeFile(join(data, 'secret'), secret, { mode: 0o600 })
  await writeFile(join(data, 'warder.sqlite'), '', { mode: 0o600 })
  const write = async (): Promise<void> => {
    const open = await openDecisionLog(join(data, 'log'), { secret })
    for (const target of ['a', 'b', 'c'])
      await open.recordDecision({
        outcome: 'open',
        server: 'notes',
        target,
        body: open.digest(Buffer.from(target)),
      })
    await open.close()
  }
  await write()
  const [name] = await readdir(join(data, 'log'))
  return { data, file: join(data, 'log', name ?? ''), write }
}

test('T03 log verify proves a log, names the line that was touched, and finds a cut end by a checkpoint', async () => {
  const { data, file, write } = await stateWithLog()
  const whole = await log('verify', '--data', data)
  expect(whole).toMatchObject({ code: 0, err: '' })
  expect(whole.out).toContain('whole: 3 records in 1 file')
  const checkpoint = (await log('verify', '--data', data, '--checkpoint')).out.trim()
  expect(checkpoint).toMatch(/^3:[\w-]{22}$/)
  await write()
  expect((await log('verify', '--data', data, '--against', checkpoint)).code).toBe(0)

  const lines = (await readFile(file, 'latin1')).split('\n')
  await writeFile(file, lines.with(1, (lines[1] ?? '').replace('"open"', '"hidden"')).join('\n'))
  const touched = await log('verify', '--data', data)
  expect(touched.code).toBe(1)
  expect(touched.out).toMatch(/^altered +decisions-[\d-]+\.jsonl:2: this line is not the record/)
  expect((await log('verify', '--data', data, '--checkpoint')).code).toBe(1)
  const json = JSON.parse((await log('verify', '--data', data, '--json')).out)
  expect(json).toMatchObject({ records: 5, problems: [{ kind: 'altered', line: 2 }] })

  await writeFile(file, lines.slice(2).join('\n'))
  const front = await log('verify', '--data', data, '--against', checkpoint)
  expect(front.code).toBe(1)
  expect(front.out).toMatch(
    /^missing +decisions-[\d-]+\.jsonl:1: the records of this file .*up to 2, are missing/,
  )

  await writeFile(file, `${lines.slice(0, 2).join('\n')}\n`)
  expect((await log('verify', '--data', data)).code).toBe(0)
  const cut = await log('verify', '--data', data, '--against', checkpoint)
  expect(cut).toMatchObject({ code: 1, out: expect.stringContaining('without record 3 of the checkpoint') })
  expect((await log('verify', '--data', data, '--against', '3:x')).code).toBe(2)
})

test('T03 log verify makes no secret, and says that another one proves nothing', async () => {
  const { data } = await stateWithLog()
  await rm(join(data, 'secret'))
  const without = await log('verify', '--data', data)
  expect(without.err).toContain('has no secret')
  expect(await readdir(data)).not.toContain('secret')
  const other = join(data, 'other')
  await writeFile(other, randomBytes(32), { mode: 0o600 })
  const foreign = await log('verify', '--data', data, '--secret-file', other)
  expect(foreign).toMatchObject({ code: 1, out: expect.stringContaining('nothing proven') })
})

test('M19 log digest prints what the log has for a body', async () => {
  const { data, file } = await stateWithLog()
  await mkdir(join(data, 'requests'))
  await writeFile(join(data, 'requests', 'b'), 'b')
  const { out } = await log('digest', '--data', data, join(data, 'requests', 'b'))
  const records = (await readFile(file, 'latin1')).split('\n').slice(0, -1)
  expect(records.map((line) => JSON.parse(line).body === out.trim())).toEqual([false, true, false])
})
