import type { Input } from './command.ts'
import { Problem } from './problem.ts'

/** The one word that a command takes, or a Problem that says what to write. */
export function oneWord({ words }: Pick<Input, 'words'>, says: string): string {
  const [word] = words
  if (word === undefined || words.length > 1) throw new Problem(says, 2)
  return word
}
