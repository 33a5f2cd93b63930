import { setTimeout as wait } from 'node:timers/promises'
import { authorizationSteps } from './authorization-steps.ts'
import { callSteps } from './call-steps.ts'
import { pageSteps } from './page-steps.ts'
import type { Step, StepKind } from './row.ts'
import { fillAll, type Scene } from './scene.ts'

/** What a step saw: the outcome in the words of the catalogue, and everything that came back. */
export interface Seen {
  readonly outcome: string
  readonly all: string
}

export type TakeStep = (scene: Scene, step: Step) => Promise<Seen>

const actorSteps: Readonly<Partial<Record<StepKind, TakeStep>>> = {
  async 'serve document'(scene, { url = '', answer = {} }) {
    scene.target.documents?.serve(scene.fill(url), fillAll(scene, answer) as typeof answer)
    return done
  },
  async 'upstream answers'(scene, { answer }) {
    scene.target.upstream?.answer(answer)
    return done
  },
  async 'rotate keys'({ target }) {
    target.rotateKeys?.()
    return done
  },
  async wait(_scene, { seconds = 1 }) {
    await wait(seconds * 1_000)
    return done
  },
}

const done: Seen = { outcome: 'done', all: '' }

const steps: Readonly<Partial<Record<StepKind, TakeStep>>> = {
  ...authorizationSteps,
  ...pageSteps,
  ...callSteps,
  ...actorSteps,
}

/** Takes a step as often as it says, all at once, and remembers what it brought under its name. */
export async function takeStep(scene: Scene, step: Step): Promise<Seen> {
  const take = steps[step.do]
  if (take === undefined) throw new Error(`no step ${step.do}`)
  const all = await Promise.all(Array.from({ length: step.times ?? 1 }, () => take(scene, step)))
  if (step.as !== undefined)
    for (const name of ['code', 'verifier', 'access', 'refresh', 'client', 'session', 'cursor'])
      scene.values.set(`${step.as}.${name}`, scene.values.get(name) ?? '')
  const text = all.map((seen) => seen.all).join('\n')
  const leaks = step.hides?.filter((hidden) => text.includes(scene.fill(hidden))) ?? []
  if (leaks.length > 0) return { outcome: `leak of ${leaks.map(printable).join(', ')}`, all: text }
  return { outcome: summary(all.map(({ outcome }) => outcome)), all: text }
}

const printable = (text: string): string =>
  text.replace(/[^\x20-\x7e]/gu, (character) => `U+${character.codePointAt(0)?.toString(16)}`)

/** One outcome as it is; of several, how often each came. */
function summary(outcomes: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  if (outcomes.length === 1) return outcomes[0] ?? ''
  return [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([outcome, count]) => `${count} × ${outcome}`)
    .join(', ')
}
