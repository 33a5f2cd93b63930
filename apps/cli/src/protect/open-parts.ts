/** What a start has opened so far, to be closed in the reverse order however far it came. */
export interface OpenParts {
  /** Adds a part; closes it at once when everything was closed already. */
  add(close: () => unknown): Promise<void>
  closeAll(): Promise<void>
}

export function createOpenParts(): OpenParts {
  const parts: (() => unknown)[] = []
  let closed = false
  return {
    async add(close) {
      if (closed) await close()
      else parts.push(close)
    },
    async closeAll() {
      closed = true
      for (const close of parts.splice(0).reverse()) await close()
    },
  }
}
