/** A compiled `match`. `isExact` tells a name from a pattern: names win nothing, the sequence of the file decides. */
export interface Pattern {
  readonly text: string
  readonly isExact: boolean
  /** What stands before the first star and after the last one; of a name, all of it and nothing. */
  readonly start: string
  readonly end: string
  matches(value: string): boolean
}

/**
 * Compiles a name or a pattern in which `*` stands for any run of characters, the empty one too. Comparison is by code
 * unit, with no case folding and no Unicode normalization (M09). Works without regular expressions: each piece between two
 * stars is searched once from left to right, so no input makes it backtrack.
 */
export function compilePattern(text: string): Pattern {
  const pieces = text.split('*')
  if (pieces.length === 1)
    return { text, isExact: true, start: text, end: '', matches: (value) => value === text }
  const start = pieces[0] ?? ''
  const end = pieces[pieces.length - 1] ?? ''
  const middle = pieces.slice(1, -1)
  return {
    text,
    isExact: false,
    start,
    end,
    matches: (value) => {
      if (value.length < start.length + end.length) return false
      if (!value.startsWith(start) || !value.endsWith(end)) return false
      const to = value.length - end.length
      let from = start.length
      for (const piece of middle) {
        const found = value.indexOf(piece, from)
        if (found < 0 || found + piece.length > to) return false
        from = found + piece.length
      }
      return true
    },
  }
}
