/** A web stream that is being read. */
export interface OpenChunks {
  readonly chunks: AsyncGenerator<Uint8Array>
  /** Ends the stream at its source, also while somebody waits for the next chunk. */
  cancel(): Promise<void>
}

/**
 * Reads a web stream chunk by chunk; who stops reading cancels it. Not every runtime can iterate over its streams, and a
 * generator that waits cannot be told to return.
 */
export function openChunks(stream: ReadableStream<Uint8Array> | null): OpenChunks {
  const reader = stream?.getReader()
  // A source that fails while it is cancelled has ended as well.
  const cancel = async (): Promise<void> => reader?.cancel().catch(() => undefined)

  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = await reader?.read()
        if (chunk === undefined || chunk.done) return
        yield chunk.value
      }
    } finally {
      await cancel()
    }
  }

  return { chunks: read(), cancel }
}

/** The whole body of a stream, or undefined when it is longer than `limit` bytes; then the rest is not read. */
export async function readBounded(
  stream: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (stream === null) return new Uint8Array()
  // Not by `openChunks`: a generator between reader and reading costs more than a short body does.
  const reader = stream.getReader()
  const parts: Uint8Array[] = []
  let size = 0
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    size += chunk.value.byteLength
    if (size > limit) {
      await reader.cancel().catch(() => undefined)
      return undefined
    }
    parts.push(chunk.value)
  }
  return joinBytes(parts, size)
}

/** The parts, `size` bytes together, on a buffer of their own. */
export function joinBytes(parts: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}
