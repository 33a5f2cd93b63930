import { type Bench, type Row, reaches, type Spread } from './bench.ts'

type Format = 'terminal' | 'markdown'

const head = ['what', 'Warder', 'beside it', '', 'ratio (lowest – highest)', 'target', '']

/** One bench as a table to read in a terminal or to paste into a page. */
export function formatTable(
  { name, question }: Pick<Bench, 'name' | 'question'>,
  rows: readonly Row[],
  format: Format,
): string {
  const cells = rows.map(cellsOf)
  if (format === 'markdown') {
    const lines = [head, head.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`)
    return [`### ${name}`, '', question, '', ...lines, ''].join('\n')
  }
  const widths = head.map((_, column) =>
    Math.max(...[head, ...cells].map((line) => line[column]?.length ?? 0)),
  )
  const lines = [head, ...cells].map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [`${name}: ${question}`, '', ...lines, ''].join('\n')
}

function cellsOf(row: Row): string[] {
  const { what, unit, ours, beside, target } = row
  const reached = reaches(row)
  return [
    what,
    `${formatNumber(ours.median)} ${unit}`,
    beside === undefined ? '' : beside.name,
    beside === undefined ? '' : `${formatNumber(beside.measured.median)} ${unit}`,
    formatSpread(beside?.ratio ?? ours),
    target === undefined ? '' : 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`,
    reached === undefined ? '' : reached ? 'met' : 'MISSED',
  ]
}

function formatSpread({ median, low, high }: Spread): string {
  return `${formatNumber(median)} (${formatNumber(low)} – ${formatNumber(high)})`
}

/** Three digits that count. */
function formatNumber(value: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)))
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
