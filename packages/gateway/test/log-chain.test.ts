import { randomBytes } from 'node:crypto'
import { appendFile, mkdir, mkdtemp, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  bodyDigest,
  type DecisionEntry,
  type LogProblem,
  type LogVerification,
  openDecisionLog,
  verifyDecisionLog,
} from '../src/index.ts'
import { slow } from './harness.ts'

const day = 86_400_000
const start = Date.UTC(2026, 10, 20, 12)
const [first, second, third] = [20, 21, 22].map((of) => `decisions-2026-11-${of}.jsonl`) as [
  string,
  string,
  string,
]
const secret = randomBytes(32)
const entry: DecisionEntry = { outcome: 'open', because: 'a row', server: 'notes', method: 'tools/call' }

let dir: string

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'warder-chain-')), 'log')
})

afterEach(async () => {
  await rm(join(dir, '..'), { recursive: true, force: true })
})

/** One log of `days` days with ten records each, written in one go or by a process a day. */
async function writeLog(days = 1, own = secret): Promise<void> {
  for (let at = start; at < start + days * day; at += day) {
    const log = await openDecisionLog(dir, { secret: own, now: () => at })
    for (let index = 0; index < 5; index += 1) {
      const id = await log.recordDecision({ ...entry, target: `t${index}` })
      log.recordOutcome(id, { status: 200, durationMs: 1, bytes: index })
    }
    await log.close()
  }
}

const verify = (checkpoint?: LogVerification['checkpoint']): Promise<LogVerification> =>
  verifyDecisionLog(dir, { secret, ...(checkpoint === undefined ? {} : { checkpoint }) })

async function problems(): Promise<readonly LogProblem[]> {
  return (await verify()).problems
}

async function edit(change: (lines: string[]) => string[], name = first): Promise<void> {
  const lines = (await readFile(join(dir, name), 'latin1')).split('\n').slice(0, -1)
  await writeFile(
    join(dir, name),
    change(lines)
      .map((line) => `${line}\n`)
      .join(''),
  )
}

/** The lines with one of them (1 is the first) made by `make` of what stood there. */
const replaced =
  (line: number, make: (text: string) => string) =>
  (lines: string[]): string[] =>
    lines.with(line - 1, make(lines[line - 1] ?? ''))

test('T03 a log proves itself across processes, restarts and days', async () => {
  await writeLog(3)
  const { checkpoint, ...rest } = await verify()
  expect(rest).toEqual({ files: 3, records: 30, first: 1, problems: [] })
  expect(checkpoint).toEqual({ n: 30, mac: expect.stringMatching(/^[\w-]{22}$/) })
  expect((await verify(checkpoint)).problems).toEqual([])
})

