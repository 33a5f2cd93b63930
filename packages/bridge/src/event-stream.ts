import { formatMessageEvent } from '@warder/protocol'

const keepAliveMs = 15_000
const maxWaitingEvents = 1000
const maxWaitingBytes = 16 * 1024 * 1024

const encoder = new TextEncoder()

/** A `text/event-stream` body that is written from one side and read from the other. */
export interface EventStream {
  readonly body: AsyncIterable<Uint8Array>
  /** Messages that wait for the reader. */
  waiting(): number
  send(message: object): void
  /** Ends the stream, after one last message if there is one. */
  end(last?: object): void
}

/**
 * Makes an event stream. It ends when `signal` aborts, when its reader stops reading, or when too much waits for a reader
 * that is too slow; `onEnd` is called once, whoever ended it. Keep-alive comments show that the connection lives (GW-08).
 */
export function createEventStream(options: { signal: AbortSignal; onEnd: () => void }): EventStream {
  const queue: Uint8Array[] = []
  let waitingBytes = 0
  let ended = false
  let wake: (() => void) | undefined

  const push = (text: string): void => {
    const chunk = encoder.encode(text)
    queue.push(chunk)
    waitingBytes += chunk.length
    wake?.()
  }
  const end = (last?: object): void => {
    if (ended) return
    if (last !== undefined) push(formatMessageEvent(JSON.stringify(last)))
    ended = true
    clearInterval(keepAlive)
    options.signal.removeEventListener('abort', abort)
    wake?.()
    options.onEnd()
  }
  const abort = (): void => {
    queue.length = 0
    end()
  }
  const keepAlive = setInterval(() => {
    if (queue.length === 0) push(': keep-alive\n\n')
  }, keepAliveMs)
  keepAlive.unref()

  async function* read(): AsyncGenerator<Uint8Array, void> {
    try {
      while (true) {
        const chunk = queue.shift()
        if (chunk !== undefined) {
          waitingBytes -= chunk.length
          yield chunk
        } else if (ended) {
          return
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
          wake = undefined
        }
      }
    } finally {
      abort()
    }
  }

  // The first bytes make every server on the way send the headers.
  push(': open\n\n')
  if (options.signal.aborted) queueMicrotask(abort)
  else options.signal.addEventListener('abort', abort, { once: true })

  return {
    body: read(),
    waiting: () => queue.length,
    send: (message) => {
      if (ended) return
      push(formatMessageEvent(JSON.stringify(message)))
      if (queue.length > maxWaitingEvents || waitingBytes > maxWaitingBytes) end()
    },
    end,
  }
}

/** The headers of an event stream. */
export const eventStreamHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}
