/**
 * Whether a pattern covers a whole text; `*` is any number of any characters. Takes time by the product of
 * the two lengths at most: a regular expression with many stars would take far longer, and patterns come from
 * checkouts too.
 */
export function globMatches(pattern: string, text: string): boolean {
  let at = 0
  let from = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    if (pattern[from] === '*') {
      star = from++
      resume = at
    } else if (from < pattern.length && pattern[from] === text[at]) {
      from++
      at++
    } else if (star !== -1) {
      from = star + 1
      at = ++resume
    } else return false
  }
  while (pattern[from] === '*') from++
  return from === pattern.length
}
