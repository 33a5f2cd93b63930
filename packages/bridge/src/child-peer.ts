import { isJsonObject, type JsonObject } from '@warder/protocol'
import type { ChildProcess } from './child-process.ts'

/** A JSON-RPC error as it stands on the wire. */
export interface WireError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** How a request to the child came out. */
export type Outcome =
  | { readonly kind: 'result'; readonly result: JsonObject }
  | { readonly kind: 'error'; readonly error: WireError }
  | { readonly kind: 'cancelled' }

/** What may go along with a request to the child. */
export interface RequestOptions {
  /** Aborting it tells the child that the request is cancelled. */
  readonly signal?: AbortSignal
  /** Called with the params of each progress notification; the child is asked for them only if this is given. */
  readonly onProgress?: (params: JsonObject) => void
}

/** Our side of the JSON-RPC conversation with one child. */
export interface ChildPeer {
  /** `makeParams` gets the progress token to use; ids and tokens are ours, so those of two HTTP clients never meet. */
  request(
    method: string,
    makeParams: (progressToken: number | undefined) => JsonObject,
    options?: RequestOptions,
  ): Promise<Outcome>
  /** Sends a request whose answer does not matter. */
  tell(method: string, params: JsonObject): void
  notify(method: string, params?: JsonObject): void
  receive(message: unknown): void
  /** Answers all open requests with an error that says why. */
  end(reason: string): void
}

interface Pending {
  readonly settle: (outcome: Outcome) => void
  readonly onProgress: ((params: JsonObject) => void) | undefined
}

const failed = (message: string): Outcome => ({ kind: 'error', error: { code: -32603, message } })

/** Speaks JSON-RPC with a child; notifications other than progress go to `onNotification`. */
export function createChildPeer(
  process: Pick<ChildProcess, 'send'>,
  onNotification: (method: string, params: JsonObject) => void,
): ChildPeer {
  const pending = new Map<number, Pending>()
  let nextId = 1
  let ended: string | undefined

  const receiveAnswer = (message: JsonObject): void => {
    // Only our own ids are known here, as numbers; the same id as a string is not ours.
    const id = message['id'] as number
    const open = pending.get(id)
    if (open === undefined) return
    pending.delete(id)
    open.settle(readOutcome(message))
  }

  const receiveRequest = (method: string, id: unknown): void => {
    const error = { code: -32601, message: `${method} is not supported here` }
    process.send({ jsonrpc: '2.0', id, ...(method === 'ping' ? { result: {} } : { error }) })
  }

  const receiveNotification = (method: string, params: JsonObject): void => {
    const token = params['progressToken']
    if (method !== 'notifications/progress') onNotification(method, params)
    else if (typeof token === 'number') pending.get(token)?.onProgress?.(params)
  }

  /** Knows nothing of the params, which may be large: whoever waits for an answer must not keep them. */
  const expect = (id: number, { signal, onProgress }: RequestOptions): Promise<Outcome> =>
    new Promise((resolve) => {
      const cancel = (): void => {
        if (!pending.delete(id)) return
        process.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })
        resolve({ kind: 'cancelled' })
      }
      const settle = (outcome: Outcome): void => {
        signal?.removeEventListener('abort', cancel)
        resolve(outcome)
      }
      signal?.addEventListener('abort', cancel, { once: true })
      pending.set(id, { settle, onProgress })
    })

  return {
    request: async (method, makeParams, options = {}) => {
      if (ended !== undefined) return failed(ended)
      if (options.signal?.aborted) return { kind: 'cancelled' }
      const id = nextId++
      const params = makeParams(options.onProgress === undefined ? undefined : id)
      const outcome = expect(id, options)
      process.send({ jsonrpc: '2.0', id, method, params })
      return outcome
    },
    tell: (method, params) => process.send({ jsonrpc: '2.0', id: nextId++, method, params }),
    notify: (method, params) => {
      process.send(params === undefined ? { jsonrpc: '2.0', method } : { jsonrpc: '2.0', method, params })
    },
    receive: (message) => {
      if (!isJsonObject(message)) return
      const { method, params, id } = message
      if (typeof method !== 'string') return receiveAnswer(message)
      if (id !== undefined) return receiveRequest(method, id)
      receiveNotification(method, isJsonObject(params) ? params : {})
    },
    end: (reason) => {
      ended = `The MCP server behind Warder ${reason} before it answered.`
      const open = [...pending.values()]
      pending.clear()
      for (const { settle } of open) settle(failed(ended))
    },
  }
}

function readOutcome(message: JsonObject): Outcome {
  const { result, error } = message
  if (isJsonObject(result) && error === undefined) return { kind: 'result', result }
  if (isJsonObject(error) && Number.isSafeInteger(error['code']) && typeof error['message'] === 'string') {
    const wire = { code: error['code'] as number, message: error['message'] }
    return { kind: 'error', error: error['data'] === undefined ? wire : { ...wire, data: error['data'] } }
  }
  return failed('The MCP server behind Warder sent an answer that cannot be passed on.')
}