test('T03 a modified line is named, whichever part of it was modified', async () => {
  await writeLog()
  const original = await readFile(join(dir, first))
  const changes: ((text: string) => string)[] = [
    (text) => text.replace('"open"', '"hidden"'),
    (text) => text.replace('"a row"', '"a  row"'),
    (text) => text.replace('{"id"', '{ "id"'),
    (text) => text.replace(/"n":\d+/, '"n":99'),
    (text) => text.replace(/"mac":"./, (start) => start.slice(0, -1) + (start.endsWith('A') ? 'B' : 'A')),
    (text) => text.replace(/"after":"./, (start) => start.slice(0, -1) + (start.endsWith('A') ? 'B' : 'A')),
    (text) => `${text} `,
    () => '',
    () => '{"kind":"decision"}',
  ]
  for (const change of changes) {
    for (const line of [1, 3, 9]) {
      await edit(replaced(line, change))
      const found = await problems()
      // The second of two lines (an outcome) has neither of the first two texts: then nothing was changed, and nothing is found.
      const isChanged = !(await readFile(join(dir, first))).equals(original)
      expect(found, `${change} ${line}`).toEqual(isChanged ? [{ kind: 'altered', file: first, line }] : [])
      expect(isChanged || line % 2 === 0, `${change} ${line}`).toBe(true)
      await writeFile(join(dir, first), original)
    }
  }
  expect(await problems()).toEqual([])
})

test('T03 deleted lines are named by the place where they stood', async () => {
  await writeLog()
  await edit((lines) => lines.toSpliced(4, 2))
  expect(await problems()).toEqual([{ kind: 'missing', file: first, line: 5, from: 5, to: 6 }])
})

test('T03 a line that was never written by this log is named: invented, copied, or of another log', async () => {
  await writeLog()
  await edit((lines) => lines.toSpliced(6, 0, '{"id":"x","kind":"decision","outcome":"open"}'))
  expect(await problems()).toEqual([{ kind: 'inserted', file: first, line: 7 }])
  await edit((lines) => lines.toSpliced(6, 1))
  expect(await problems()).toEqual([])

  for (const copied of [0, 3]) {
    await edit((lines) => lines.toSpliced(6, 0, lines[copied] ?? ''))
    expect(await problems()).toEqual([{ kind: 'moved', file: first, line: 7, from: copied + 1 }])
    await edit((lines) => lines.toSpliced(6, 1))
  }

  const [own, dirBefore] = [await readFile(join(dir, first), 'latin1'), dir]
  dir = join(dir, '..', 'other')
  await writeLog(1, randomBytes(32))
  const foreign = (await readFile(join(dir, first), 'latin1')).split('\n')
  dir = dirBefore
  await writeFile(join(dir, first), own)
  await edit(replaced(4, () => foreign[3] ?? ''))
  expect(await problems()).toEqual([{ kind: 'altered', file: first, line: 4 }])
})

test('T03 lines in another order are named, and none of them counts as missing', async () => {
  await writeLog()
  await edit((lines) => lines.with(3, lines[4] ?? '').with(4, lines[3] ?? ''))
  expect(await problems()).toEqual([{ kind: 'moved', file: first, line: 5, from: 4 }])
})

test('T03 a file taken out, emptied or swapped is named at the first record behind it', async () => {
  await writeLog(3)
  const middle = await readFile(join(dir, second))
  await rm(join(dir, second))
  expect(await problems()).toEqual([{ kind: 'missing', file: third, line: 1, from: 11, to: 20 }])
  await writeFile(join(dir, second), '')
  expect(await problems()).toEqual([{ kind: 'missing', file: third, line: 1, from: 11, to: 20 }])
  await writeFile(join(dir, second), middle)
  await rename(join(dir, third), join(dir, 'x'))
  await rename(join(dir, second), join(dir, third))
  await rename(join(dir, 'x'), join(dir, second))
  const swapped = await problems()
  expect(swapped.map(({ kind }) => kind)).toEqual(Array(10).fill('moved'))
  expect(swapped[0]).toEqual({ kind: 'moved', file: third, line: 1, from: 11 })
})

test('T03 the oldest files may be taken away, and it is said where the log begins', async () => {
  await writeLog(3)
  const { checkpoint } = await verify()
  await rm(join(dir, first))
  expect(await verify(checkpoint)).toMatchObject({ records: 20, first: 11, problems: [] })
  const old = { n: 10, mac: 'A'.repeat(22) }
  expect((await verify(old)).problems).toEqual([{ kind: 'gone', file: third, line: 10, from: 10 }])
})

test('T03 lines cut off at the front of the log are missed, with and without a checkpoint', async () => {
  await writeLog(3)
  const { checkpoint } = await verify()
  await edit((lines) => lines.slice(4))
  const within = { kind: 'missing', file: first, line: 1, to: 4 }
  expect(await problems()).toEqual([within])
  expect((await verify(checkpoint)).problems).toEqual([within])
  await rm(join(dir, first))
  expect(await verify(checkpoint)).toMatchObject({ first: 11, problems: [] })
  await edit((lines) => lines.slice(1), second)
  expect((await verify(checkpoint)).problems).toEqual([{ kind: 'missing', file: second, line: 1, to: 11 }])
  // What stands in front of the cut proves nothing either: not an invented line, nor one that another file began with.
  const begun = (await readFile(join(dir, third), 'latin1')).split('\n')[0] ?? ''
  await edit((lines) => ['{"begins":"x"}', ...lines], second)
  expect(await problems()).toEqual([{ kind: 'altered', file: second, line: 1 }])
  await edit((lines) => [begun, ...lines.slice(1)], second)
  expect((await problems()).map(({ kind }) => kind)).toContain('moved')
})

test('T03 the first record of a file names it, and no other one does', async () => {
  for (const at of [start, start, start + day]) {
    const log = await openDecisionLog(dir, { secret, now: () => at })
    await log.recordDecisions([entry, entry, entry])
    await log.close()
  }
  const begins = async (name: string): Promise<unknown[]> =>
    (await readFile(join(dir, name), 'latin1'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).begins)
  expect(await begins(first)).toEqual([first, ...Array(5).fill(undefined)])
  expect(await begins(second)).toEqual([second, undefined, undefined])
})

test('T03 a log that begins behind lines of somebody else misses nothing', async () => {
  await mkdir(dir, { mode: 0o700 })
  await writeFile(join(dir, first), '{"kind":"decision"}\n', { mode: 0o600 })
  await writeLog()
  expect(await problems()).toEqual([{ kind: 'inserted', file: first, line: 1 }])
})

test('T03 no text inside a record passes for the beginning of a file', async () => {
  const log = await openDecisionLog(dir, { secret, now: () => start })
  const mark = `","begins":"${first}","n":2,"after":"${'A'.repeat(22)}"`
  for (const target of ['t', mark, mark.slice(1)])
    await log.recordDecision({ ...entry, target, because: target })
  await log.close()
  const whole = await readFile(join(dir, first), 'latin1')
  for (const cut of [1, 2]) {
    await edit((lines) => lines.slice(cut))
    expect(await problems()).toEqual([{ kind: 'missing', file: first, line: 1, to: cut }])
    await writeFile(join(dir, first), whole)
  }
  expect(await problems()).toEqual([])
})

test('T03 a tail that was cut off is caught by a checkpoint kept elsewhere, also when the log went on since', async () => {
  await writeLog(2)
  const { checkpoint } = await verify()
  await edit((lines) => lines.slice(0, 7), second)
  expect(await problems()).toEqual([])
  const cut = { kind: 'cut', file: second, line: 7, from: 20 }
  expect((await verify(checkpoint)).problems).toEqual([cut])
  const log = await openDecisionLog(dir, { secret, now: () => start + day })
  for (let index = 0; index < 5; index += 1) await log.recordDecision(entry)
  await log.close()
  expect((await verify()).problems).toEqual([])
  expect((await verify(checkpoint)).problems).toEqual([{ ...cut, line: 12 }])
})

test('T03 a log that was written anew, also by who knows the secret, is caught by a checkpoint', async () => {
  await writeLog()
  const { checkpoint } = await verify()
  await rm(join(dir, first))
  await writeLog()
  expect(await verify()).toMatchObject({ records: 10, problems: [] })
  expect((await verify(checkpoint)).problems).toMatchObject([{ kind: 'cut', from: 10 }])
})

test('T03 a new log behind an old one is said, and is proven from there on', async () => {
  await writeLog()
  const old = await readFile(join(dir, first))
  await rm(join(dir, first))
  await writeLog(2)
  await writeFile(join(dir, first), old)
  const found = await problems()
  // Ten records of one log, then records 11 to 20 of the other one: the first of them follows something else.
  expect(found).toEqual([{ kind: 'other', file: second, line: 1 }])
  const again = await readFile(join(dir, second), 'latin1')
  await rm(join(dir, second))
  await rm(join(dir, first))
  await writeLog()
  await appendFile(join(dir, first), old)
  expect(await problems()).toEqual([{ kind: 'restarted', file: first, line: 11 }])
  expect(again).toContain('"n":11')
})

test('T03 with another secret nothing is proven', async () => {
  await writeLog()
  const { records, problems: found } = await verifyDecisionLog(dir, { secret: randomBytes(32) })
  expect(records).toBe(0)
  expect(found).toHaveLength(10)
})

test('T09 T03 the repair of a torn line keeps the chain, also over midnight', async () => {
  await writeLog()
  await appendFile(join(dir, first), '{"id":"half')
  // What is being written right now is no problem, nor is what a crash has left.
  expect(await problems()).toEqual([])
  await writeLog()
  expect(await verify()).toMatchObject({ records: 21, problems: [] })
  expect(await readFile(join(dir, first), 'latin1')).toContain('"kind":"repair"')

  const { size } = await stat(join(dir, first))
  await truncate(join(dir, first), size - 10)
  const log = await openDecisionLog(dir, { secret, now: () => start + day })
  await log.recordDecision(entry)
  await log.close()
  expect(await readFile(join(dir, second), 'latin1')).toContain('"kind":"repair"')
  expect(await verify()).toMatchObject({ files: 2, records: 22, problems: [] })
})

test('T04 T03 a write that failed leaves the chain whole', async () => {
  let at = start
  const log = await openDecisionLog(dir, { secret, now: () => at })
  await log.recordDecision(entry)
  at += day
  await mkdir(join(dir, second))
  await expect(log.recordDecision(entry)).rejects.toThrow()
  await rm(join(dir, second), { recursive: true })
  await log.recordDecision(entry)
  await log.close()
  expect(await verify()).toMatchObject({ records: 2, problems: [] })
})

test('T03 a file removed while the log is open is missed', async () => {
  const log = await openDecisionLog(dir, { secret, now: () => start })
  await log.recordDecision(entry)
  await log.recordDecision(entry)
  await rm(join(dir, first))
  await log.recordDecision(entry)
  await log.close()
  expect(await verify()).toMatchObject({ first: 3, checkpoint: { n: 3 } })
})

test('T03 a clock that is set back does not write in front of what stands there', async () => {
  await writeLog(2)
  const log = await openDecisionLog(dir, { secret, now: () => start })
  await log.recordDecision(entry)
  await log.close()
  expect(await verify()).toMatchObject({ records: 21, problems: [] })
})

test('T03 a line without end is no burden', slow, async () => {
  await writeLog()
  await appendFile(join(dir, first), `${'x'.repeat(20 * 1024 * 1024)}\n`)
  expect(await problems()).toEqual([{ kind: 'altered', file: first, line: 11 }])
})

test('G39 a log does not start with a secret that is none, and keys of two purposes differ', async () => {
  const weak = [
    new Uint8Array(32),
    Buffer.alloc(32, 'changeme'),
    Buffer.alloc(64, 'secret'),
    randomBytes(31),
    undefined,
    'a'.repeat(32),
  ]
  for (const none of weak)
    await expect(openDecisionLog(dir, { secret: none as Uint8Array })).rejects.toThrow('the secret must')
  const one = bodyDigest(secret)(Buffer.from('x'))
  expect(one).toBe(bodyDigest(Uint8Array.from(secret))(Buffer.from('x')))
  expect(one).not.toBe(bodyDigest(randomBytes(32))(Buffer.from('x')))
  await (await openDecisionLog(dir, { secret })).close()
})
