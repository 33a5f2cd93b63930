import { setTimeout as wait } from 'node:timers/promises'
import { fits, judge, type Verdict } from './judge.ts'
import type { Feature, Row, Step } from './row.ts'
import { makeScene, type Scene } from './scene.ts'
import { takeStep } from './take-step.ts'
import type { Target } from './target.ts'

/** What became of one try. */
export interface Result {
  readonly id: string
  readonly what: string
  readonly verdict: Verdict
  readonly observed: string
  readonly expected: readonly string[]
}

/** A row at a target: its results, or what the product lacks for it. */
export type RowRun = { readonly results: readonly Result[] } | { readonly lacks: readonly Feature[] }

/** Runs the positive twin, then each try, one after the other: what a try changes must not help the next one. */
export async function runRow(row: Row, target: Target): Promise<RowRun> {
  const lacks = row.needs.filter((feature) => !target.has.has(feature))
  if (lacks.length > 0) return { lacks }
  const twin = await takeSteps(target, row.good, [row.twin])
  const results: Result[] = []
  for (const { what, steps, expect } of row.tries) {
    const wanted = expect ?? row.expect
    if (!fits(twin.outcome, row.twin)) {
      results.push({ id: row.id, what, expected: wanted, verdict: 'no twin', observed: twin.outcome })
      continue
    }
    const taken = await takeSteps(target, steps, wanted)
    const { outcome, expected } = taken
    const judged = expected === undefined ? 'no twin' : judge(outcome, expected, row.isChoice === true)
    const isRefused = judged === 'exact' || judged === 'secure'
    const trouble = isRefused ? await findTrouble(row, target, taken) : []
    const verdict = trouble.length > 0 ? 'trouble' : judged
    const observed = [outcome, ...trouble].join('; ')
    results.push({ id: row.id, what, expected: expected ?? wanted, verdict, observed })
  }
  return { results }
}

interface Taken {
  readonly scene: Scene
  readonly outcome: string
  /** What the step that decides got to see. */
  readonly all: string
  /** How that step had to end; undefined where one before it failed that has to succeed, so that nothing is proved. */
  readonly expected: readonly string[] | undefined
  /** How things stood before that step. */
  readonly before: Counts
}

/** The last step decides, or one before it that has an outcome of its own to meet and does not. */
async function takeSteps(target: Target, steps: readonly Step[], last: readonly string[]): Promise<Taken> {
  const scene = makeScene(target)
  try {
    for (const [place, step] of steps.entries()) {
      const before = counts(target)
      const { outcome, all } = await takeStep(scene, step)
      const isLast = place === steps.length - 1
      const expected = step.expect ?? (isLast ? last : succeeded)
      if (isLast) return { scene, outcome, all, expected, before }
      if (expected.some((one) => fits(outcome, one))) continue
      const said = step.expect === undefined ? `${step.do}: ${outcome}` : outcome
      return { scene, outcome: said, all, expected: step.expect, before }
    }
  } finally {
    target.upstream?.answer(undefined)
  }
  throw new Error('a try without steps')
}

const succeeded = ['done', 'sign in', 'code', 'page 200', '200', '201', '202']

interface Counts {
  readonly hits: number
  readonly fetches: number
  readonly keyFetches: number
  readonly refusals: number | undefined
}

const counts = (target: Target): Counts => ({
  hits: target.upstream?.hits() ?? 0,
  fetches: target.documents?.hits() ?? 0,
  keyFetches: target.keyFetches?.() ?? 0,
  refusals: target.refusals?.(),
})

/** What holds of every negative test: nothing reached the upstream, it is on record, and the answer gives nothing away. */
async function findTrouble(row: Row, target: Target, taken: Taken): Promise<string[]> {
  const { scene, all, before, outcome } = taken
  const now = counts(target)
  const trouble: string[] = []
  if (row.reachesUpstream !== true && now.hits > before.hits) trouble.push('reached the upstream')
  if (row.fetches !== undefined && now.fetches - before.fetches > row.fetches)
    trouble.push(`fetched ${now.fetches - before.fetches} documents`)
  if (row.keyFetches !== undefined && now.keyFetches - before.keyFetches > row.keyFetches)
    trouble.push(`fetched keys ${now.keyFetches - before.keyFetches} times`)
  if (/^(\d+ × )?(4|RS4|HM|page 4|redirect |tool error|200 -32)/.test(outcome)) {
    if (scene.secrets().some((secret) => secret !== '' && all.includes(secret)))
      trouble.push('repeats a secret')
    if (/^\s+at .+:\d+:\d+\)?$/m.test(all) || /node_modules|node:internal/.test(all))
      trouble.push('stack trace')
  }
  if (isDecided(row, outcome) && !(await isOnRecord(target, before.refusals)))
    trouble.push('no decision record')
  return trouble
}

/** The gateway knew who called, read the message, and said no: that must be on record. Strangers are counted by the minute. */
const isDecided = (row: Row, outcome: string): boolean =>
  /^[GLMNOR]/.test(row.id) &&
  row.reachesUpstream !== true &&
  /^(HM|400 -|RS403|404 -|413|415|200 -32|tool error)/.test(outcome)

/** A record of what went wrong behind the decision may follow the answer. */
async function isOnRecord(target: Target, before: number | undefined): Promise<boolean> {
  if (target.refusals === undefined || before === undefined) return true
  for (let look = 0; look < 200; look += 1) {
    if (target.refusals() > before) return true
    await wait(25)
  }
  return false
}
