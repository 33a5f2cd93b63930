/** Bytes that one side writes and another one reads. */
export interface ByteQueue {
  readonly chunks: AsyncIterable<Uint8Array>
  /** Whether there is room for more; where not, `whenRoom` tells once there is. */
  add(bytes: Uint8Array): boolean
  /** Nothing comes any more; what is there already is still read. */
  close(): void
}

const roomBytes = 64 * 1024

export function openQueue(whenRoom: () => void): ByteQueue {
  const waiting: Uint8Array[] = []
  let size = 0
  let isFull = false
  let isClosed = false
  let wake = (): void => undefined

  async function* read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const bytes = waiting.shift()
      if (bytes !== undefined) {
        size -= bytes.byteLength
        yield bytes
      } else if (isClosed) {
        return
      } else {
        const woken = new Promise<void>((resolve) => {
          wake = resolve
        })
        if (isFull) {
          isFull = false
          whenRoom()
        }
        await woken
      }
    }
  }

  return {
    chunks: read(),
    add(bytes) {
      if (isClosed) return false
      waiting.push(bytes)
      size += bytes.byteLength
      isFull = size >= roomBytes
      wake()
      return !isFull
    },
    close() {
      isClosed = true
      wake()
    },
  }
}
