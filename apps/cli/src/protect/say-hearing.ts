import { messageOf } from '@warder/protocol'
import { note, plain } from '../output.ts'

/** Tells the operator that the database is not heard, with the reason, or that it is again. */
export function sayHearing(trouble?: unknown): void {
  if (trouble === undefined) {
    note('The database answers again.')
    return
  }
  const why = messageOf(trouble)
  note(
    plain(
      `Warning: the database does not answer (${why}). Calls go on for 5 seconds with the policy and the tokens of before; from then on they get 503 until it does.`,
    ),
  )
}
