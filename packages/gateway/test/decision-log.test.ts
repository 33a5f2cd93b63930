import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, chown, link, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Refusal } from '@warder/protocol'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type DecisionEntry, type LogRecord, openDecisionLog, readDecisionLog } from '../src/index.ts'
import { slow } from './harness.ts'

const at = Date.UTC(2026, 10, 20, 12)
const file = 'decisions-2026-11-20.jsonl'
const now = (): number => at
const secret = randomBytes(32)
const entry: DecisionEntry = { outcome: 'open', because: 'a row', server: 'notes', method: 'tools/call' }

let dir: string

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'warder-log-')), 'log')
})

afterEach(async () => {
  await rm(join(dir, '..'), { recursive: true, force: true })
})

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const result: T[] = []
  for await (const item of items) result.push(item)
  return result
}

async function records(): Promise<LogRecord[]> {
  return await collect(readDecisionLog(dir))
}

const lines = async (name = file): Promise<string[]> =>
  (await readFile(join(dir, name), 'latin1')).split('\n').slice(0, -1)

test('a decision and its outcome are two lines with one id, in a file of the day that only its owner reads', async () => {
  const log = await openDecisionLog(dir, { secret, now })
  const id = await log.recordDecision(entry)
  expect(await records()).toMatchObject([{ id, at: '2026-11-20T12:00:00.000Z', kind: 'decision', ...entry }])
  log.recordOutcome(id, { status: 200, durationMs: 3, bytes: 42 })
  await log.close()
  expect((await records())[1]).toMatchObject({ id, kind: 'outcome', status: 200, bytes: 42 })
  expect((await stat(dir)).mode & 0o777).toBe(0o700)
  expect((await stat(join(dir, file))).mode & 0o777).toBe(0o600)
})

test('decisions that arrive together are all there, each once and in order', async () => {
  const log = await openDecisionLog(dir, { secret, now })
  const ids = await Promise.all(
    Array.from({ length: 500 }, (_, index) => log.recordDecision({ ...entry, target: `t${index}` })),
  )
  expect((await records()).map((record) => record.id)).toEqual(ids)
  await log.close()
})

test('T01 whatever a field holds, a record is one line of printable ASCII that reads back as the record', async () => {
  const log = await openDecisionLog(dir, { secret, now })
  const hostile = [
    'a\r\nb',
    '\u001b[2J\u009b31m',
    '"}\n{"kind":"decision"',
    'x\u2028y\u2029z\u0085',
    '\ud800',
    '\u202eevil',
    '名前',
  ]
  for (const target of hostile) await log.recordDecision({ ...entry, target, because: target })
  await log.recordDecision({ ...entry, target: 'm'.repeat(1_000_000), scopes: Array(5000).fill('s') })
  await log.close()
  const written = await lines()
  expect(written).toHaveLength(hostile.length + 1)
  for (const line of written) expect(line).toMatch(/^[\x20-\x7e]{1,4096}$/)
  const targets = written.map((line) => JSON.parse(line).target)
  expect(targets.slice(0, -1)).toEqual(hostile)
  expect(targets.at(-1)).toBe(`${'m'.repeat(512)}…`)
})

test('T04 while the file cannot be written, decisions are refused; when it can, they are taken again', async () => {
  let time = at
  const log = await openDecisionLog(dir, { secret, now: () => time })
  await log.recordDecision(entry)
  time += 86_400_000
  const next = join(dir, 'decisions-2026-11-21.jsonl')
  await mkdir(next)
  const refused = await log.recordDecision(entry).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(Refusal)
  expect(refused).toMatchObject({ reason: 'log.unavailable', rule: { status: 503 } })
  log.recordOutcome('lost', { status: 200, durationMs: 1, bytes: 1 })
  await expect(log.recordDecision(entry)).rejects.toMatchObject({ reason: 'log.unavailable' })
  await rm(next, { recursive: true })
  const id = await log.recordDecision(entry)
  await log.close()
  const after = (await lines('decisions-2026-11-21.jsonl')).map((line) => JSON.parse(line))
  expect(after).toMatchObject([
    { kind: 'loss', count: 1 },
    { kind: 'decision', id },
  ])
})

