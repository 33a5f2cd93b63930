import { createInterface } from 'node:readline/promises'
import { note } from '../output.ts'
import { Problem } from '../problem.ts'

/**
 * Asks a person at the terminal for a whole `yes`. Where nobody can be asked, a Problem says how to say it
 * beforehand.
 */
export async function askYes(question: string): Promise<void> {
  if (process.stdin.isTTY !== true)
    throw new Problem(
      'nobody can be asked here. Look at what stands above; then say it beforehand, by --yes.',
      2,
    )
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await reader.question(`${question} Type yes: `)
    if (answer.trim().toLowerCase() === 'yes') return
  } finally {
    reader.close()
  }
  note('')
  throw new Problem('nothing was changed.')
}
