/** Bytes that come in pieces, joined as they come. */
export interface CollectedBytes {
  readonly size: number
  /** Until the next `add` or `clear`. */
  readonly bytes: Uint8Array<ArrayBufferLike>
  add(piece: Uint8Array): void
  clear(): void
}

/**
 * Joins pieces in one buffer that doubles: many small ones cost no more than their bytes, in time and in memory, as a list of them
 * would. A piece that comes alone is not copied.
 */
export function collectBytes(): CollectedBytes {
  let bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0)
  let size = 0

  /** Never writes into a piece: one that stands here alone has no room for another. */
  const reserve = (wanted: number): void => {
    if (wanted <= bytes.byteLength) return
    const larger = new Uint8Array(Math.max(wanted, 2 * bytes.byteLength))
    larger.set(bytes.subarray(0, size))
    bytes = larger
  }

  return {
    get size() {
      return size
    },
    get bytes() {
      return bytes.subarray(0, size)
    },
    add(piece) {
      if (piece.byteLength === 0) return
      if (size === 0) {
        bytes = piece
      } else {
        reserve(size + piece.byteLength)
        bytes.set(piece, size)
      }
      size += piece.byteLength
    },
    clear() {
      bytes = new Uint8Array(0)
      size = 0
    },
  }
}