test(
  'T04 a disk that takes half a line leaves no half line, and recovers when space returns',
  slow,
  async () => {
    // A file size limit is the full disk that every user can have: the kernel writes up to it, then fails.
    const script = join(import.meta.dirname, 'programs', 'write-log.ts')
    const node = `exec "${process.execPath}" --conditions=@warder/source "${script}" "${dir}"`
    const child = spawn('bash', ['-c', `trap '' XFSZ; ulimit -S -f 2; ${node}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const ask = async (): Promise<string> => {
      child.stdin.write('decide\n')
      return String((await answers.next()).value)
    }
    const first: string[] = []
    for (let answer = await ask(); ; answer = await ask()) {
      first.push(answer)
      if (answer !== 'recorded') break
    }
    expect(first.at(-1)).toBe('log.unavailable')
    expect(first.length).toBeGreaterThan(2)
    expect(await ask()).toBe('log.unavailable')
    const raised = spawn('prlimit', [`--pid=${child.pid}`, '--fsize=unlimited'], { stdio: 'ignore' })
    await once(raised, 'exit')
    expect(await ask()).toBe('recorded')
    child.stdin.end()
    await once(child, 'exit')
    const name = `decisions-${new Date().toISOString().slice(0, 10)}.jsonl`
    const written = await lines(name)
    expect(written.map((line) => JSON.parse(line).kind)).toEqual(Array(first.length).fill('decision'))
  },
)

test('T04 a disk that does not answer for ten seconds refuses who waited so long, and nobody else', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  try {
    const log = await openDecisionLog(dir, { secret, now })
    // No turn of the event loop passes in between, so that no write begins.
    const early = log.recordDecision(entry).catch((error: unknown) => error)
    vi.advanceTimersByTime(4_000)
    const late = log.recordDecision(entry)
    vi.advanceTimersByTime(6_000)
    expect(await early).toMatchObject({ reason: 'log.unavailable', rule: { status: 503 } })
    expect(await late).toEqual(expect.any(String))
    const other = log.recordDecision(entry).catch((error: unknown) => error)
    vi.advanceTimersByTime(9_999)
    const last = log.recordDecision(entry).catch((error: unknown) => error)
    vi.advanceTimersByTime(10_001)
    expect(await Promise.all([other, last])).toMatchObject(Array(2).fill({ reason: 'log.unavailable' }))
    await log.close()
  } finally {
    vi.useRealTimers()
  }
})

test('an outcome is written although nothing comes after it, and with what comes at once, in their order', async () => {
  const log = await openDecisionLog(dir, { secret, now })
  const ids = [await log.recordDecision(entry), await log.recordDecision(entry)]
  log.recordOutcome(ids[0]!, { status: 200, durationMs: 1, bytes: 1 })
  const last = await log.recordDecision(entry)
  expect((await records()).map(({ id, kind }) => [id, kind])).toEqual([
    [ids[0], 'decision'],
    [ids[1], 'decision'],
    [ids[0], 'outcome'],
    [last, 'decision'],
  ])
  log.recordOutcome(ids[1]!, { status: 200, durationMs: 1, bytes: 1 })
  await expect.poll(async () => (await records()).length).toBe(5)
  await log.close()
})

test('T04 a closed log refuses', async () => {
  const log = await openDecisionLog(dir, { secret, now })
  await log.close()
  await expect(log.recordDecision(entry)).rejects.toMatchObject({ reason: 'log.unavailable' })
})

test('T04 a file that somebody removed is made again', async () => {
  const log = await openDecisionLog(dir, { secret, now })
  await log.recordDecision(entry)
  await rm(join(dir, file))
  const id = await log.recordDecision(entry)
  expect(await records()).toMatchObject([{ id }])
  await log.close()
})

test('T07 junk without a token is counted by minute and reason; real records stay lines', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const log = await openDecisionLog(dir, { secret, now })
    for (let index = 0; index < 10_000; index += 1) {
      log.countRefusal({ server: 'notes', reason: 'token.missing', peer: `10.0.0.${index % 250}` })
    }
    log.countRefusal({ server: 'notes', reason: 'token.malformed' })
    await vi.advanceTimersByTimeAsync(60_000)
    log.countRefusal({ server: 'notes', reason: 'token.missing' })
    await log.recordDecision(entry)
    await log.close()
  } finally {
    vi.useRealTimers()
  }
  expect(await records()).toMatchObject([
    { kind: 'count', reason: 'token.missing', count: 1, peer: '10.0.0.0' },
    { kind: 'count', reason: 'token.malformed', count: 1 },
    { kind: 'count', reason: 'token.missing', count: 9_999, peer: '10.0.0.1' },
    { kind: 'count', reason: 'token.missing', count: 1 },
    { kind: 'decision' },
  ])
})

test('T09 a line that a crash left unfinished is taken out and flagged at the next start', async () => {
  const first = await openDecisionLog(dir, { secret, now })
  await first.recordDecision(entry)
  await first.close()
  const whole = await readFile(join(dir, file), 'latin1')
  const partial = whole.slice(0, 40)
  await writeFile(join(dir, file), whole + partial, { mode: 0o600 })
  const second = await openDecisionLog(dir, { secret, now })
  const id = await second.recordDecision(entry)
  await second.close()
  expect(await records()).toMatchObject([
    { kind: 'decision' },
    { kind: 'repair', file, bytes: 40, partial },
    { kind: 'decision', id },
  ])
  expect(await lines()).toHaveLength(3)
  // The positive twin: a file that ends well is left as it is.
  const before = await readFile(join(dir, file), 'latin1')
  await (await openDecisionLog(dir, { secret, now })).close()
  expect(await readFile(join(dir, file), 'latin1')).toBe(before)
})

test('T09 a file that is one unfinished line is repaired too', async () => {
  await mkdir(dir, { mode: 0o700 })
  await writeFile(join(dir, file), 'x'.repeat(200_000), { mode: 0o600 })
  await (await openDecisionLog(dir, { secret, now })).close()
  expect(await records()).toMatchObject([{ kind: 'repair', bytes: 200_000 }])
})

test('T11 a log file that is a link, a hard link or readable by others is refused', async () => {
  await mkdir(dir, { mode: 0o700 })
  const elsewhere = join(dir, '..', 'elsewhere')
  await writeFile(elsewhere, '', { mode: 0o600 })
  await symlink(elsewhere, join(dir, file))
  await expect(openDecisionLog(dir, { secret, now })).rejects.toThrow()
  await rm(join(dir, file))
  await link(elsewhere, join(dir, file))
  await expect(openDecisionLog(dir, { secret, now })).rejects.toThrow('not a plain file')
  await rm(join(dir, file))
  await writeFile(join(dir, file), '', { mode: 0o600 })
  await chmod(join(dir, file), 0o666)
  await expect(openDecisionLog(dir, { secret, now })).rejects.toThrow('by others')
  expect(await readFile(elsewhere, 'latin1')).toBe('')
  await chmod(join(dir, file), 0o600)
  await (await openDecisionLog(dir, { secret, now })).close()
})

test('T11 a log directory that is a link or open to others is refused', async () => {
  const real = join(dir, '..', 'real')
  await mkdir(real, { mode: 0o700 })
  await symlink(real, dir)
  await expect(openDecisionLog(dir, { secret, now })).rejects.toThrow('not a directory')
  await rm(dir)
  await mkdir(dir)
  await chmod(dir, 0o770)
  await expect(openDecisionLog(dir, { secret, now })).rejects.toThrow('by others')
  await chmod(dir, 0o700)
  await (await openDecisionLog(dir, { secret, now })).close()
})

test('following yields new records as they come, across days, each once', slow, async () => {
  let time = at
  const log = await openDecisionLog(dir, { secret, now: () => time })
  await log.recordDecision({ ...entry, target: 'a' })
  await log.recordDecision({ ...entry, target: 'b' })
  const stop = new AbortController()
  const tail = readDecisionLog(dir, { last: 1, follow: true, signal: stop.signal })
  const next = async (): Promise<unknown> => (await tail.next()).value
  expect(await next()).toMatchObject({ target: 'b' })
  await log.recordDecision({ ...entry, target: 'c' })
  expect(await next()).toMatchObject({ target: 'c' })
  time += 86_400_000
  await log.recordDecision({ ...entry, target: 'd' })
  expect(await next()).toMatchObject({ target: 'd' })
  stop.abort()
  expect(await tail.next()).toEqual({ value: undefined, done: true })
  await log.close()
})

test('reading starts after a time where one is given', async () => {
  let time = at
  const log = await openDecisionLog(dir, { secret, now: () => time })
  await log.recordDecision({ ...entry, target: 'a' })
  time += 1000
  await log.recordDecision({ ...entry, target: 'b' })
  await log.close()
  const after = await collect(readDecisionLog(dir, { after: new Date(at).toISOString() }))
  expect(after).toMatchObject([{ target: 'b' }])
})

test('T11 a log directory of another user is refused', async () => {
  let foreign = '/usr'
  if (process.getuid?.() === 0) {
    await mkdir(dir, { mode: 0o700 })
    await chown(dir, 65_534, 65_534)
    foreign = dir
  }
  await expect(openDecisionLog(foreign, { secret, now })).rejects.toThrow('belongs to another user')
})
