import { PolicyErrors, policyWarnings, readPolicy } from '@warder/policy'
import type { Command } from '../command.ts'
import { note, print } from '../output.ts'
import { Problem } from '../problem.ts'
import { policyFileOf, readText } from './policy-file.ts'

export const policyCheck: Command = {
  usage: 'policy check [FILE] [--json]',
  options: { json: { says: 'Print one JSON object: file, ok, problems with line and column, warnings' } },
  examples: ['warder policy check', 'warder policy check staging.yaml --json'],
  async run({ words, switches }) {
    if (words.length > 1) throw new Problem('one file at a time: warder policy check warder.yaml', 2)
    const file = policyFileOf(words[0])
    const { problems, warnings } = check(file)
    const ok = problems.length === 0
    if (switches.has('json')) print(JSON.stringify({ file, ok, problems, warnings }))
    else {
      for (const { line, column, message } of problems) note(`${file}:${line}:${column}: ${message}`)
      for (const warning of warnings) note(`Warning: ${warning}`)
      if (ok) print(`${file} is in order.`)
    }
    return ok ? 0 : 1
  },
}

function check(file: string): {
  readonly problems: PolicyErrors['problems']
  readonly warnings: readonly string[]
} {
  try {
    return { problems: [], warnings: policyWarnings(readPolicy(readText(file), file)) }
  } catch (error) {
    if (!(error instanceof PolicyErrors)) throw error
    return { problems: error.problems, warnings: [] }
  }
}
