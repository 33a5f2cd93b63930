import { negativeTests } from '../negative-tests.ts'
import type { Verdict } from './judge.ts'
import type { TableRun } from './run-table.ts'

/** From good to bad. */
const order: readonly Verdict[] = ['exact', 'secure', 'chose otherwise', 'trouble', 'went through', 'no twin']

/** One line for each number, with the worst that came of its tries at each product; – where the product lacks the feature. */
export function comparison(runs: readonly TableRun[]): string {
  const ids = new Set(runs.flatMap(({ results }) => results.map(({ id }) => id)))
  const lines = negativeTests
    .filter(({ id }) => ids.has(id))
    .map(({ id, severity, title }) => [id, severity, title, ...runs.map((run) => worst(run, id))])
  const head = ['', 'severity', 'what is tried', ...runs.map(({ target }) => target)]
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function worst({ results }: TableRun, id: string): string {
  const verdicts = results.filter((result) => result.id === id).map(({ verdict }) => order.indexOf(verdict))
  return verdicts.length === 0 ? '–' : (order[Math.max(...verdicts)] ?? '')
}
