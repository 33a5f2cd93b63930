import { collectBytes } from './collect-bytes.ts'

const lineFeed = 0x0a
const carriageReturn = 0x0d

/**
 * The lines of a body without their ends, which are LF, CR or both. Complete ones only: what stands behind the last line end was
 * never finished. Looked for among the bytes, since no other character of UTF-8 has one of these in it. A line counts until the next one
 * is asked for. `tooLong` is thrown for one of more than `limit` bytes, ended or not.
 */
export async function* readLines(
  body: AsyncIterable<Uint8Array>,
  limit: number,
  tooLong: () => Error,
): AsyncGenerator<Uint8Array> {
  const begun = collectBytes()
  let endedWithReturn = false
  for await (const bytes of body) {
    if (bytes.byteLength === 0) continue
    // The LF of a CR LF that was cut in two belongs to the line that the CR has ended.
    let at = endedWithReturn && bytes[0] === lineFeed ? 1 : 0
    endedWithReturn = bytes[bytes.byteLength - 1] === carriageReturn
    const findEnd = lineEnds(bytes)
    for (let end = findEnd(at); end < bytes.byteLength; end = findEnd(at)) {
      const rest = bytes.subarray(at, end)
      if (begun.size + rest.byteLength > limit) throw tooLong()
      if (begun.size === 0) {
        yield rest
      } else {
        begun.add(rest)
        yield begun.bytes
        begun.clear()
      }
      at = end + (bytes[end] === carriageReturn && bytes[end + 1] === lineFeed ? 2 : 1)
    }
    if (begun.size + bytes.byteLength - at > limit) throw tooLong()
    begun.add(bytes.subarray(at))
  }
}

/** Where the line ends that goes on at a place. Places are asked for in their order, so each byte is looked at once for each end. */
function lineEnds(piece: Uint8Array): (at: number) => number {
  const bytes = searchable(piece)
  const next = (kind: number, at: number): number => {
    const found = bytes.indexOf(kind, at)
    return found === -1 ? bytes.byteLength : found
  }
  let nextFeed = next(lineFeed, 0)
  let nextReturn = next(carriageReturn, 0)
  return (at) => {
    if (nextFeed < at) nextFeed = next(lineFeed, at)
    if (nextReturn < at) nextReturn = next(carriageReturn, at)
    return Math.min(nextFeed, nextReturn)
  }
}

/** The same bytes as a `Buffer` where there is one: it searches them thirty times as fast. */
function searchable(bytes: Uint8Array): Uint8Array {
  const { Buffer } = globalThis as { readonly Buffer?: typeof globalThis.Buffer }
  return Buffer?.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) ?? bytes
}
