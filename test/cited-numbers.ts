import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { rows } from './hostile/rows/index.ts'

const root = join(import.meta.dirname, '..')

/**
 * The numbers of negative tests that tests name, and the folders of these tests: in titles, in tables of cases (where a title is made
 * from one), and as rows of the hostile table.
 */
export function citedNumbers(): ReadonlyMap<string, ReadonlySet<string>> {
  const cited = new Map<string, Set<string>>()
  const add = (id: string, place: string): void => void cited.set(id, (cited.get(id) ?? new Set()).add(place))
  const files = globSync(['packages/*/test/**/*.ts', 'apps/*/test/**/*.ts', 'test/**/*.ts'], {
    cwd: root,
    exclude: [
      '**/node_modules/**',
      'test/negative-tests*.ts',
      // Its keys are rows that another product does not pass.
      'test/hostile/known-differences.ts',
      'test/hostile/rows/*.ts',
      'test/peers/flows*.ts',
    ],
  })
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8')
    for (const id of numbersIn(text)) add(id, dirname(file))
  }
  for (const { id } of rows) add(id, 'test/hostile')
  return cited
}

/** A number counts where it begins a text or follows another number at the beginning: a title, or the name of a case. */
export function numbersIn(text: string): readonly string[] {
  const texts = [
    ...text.matchAll(/(['"`])((?:(?:[A-Z]{1,2}\d{0,2}-)?[A-Z]?\d{2} )*[A-W]\d{2})(?= |\1)/g),
  ].map((match) => match[2] ?? '')
  return texts.flatMap((found) => found.match(/(?<![A-Z0-9-])[A-W]\d{2}\b/g) ?? [])
}
