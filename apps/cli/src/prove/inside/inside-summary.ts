import { paint } from '../../output.ts'
import type { ProofRow } from '../proof.ts'

/** One line about the inside proof of a server, and one more for each attempt that found a hole. */
export function insideSummary(name: string, rows: readonly ProofRow[]): string {
  const count = (outcome: ProofRow['outcome']): number => rows.filter((row) => row.outcome === outcome).length
  const failures = rows.filter(({ outcome }) => outcome === 'failed')
  const said = [
    `${count('passed')} of ${rows.length} attempts with tokens and codes were refused`,
    ...(count('not-applicable') === 0 ? [] : [`${count('not-applicable')} not applicable`]),
    ...(failures.length === 0 ? [] : [paint('red', `${failures.length} failed`)]),
  ]
  return [
    `Inside proof of ${name}: ${said.join(', ')}.${failures.length === 0 ? '' : ' Do not rely on this start:'}`,
    ...failures.map(({ title, says }) => `  ${paint('red', '✗')} ${title}: ${says}`),
  ].join('\n')
}
