import { readBounded } from '../read-chunks.ts'

/** Header lines by lower-case name, those of one name joined by commas; `Headers` are such, and a `Map` is. */
export interface HeaderLines extends Iterable<[string, string]> {
  get(name: string): string | null | undefined
}

/** What of a request says where it goes and what it brings; a `Request` is one. */
export interface RequestHead {
  readonly method: string
  readonly url: string
  readonly headers: HeaderLines
}

/** A request that no `Request` was made of yet: making one costs more than all that the guard checks. */
export interface Incoming extends RequestHead {
  /** Whether somebody before the guard has read of the body, so that what the handler would get could not be checked. */
  readonly bodyUsed: boolean
  /** The whole body, once; undefined when it is longer than `limit` bytes. */
  readBody(limit: number): Promise<Uint8Array<ArrayBuffer> | undefined>
}

/** A request that a handler may need a `Request` of, which ends with its client. */
export interface WebIncoming extends Incoming {
  /** Asked for only where one is made: the platform makes some of it then. */
  signal(): AbortSignal
}

/** The value of a header; undefined where it was not sent. */
export function readHeader(request: RequestHead, name: string): string | undefined {
  return request.headers.get(name) ?? undefined
}

/** A web handler, as frameworks and runtimes take them. */
export type FetchHandler = (request: Request) => Promise<Response>

type Answer = (incoming: WebIncoming) => Promise<Response>

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

function fromRequest(request: Request): WebIncoming {
  const { method, url, headers, bodyUsed } = request
  return {
    method,
    url,
    headers,
    bodyUsed,
    signal: () => request.signal,
    readBody: (limit) => readBounded(request.body, limit),
  }
}
