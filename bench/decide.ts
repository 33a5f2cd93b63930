import { decide, readPolicy } from '@warder/policy'
import { type Bench, compare, type Row } from './measure/bench.ts'
import { type Growth, growPolicy, growths } from './policies/many-rows.ts'

const sizes = [10, 1_000, 100_000] as const

/** In this process, since nothing waits: a decision is a pure function. */
export default {
  name: 'decide',
  question: 'What does a decision cost, and does it grow with the policy?',
  async rows({ rounds, say }): Promise<readonly Row[]> {
    const rows: Row[] = []
    for (const growth of growths) {
      say(growth.name)
      rows.push(...rowsOf(growth, rounds))
    }
    return [...rows, readingRow(rounds)]
  },
} satisfies Bench

function rowsOf(growth: Growth, rounds: number): Row[] {
  const deciders = sizes.map((size) => makeDecider(size, growth))
  const measured = sizes.map((): number[] => [])
  for (let round = 0; round <= rounds; round += 1) {
    deciders.forEach((decideOnce, at) => {
      const median = medianMicroseconds(decideOnce)
      if (round > 0) measured[at]?.push(median)
    })
  }
  const [ten = [], thousand = [], most = []] = measured
  return [
    compare({ what: `p50 at 1,000 ${growth.name}`, unit: 'µs', ours: thousand, target: { atMost: 5 } }),
    compare({
      what: `p50 at 100,000 ${growth.name}`,
      unit: 'µs',
      ours: most,
      beside: { name: 'at 10', rounds: ten },
      target: { atMost: 3 },
    }),
  ]
}

function makeDecider(size: number, growth: Growth): () => void {
  const { policy, who, call } = growPolicy(size, growth)
  const decideOnce = (): void => {
    if (decide(policy, 'notes', who, call).outcome !== 'open') throw new Error(`${growth.name}: not open`)
  }
  // The first one compiles the policy, the others the code.
  for (let time = 0; time < 20_000; time += 1) decideOnce()
  return decideOnce
}

/** Of stretches of twenty, since a clock cannot measure one. */
function medianMicroseconds(once: () => void): number {
  const times = Array.from({ length: 2_000 }, () => {
    const start = performance.now()
    for (let time = 0; time < 20; time += 1) once()
    return ((performance.now() - start) / 20) * 1_000
  })
  return times.sort((a, b) => a - b)[times.length / 2] ?? Number.NaN
}

/** What an edit of a file costs the process that reads it, which does nothing else meanwhile. */
function readingRow(rounds: number): Row {
  const rows = Array.from({ length: 10_000 }, (_, at) => `  - { who: { user: user${at} }, may: [a] }`)
  const text = [
    'version: 1',
    'servers: { notes: { run: [x], scopes: { a: { title: A } }, tools: [{ match: t, scopes: [a] }] } }',
    'access:',
    ...rows,
  ].join('\n')
  const ours = Array.from({ length: rounds }, () => {
    const start = performance.now()
    readPolicy(text)
    return performance.now() - start
  })
  return compare({ what: 'reading a file of 10,000 rows', unit: 'ms', ours })
}
