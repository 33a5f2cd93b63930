/** What a start has opened so far, to be closed in the reverse order however far it came. */
export interface OpenParts {
  /** Adds a part; closes it at once when everything was closed already. */
  add(close: () => unknown): Promise<void>
  /** Closes every part, also when one of them fails; throws the first failure. */
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
      const failures: unknown[] = []
      for (const close of parts.splice(0).reverse()) {
        try {
          await close()
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0) throw failures[0]
    },
  }
}
