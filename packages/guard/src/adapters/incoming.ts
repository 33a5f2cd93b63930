import { readBounded } from '../read-chunks.ts'

/** What of a request says where it goes and what it brings; a `Request` is one. */
export type RequestHead = Pick<Request, 'method' | 'url' | 'headers'>

/** A request that no `Request` was made of yet: making one costs more than all that the guard checks. */
export interface Incoming extends RequestHead {
  readonly signal: AbortSignal
  /** Whether somebody before the guard has read of the body, so that what the handler would get could not be checked. */
  readonly bodyUsed: boolean
  /** The whole body, once; undefined when it is longer than `limit` bytes. */
  readBody(limit: number): Promise<Uint8Array<ArrayBuffer> | undefined>
}

/** A web handler, as frameworks and runtimes take them. */
export type FetchHandler = (request: Request) => Promise<Response>

type Answer = (incoming: Incoming) => Promise<Response>

const answers = new WeakMap<FetchHandler, Answer>()

/** The handler for a `Request`, that an adapter can also ask without one. */
export function asFetchHandler(answer: Answer): FetchHandler {
  const handler: FetchHandler = (request) => answer(fromRequest(request))
  answers.set(handler, answer)
  return handler
}

/** How to ask this handler without a `Request`; undefined where it is not one of the guard's own. */
export function findAnswer(handler: FetchHandler): Answer | undefined {
  return answers.get(handler)
}

function fromRequest(request: Request): Incoming {
  const { method, url, headers, signal, bodyUsed } = request
  return { method, url, headers, signal, bodyUsed, readBody: (limit) => readBounded(request.body, limit) }
}
