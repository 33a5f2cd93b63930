import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { RawHeaders } from './upstream-headers.ts'

/** What came back: a body in one piece where it was asked for so, else as it comes. */
export interface UpstreamResponse {
  readonly status: number
  readonly headers: RawHeaders
  readonly body: Uint8Array | Readable
}

export interface SendOptions {
  readonly signal: AbortSignal
  /** Whether a body of this head is waited for and handed out in one piece; for short ones only, nothing else bounds it. */
  takesWhole(status: number, headers: RawHeaders): boolean
  /** What is thrown for an answer that never came, or not all of one that is taken whole. */
  refuse(cause: Error): Error
}

/**
 * Sends a request once, on undici's own terms: `request` makes a stream, an abort listener and several promises for each answer,
 * which for a short one costs more than reading it. A body that is not taken whole is held back while nobody reads it, and ends
 * the request when it is destroyed. Throws what `refuse` says, or the signal's reason.
 */
export function sendRequest(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  { signal, takesWhole, refuse }: SendOptions,
): Promise<UpstreamResponse> {
  return new Promise((resolve, reject) => {
    let started: Dispatcher.DispatchController | undefined
    let head: { readonly status: number; readonly headers: RawHeaders } | undefined
    /** Of a body that is taken whole. */
    let parts: Buffer[] | undefined
    let stream: Readable | undefined

    const abort = (): void => {
      const reason = signal.reason as Error
      if (stream === undefined) reject(reason)
      else stream.destroy(reason)
      started?.abort(reason)
    }
    const over = (): void => signal.removeEventListener('abort', abort)

    signal.addEventListener('abort', abort)
    dispatcher.dispatch(options, {
      onRequestStart(controller) {
        started = controller
        // It waited for a connection; nothing of it has been sent.
        if (signal.aborted) controller.abort(signal.reason as Error)
      },
      onResponseStart(controller, status, headers) {
        // 100 and 103 come in front of the answer.
        if (status < 200) return
        head = { status, headers }
        if (takesWhole(status, headers)) {
          parts = []
          return
        }
        stream = openStream(controller)
        resolve({ ...head, body: stream })
      },
      onResponseData(controller, chunk) {
        if (parts !== undefined) parts.push(chunk)
        else if (stream?.push(chunk) === false) controller.pause()
      },
      onResponseEnd() {
        over()
        if (stream !== undefined) stream.push(null)
        else if (head !== undefined && parts !== undefined) resolve({ ...head, body: joined(parts) })
      },
      onResponseError(_, error) {
        over()
        if (stream === undefined) reject(refuse(error))
        else stream.destroy(error)
      },
    })
  })
}

const unread = new Error('nobody reads the answer')

function openStream(controller: Dispatcher.DispatchController): Readable {
  const stream = new Readable({
    read: () => controller.resume(),
    destroy(error, done) {
      // After the end of the answer this does nothing.
      controller.abort(error ?? unread)
      done(error)
    },
  })
  // Who reads it learns of the error by reading; it may also come while nobody does.
  return stream.on('error', () => undefined)
}

function joined(parts: readonly Buffer[]): Uint8Array {
  const [first] = parts
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts)
}
