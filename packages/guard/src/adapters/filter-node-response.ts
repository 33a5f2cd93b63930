import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Principal } from '@warder/policy'
import { toRefusal } from '@warder/protocol'
import { filterAnswer, isOpenStream } from '../filter-answer.ts'
import type { Guard } from '../guard.ts'
import type { RefusalContext } from '../refuse.ts'
import { formatServerSentEvent } from '../server-sent-events.ts'
import { aboutBytes } from './filtered-response.ts'
import { drained } from './node.ts'
import { openQueue } from './open-queue.ts'
import { refuseStatus } from './refuse-status.ts'

/** What is being answered, and to whom. */
interface Asked {
  readonly principal: Principal
  readonly method: string
  readonly context: RefusalContext
}

/**
 * Lets what a handler writes to a response of node:http through the filter: from here on its `writeHead`, `write`, `end` and
 * `flushHeaders` only collect, and what the principal may see goes to the ones that were there before. What cannot be read is refused
 * while nothing was sent, as `refuseStatus` says, `before` being the headers that stay; later the stream ends with a JSON-RPC error.
 * An answer without a body passes as it is. Answers how to undo this, for as long as `headersSent` says no.
 */
export function filterNodeResponse(
  guard: Guard,
  { principal, method, context }: Asked,
  response: ServerResponse,
  before: OutgoingHttpHeaders,
): () => void {
  const { writeHead, write, end, flushHeaders } = response
  const queue = openQueue(() => response.emit('drain'))
  let isBegun = false
  let isEnded = false
  let isSent = false

  const sendHead = (): void => {
    isSent = true
    for (const name of aboutBytes) response.removeHeader(name)
    response.setHeader('cache-control', 'no-store')
    writeHead.call(response, response.statusCode)
  }

  const forward = async (): Promise<void> => {
    const contentType = String(response.getHeader('content-type'))
    const filtered = filterAnswer(guard, principal, method, contentType, queue.chunks)
    // The status line promises a good answer, so it waits until there is one; but the head of an open stream does not wait.
    const isOpen = isOpenStream(method) && contentType.startsWith('text/event-stream')
    let next = isOpen ? undefined : await filtered.next()
    sendHead()
    if (isOpen) flushHeaders.call(response)
    for (next ??= await filtered.next(); next.done !== true; next = await filtered.next()) {
      if (response.destroyed) return
      if (!write.call(response, next.value, 'utf8')) await drained(response)
    }
    end.call(response, undefined, 'utf8')
  }

  const refuse = (error: unknown): void => {
    queue.close()
    if (response.destroyed) return
    if (isSent) {
      // Only an event stream gets here: a JSON answer comes out in one piece.
      const { body } = guard.refuse(toRefusal(error), context)
      end.call(response, formatServerSentEvent({ data: body }), 'utf8')
      return
    }
    const [allow, retryAfter] = [response.getHeader('allow'), response.getHeader('retry-after')]
    const head = { status: response.statusCode, allow, retryAfter }
    const { status, headers, body } = refuseStatus(guard, error, head, context)
    resetHeaders(response, before)
    writeHead.call(response, status, { ...headers })
    end.call(response, body, 'utf8')
  }

  const begin = (): void => {
    if (!isBegun) forward().catch(refuse)
    isBegun = true
  }

  const collect = (chunk: unknown, encoding: unknown): boolean => {
    if (chunk === undefined || chunk === null || chunk === '') return true
    begin()
    return queue.add(
      typeof chunk === 'string' ? encode(chunk, encoding) : new Uint8Array(chunk as Uint8Array),
    )
  }

  Object.assign(response, {
    writeHead(status: number, ...rest: readonly unknown[]): ServerResponse {
      response.statusCode = status
      setHeaders(response, rest.at(-1))
      return response
    },
    flushHeaders: begin,
    write(chunk: unknown, ...rest: readonly unknown[]): boolean {
      if (isEnded) return false
      const hasRoom = collect(chunk, rest[0])
      callbackOf(rest, queueMicrotask)
      return hasRoom
    },
    end(...rest: readonly unknown[]): ServerResponse {
      callbackOf(rest, (told) => response.once('finish', told))
      if (isEnded) return response
      if (typeof rest[0] !== 'function') collect(rest[0], rest[1])
      isEnded = true
      queue.close()
      // Nothing was written, and nothing is to be seen in that.
      if (!isBegun) {
        sendHead()
        end.call(response, undefined, 'utf8')
      }
      return response
    },
  })
  // What a handler has said counts for it as sent.
  Object.defineProperties(response, {
    headersSent: { configurable: true, get: () => isSent || isBegun || isEnded },
    writableEnded: { configurable: true, get: () => isEnded },
  })
  response.once('close', queue.close)
  return () => {
    Object.assign(response, { writeHead, write, end, flushHeaders })
    for (const name of ['headersSent', 'writableEnded']) Reflect.deleteProperty(response, name)
  }
}

/** Takes back what a handler has said of an answer that is not sent. */
export function resetHeaders(response: ServerResponse, before: OutgoingHttpHeaders): void {
  for (const name of response.getHeaderNames()) response.removeHeader(name)
  for (const [name, value] of Object.entries(before)) response.setHeader(name, value as OutgoingHttpHeader)
}

/** The headers of `writeHead`: an object, or names and values in turn. */
function setHeaders(response: ServerResponse, headers: unknown): void {
  if (Array.isArray(headers)) {
    for (let at = 0; at < headers.length; at += 2) response.removeHeader(headers[at])
    for (let at = 0; at < headers.length; at += 2) response.appendHeader(headers[at], headers[at + 1])
  } else if (typeof headers === 'object' && headers !== null) {
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) response.setHeader(name, value)
    }
  }
}

function encode(text: string, encoding: unknown): Uint8Array {
  return Buffer.from(text, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
}

function callbackOf(rest: readonly unknown[], use: (told: () => void) => void): void {
  const told = rest.find((value) => typeof value === 'function')
  if (told !== undefined) use(told as () => void)
}
