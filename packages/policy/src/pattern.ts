/** A compiled `match`. `isExact` tells a name from a pattern: names win nothing, the sequence of the file decides. */
export interface Pattern {
  readonly text: string
  readonly isExact: boolean
  matches(value: string): boolean
}

/**
 * Compiles a name or a pattern in which `*` stands for any run of characters, the empty one too. Comparison is by code
 * unit, with no case folding and no Unicode normalization (M09). Works without regular expressions: each piece between two
 * stars is searched once from left to right, so no input makes it backtrack.
 */
export function compilePattern(text: string): Pattern {
  const pieces = text.split('*')
  if (pieces.length === 1) return { text, isExact: true, matches: (value) => value === text }
  const first = pieces[0] ?? ''
  const last = pieces[pieces.length - 1] ?? ''
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '')
  return {
    text,
    isExact: false,
    matches: (value) => {
      if (value.length < first.length + last.length) return false
      if (!value.startsWith(first) || !value.endsWith(last)) return false
      const end = value.length - last.length
      let from = first.length
      for (const piece of middle) {
        const found = value.indexOf(piece, from)
        if (found < 0 || found + piece.length > end) return false
        from = found + piece.length
      }
      return true
    },
  }
}
