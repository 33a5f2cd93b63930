import { isScalar } from 'yaml'
import { compileCondition } from './condition.ts'
import type { Entry, NodeReader, Place } from './read-node.ts'

/** Reads a condition and compiles it once, so that every mistake in it is found when the file is read. */
export function readWhen(reader: NodeReader, entry: Entry | undefined): string | undefined {
  const when = entry && reader.text(entry.value, 'when')
  if (entry === undefined || when === undefined) return undefined
  const read = compileCondition(when)
  if ('message' in read) {
    const place = placeIn(entry.value, when, read.at)
    const where = place === undefined ? ` (at character ${read.at + 1} of the condition)` : ''
    reader.problem(place ?? entry.value, `when: ${read.message}${where}`)
  }
  return when
}

/** Where a character of the text stands in the file; undefined where the text is escaped or folded. */
function placeIn({ node, offset }: Place, text: string, at: number): Place | undefined {
  const range = isScalar(node) ? node.range : undefined
  if (range === undefined || range === null) return undefined
  const length = range[1] - range[0]
  const isQuoted = isScalar(node) && node.type !== 'PLAIN'
  if (length !== text.length + (isQuoted ? 2 : 0)) return undefined
  return { node: null, offset: offset + at + (isQuoted ? 1 : 0) }
}
