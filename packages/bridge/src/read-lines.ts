import type { Readable } from 'node:stream'

const newline = 0x0a

/**
 * Calls `onLine` for each line of a stream, without its line end, and for what stands after the last one. A line of more than `maxBytes` is given once, cut and
 * marked, and the rest of it is thrown away, so that a stream without line ends never fills the memory.
 */
export function readLines(
  stream: Readable,
  maxBytes: number,
  onLine: (line: string, cut: boolean) => void,
): void {
  let parts: Buffer[] = []
  let size = 0
  let skipping = false

  const endLine = (cut: boolean): void => {
    const line = Buffer.concat(parts, size).toString('utf8')
    parts = []
    size = 0
    onLine(cut ? line : line.replace(/\r$/, ''), cut)
  }

  const take = (part: Buffer): void => {
    if (skipping || part.length === 0) return
    const room = maxBytes - size
    parts.push(part.subarray(0, room))
    size += Math.min(part.length, room)
    if (part.length <= room) return
    skipping = true
    endLine(true)
  }

  stream.on('data', (chunk: Buffer) => {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      take(chunk.subarray(start, end))
      if (skipping) skipping = false
      else endLine(false)
      start = end + 1
    }
    take(chunk.subarray(start))
  })
  stream.on('end', () => {
    if (size > 0) endLine(false)
  })
  stream.on('error', () => stream.destroy())
}
