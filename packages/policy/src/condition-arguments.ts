// A loop costs the number of items times the size of what it looks at, so both are bounded.
const maxItems = 1_000
const maxCharacters = 100_000
const maxDepth = 100

/** Why a condition cannot look at the arguments of a call, in words for the log. */
class Unreadable extends Error {}

/**
 * The arguments of a call as a condition sees them: mappings as Maps, so that no key is special. Instead of
 * them the reason why it cannot look at them: they are too large for a condition with loops, or nested too
 * deep for any, or hold names of which a server that folds upper and lower case together takes one for
 * another (M03): two in one mapping, or a name that is one of those that the condition asks for but for its
 * case.
 */
export function makeConditionArguments(
  args: Readonly<Record<string, unknown>>,
  asked: ReadonlySet<string>,
  hasLoop: boolean,
): ReadonlyMap<string, unknown> | string {
  const folded = new Set([...asked].map(fold))
  let items = 0
  let characters = 0

  const copy = (value: unknown, depth: number): unknown => {
    items += 1
    if (typeof value === 'string') characters += value.length
    if (depth > maxDepth || (hasLoop && (items > maxItems || characters > maxCharacters)))
      throw new Unreadable('the arguments are too large for it')
    if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1))
    if (typeof value === 'object' && value !== null) return copyFields(value, depth)
    return value
  }

  const copyFields = (value: object, depth: number): Map<string, unknown> => {
    const fields = new Map<string, unknown>()
    const seen = new Set<string>()
    for (const [name, item] of Object.entries(value)) {
      characters += name.length
      const known = fold(name)
      if (seen.has(known) || (folded.has(known) && !asked.has(name)))
        throw new Unreadable('names of arguments differ only in upper and lower case')
      seen.add(known)
      fields.set(name, copy(item, depth + 1))
    }
    return fields
  }

  try {
    return copyFields(args, 0)
  } catch (error) {
    if (error instanceof Unreadable) return error.message
    throw error
  }
}

/**
 * A name as readers see it that do not tell upper from lower case; for them `\u017f` is an s and `\u212a` a
 * k.
 */
const fold = (name: string): string => name.toUpperCase().toLowerCase()
