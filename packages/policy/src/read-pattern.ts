import type { NodeReader, Place } from './read-node.ts'

/** What a pattern stands for: a name of a tool or prompt, or the URI of a resource. */
export type PatternKind = 'name' | 'uri'

/**
 * Reads an exact name or a pattern with `*`. What looks like a regular expression or a URI template is refused, because it
 * would match nothing that its author had in mind.
 */
export function readPattern(reader: NodeReader, place: Place, kind: PatternKind): string | undefined {
  const pattern = reader.text(place, 'match')
  if (pattern === undefined) return undefined
  const why = unfitPattern(pattern, kind)
  if (why !== undefined) reader.problem(place, `${pattern} cannot be a match: ${why}`)
  return pattern
}

// They make names that look alike. As in `@warder/protocol`, of which this package imports nothing; one table of the tests
// goes through both.
const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u

/** Why the text cannot stand behind `match`; undefined when it can. */
export function unfitPattern(pattern: string, kind: PatternKind): string | undefined {
  if (invisible.test(pattern)) return 'it has invisible characters'
  const star = 'the only wildcard is *, for any run of characters'
  if (kind === 'uri') return /[\^\\|{}<>"\s]/.test(pattern) ? star : undefined
  const isRegex = /^\^|\$$|^\.[*+]|[\\|]/.test(pattern)
  const hasBoth = pattern.includes('*') && /[?+()[\]{}^$]/.test(pattern)
  return isRegex || hasBoth ? star : undefined
}
