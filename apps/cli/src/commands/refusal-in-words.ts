import { Refusal } from '@warder/protocol'
import { Problem } from '../problem.ts'

/** A refusal of what a person typed, as one line for that person. */
export function refusalInWords(error: unknown): never {
  if (!(error instanceof Refusal)) throw error
  if (error.reason === 'password.weak')
    throw new Problem('the password must have between 12 and 1,024 characters.')
  throw new Problem(error.rule.says)
}
