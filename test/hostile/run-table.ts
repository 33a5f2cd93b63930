import type { Feature, Row } from './row.ts'
import { type Result, runRow } from './run-row.ts'
import type { Target } from './target.ts'

/** What became of the table at one target. */
export interface TableRun {
  readonly target: string
  readonly results: readonly Result[]
  /** Rows for features that the target lacks. */
  readonly notApplicable: readonly { readonly id: string; readonly lacks: readonly Feature[] }[]
}

export async function runTable(rows: readonly Row[], target: Target): Promise<TableRun> {
  const results: Result[] = []
  const notApplicable: { id: string; lacks: readonly Feature[] }[] = []
  for (const row of rows) {
    const run = await runRow(row, target)
    if ('lacks' in run) notApplicable.push({ id: row.id, lacks: run.lacks })
    else results.push(...run.results)
  }
  return { target: target.name, results, notApplicable }
}

/** How many of each. */
export function countVerdicts({ results, notApplicable }: TableRun): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { verdict } of results) counts[verdict] = (counts[verdict] ?? 0) + 1
  return { ...counts, 'rows not applicable': notApplicable.length }
}

/** All that is not as the catalogue says, by row and try. */
export function exceptions({ results }: TableRun): Record<string, string> {
  const differ = results.filter(({ verdict }) => verdict !== 'exact')
  return Object.fromEntries(
    differ.map(({ id, what, verdict, observed }) => [`${id} ${what}`, `${verdict}: ${observed}`]),
  )
}
