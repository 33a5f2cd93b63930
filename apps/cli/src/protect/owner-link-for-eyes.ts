import { note } from '../output.ts'
import type { Issuing } from './issuing.ts'

/**
 * A fresh owner link for the first screen, while nobody owns the server. Whoever reads it owns the server, so it goes to a
 * terminal and never to a pipe or a log, where a line tells how to get one.
 */
export async function ownerLinkForEyes(
  issuing: Pick<Issuing, 'ownerLink' | 'hasOwner'>,
  isTerminal: boolean,
  stateWords: string,
): Promise<string | undefined> {
  if (isTerminal) return issuing.ownerLink()
  if (!(await issuing.hasOwner()))
    note(
      `Nobody owns this server yet. For the link that changes it, run in a terminal: warder owner-link${stateWords}`,
    )
  return undefined
}
