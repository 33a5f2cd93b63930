import { stderr, stdout } from 'node:process'
import { withoutInvisible } from '@warder/protocol'

/** Writes to standard output. */
export function print(text: string): void {
  stdout.write(`${text}\n`)
}

/** Writes to standard error: progress, warnings and errors, so that a pipe gets only results. */
export function note(text: string): void {
  stderr.write(`${text}\n`)
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

const codes: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
}

/** Colours a text when standard output is a terminal that wants colours. */
export function paint(style: Style, text: string): string {
  const wanted =
    stdout.isTTY === true && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb'
  const [on, off] = codes[style]
  return wanted ? `\u001b[${on}m${text}\u001b[${off}m` : text
}

/** A text from elsewhere, fit for a terminal: on one line, without what a terminal obeys or nobody sees. */
export function plain(text: string): string {
  return withoutInvisible(text)
}

/** Notes lines with words from elsewhere: a policy, or what another node says of itself. */
export function notePlain(text: string): void {
  note(text.split('\n').map(plain).join('\n'))
}

/** Aligned columns; the last one is not padded. */
export function table(rows: readonly (readonly string[])[], indent = '  '): string {
  // Colours take no room on the screen.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with one
  const width = (cell: string): number => cell.replace(/\u001b\[\d+m/g, '').length
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map((row) => width(row[column] ?? ''))),
  )
  const padded = (cell: string, column: number): string =>
    cell + ' '.repeat((widths[column] ?? 0) - width(cell) + 2)
  return rows
    .map(
      (row) =>
        indent +
        row.map((cell, column) => (column === row.length - 1 ? cell : padded(cell, column))).join(''),
    )
    .join('\n')
}
