import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { runWarder } from '../e2e/warder-process.ts'
import { createActor } from '../faults/actor.ts'
import type { Stand } from './actions.ts'
import { followLog } from './audit.ts'
import { createDisturbances } from './disturb.ts'
import { judge } from './judge.ts'
import { createLoad } from './load.ts'
import { measure } from './measure.ts'
import { openScene } from './scene.ts'
import { createSessions } from './sessions.ts'

/**
 * `npm run soak [-- --minutes N] [--json]`: one real `warder protect` under mixed load at half of what it can do, with faults
 * each minute, and what must hold at the end (V18). Ctrl-C ends it early and shows what was seen so far.
 */
const { values: options } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, json: { type: 'boolean', default: false } },
})
const minutes = Number(options.minutes)
if (!(minutes > 0)) throw new Error('--minutes takes a number')
const say = (line: string): void => void process.stderr.write(`${line}\n`)
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())

const idleMs = 8_000
const sampleMs = 5_000
/** Sessions before the load begins, for each user and server. */
const firstSessions = 2

const scene = await openScene()
const audit = followLog(scene.data)
scene.onUpstreamCall(audit.noteServed)
const disturbances = createDisturbances(scene)
const sessions = createSessions()
const violations: string[] = []
let excused = 0
const violate = (what: string): void => {
  violations.push(what)
  if (violations.length <= 20) say(`VIOLATION ${new Date().toISOString()} ${what}`)
}

const seats = []
for (const user of scene.users) {
  for (const resource of [scene.notes, scene.files]) {
    const actor = await createActor(scene.warder.issuer, resource, user)
    seats.push({ user: user.email, resource, actor })
  }
}
const stand: Stand = {
  scene,
  sessions,
  audit,
  seats,
  wasDisturbedSince: disturbances.wasDisturbedSince,
  violate,
  excuse: () => {
    excused += 1
  },
}
for (const seat of seats) {
  for (let count = 0; count < firstSessions; count += 1) {
    const tokens = await seat.actor.getTokens()
    sessions.add({ ...seat, tokens, issuedAt: Date.now(), isEnding: false })
  }
}

const load = createLoad(stand)
const measured = measure(scene)
const takeNotes = (): void => {
  for (const note of scene.takeNotes()) audit.noteServed(note.slice(note.indexOf(' ') + 1))
}

say('finding out what it can do …')
const capacity = await load.runFlat(Math.min(20_000, minutes * 8_000), 12)
const rate = capacity / 2
load.takeCounts()
takeNotes()
await delay(idleMs)
const before = measured.take()
say(`${capacity.toFixed(0)} actions a second at most; ${rate.toFixed(0)} a second for ${minutes} minutes`)

const begun = Date.now()
const steady = AbortSignal.any([stop.signal, AbortSignal.timeout(minutes * 60_000)])
const loading = load.runSteadily(rate, steady)
const sampler = setInterval(() => measured.take(), sampleMs)
const totals = new Map<string, number>()
const slowest = new Map<string, number>()
let requests = 0
for (let minute = 1; minute <= Math.ceil(minutes) && !steady.aborted; minute += 1) {
  const disturbing = disturbances.runMinute(steady)
  const left = begun + minute * 60_000 - Date.now()
  await delay(Math.max(0, left), undefined, { signal: steady }).catch(() => undefined)
  await disturbing
  report(minute)
}
clearInterval(sampler)
await loading
report()
await delay(idleMs)
takeNotes()
const after = measured.take()
const stateSize = measured.stateSize()
const exitCode = await Promise.race([scene.warder.stop('SIGTERM'), delay(60_000, null)])
await audit.stop()
const verified = await runWarder(scene.data, ['log', 'verify', '--data', scene.data])
const verdicts = judge({
  minutes: (Date.now() - begun) / 60_000,
  requests,
  excused,
  violations,
  audit: audit.compare(true),
  samples: measured.samples,
  idle: { before, after },
  leftovers: measured.leftovers().length,
  exitCode,
  logVerified: verified.code === 0,
})
if (verified.code !== 0) say(verified.out + verified.err)

const facts = {
  minutes: Number(((Date.now() - begun) / 60_000).toFixed(1)),
  capacity: Math.round(capacity),
  rate: Math.round(rate),
  actions: Object.fromEntries(totals),
  slowestMs: Object.fromEntries(slowest),
  faults: disturbances.count,
  stateMb: Number(stateSize.toFixed(1)),
  audit: audit.compare(true),
}
if (options.json) process.stdout.write(`${JSON.stringify({ ...facts, verdicts, violations })}\n`)
else {
  process.stdout.write(`\n${JSON.stringify(facts, undefined, 2)}\n\n`)
  const width = Math.max(...verdicts.map(({ what }) => what.length))
  for (const { what, value, bound, ok } of verdicts)
    process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${what.padEnd(width)}  ${value}  (${bound})\n`)
}
await scene.close()
process.exit(verdicts.every(({ ok }) => ok) ? 0 : 1)

function report(minute?: number): void {
  takeNotes()
  const { done, skipped, latencies, longest } = load.takeCounts()
  for (const [name, ms] of longest) slowest.set(name, Math.max(Math.round(ms), slowest.get(name) ?? 0))
  for (const [name, count] of done) totals.set(name, (totals.get(name) ?? 0) + count)
  const count = latencies.length
  requests += count
  const sum = audit.compare()
  if (minute === undefined) return
  const sorted = latencies.toSorted((a, b) => a - b)
  const [slow = '', ms = 0] = [...longest].toSorted(([, a], [, b]) => b - a)[0] ?? []
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0)
  const sample = measured.take()
  say(
    [
      `minute ${minute}`,
      `${count} actions${skipped > 0 ? ` (${skipped} not begun)` : ''}`,
      `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${ms.toFixed(0)} ms (${slow})`,
      `rss ${sample.rss.toFixed(0)} MB, heap ${sample.heap?.toFixed(1)} MB`,
      `${sample.files} files, ${sample.children} children`,
      `${sum.decided} records, ${sum.unaudited} missing`,
      `${excused} excused, ${violations.length} violations`,
    ].join('; '),
  )
}
