/** As many rows as one statement names: each number of them is a statement of its own, which the database keeps. */
export const chunk = 200

/** The same values, each once, in lists that a statement can name. */
export function* inChunks(values: Iterable<string>): Generator<readonly string[]> {
  const distinct = [...new Set(values)]
  for (let at = 0; at < distinct.length; at += chunk) yield distinct.slice(at, at + chunk)
}
