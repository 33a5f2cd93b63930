import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal } from '@warder/protocol'
import { joinBytes, openChunks } from '../read-chunks.ts'
import { type FetchHandler, findAnswer, type Incoming } from './incoming.ts'

/** A handler for `createServer` of node:http, and for frameworks that pass the same two objects. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * A fetch handler, such as that of `protect`, as a handler for node:http. Mount it before any body parser: a body that was read
 * already is refused. `Authorization` lines that Node would drop reach the handler joined, so that it can refuse them. Uses only
 * types of Node. Does not decide the scheme: behind TLS or not, the URL of the request says http.
 */
export function toNodeHandler(handle: FetchHandler): NodeHandler {
  const own = findAnswer(handle)
  const answer = (message: IncomingMessage, incoming: Incoming): Promise<Response> =>
    own === undefined ? handle(toRequest(message, incoming)) : own(incoming)
  return (incoming, outgoing) => {
    const aborted = new AbortController()
    // Only a client that went away: telling every request's signals of its good end costs more than the rest of the adapter.
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) aborted.abort()
    })
    respond(answer, incoming, outgoing, aborted.signal).catch(() => outgoing.destroy())
  }
}

async function respond(
  answer: (message: IncomingMessage, incoming: Incoming) => Promise<Response>,
  message: IncomingMessage,
  outgoing: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  let response: Response
  try {
    response = await answer(message, readIncoming(message, signal))
  } catch (error) {
    response = errorResponse(error)
  }
  // A refused body that is still on its way, for ever perhaps, ends with its connection.
  const rest = message.complete ? [] : ['connection', 'close']
  outgoing.writeHead(response.status, [...[...response.headers].flat(), ...rest])
  const { chunks, cancel } = openChunks(response.body)
  outgoing.once('close', cancel)
  for await (const chunk of chunks) {
    if (outgoing.destroyed) break
    if (!outgoing.write(chunk)) await drained(outgoing)
  }
  outgoing.end()
}

function readIncoming(message: IncomingMessage, signal: AbortSignal): Incoming {
  const method = message.method ?? ''
  // The platform's Request refuses to be made with them.
  if (['CONNECT', 'TRACE', 'TRACK'].includes(method)) throw new Refusal('http.method')
  const headers = readHeaders(message)
  const { readableDidRead: bodyUsed } = message
  const readBody = (limit: number): Promise<Uint8Array<ArrayBuffer> | undefined> => readWhole(message, limit)
  return { method, url: readUrl(message), headers, signal, bodyUsed, readBody }
}

/** For a handler that is not the guard's: it gets the body as it comes. */
function toRequest(message: IncomingMessage, incoming: Incoming): Request {
  const { method, url, headers, signal, bodyUsed } = incoming
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers, signal })
  if (bodyUsed) throw new Refusal('internal', { detail: 'the body was read before the handler' })
  // `duplex` is required for streams and unknown to the types.
  const init = { method, headers, signal, body: streamOf(message), duplex: 'half' }
  return new Request(url, init as RequestInit)
}

/**
 * From the raw lines: Node's own object keeps the first of two `Authorization` headers and forgets the other. Two `Host` lines are
 * refused, since a proxy in front may have meant the other one.
 */
function readHeaders(incoming: IncomingMessage): Headers {
  if ((incoming.headersDistinct['host']?.length ?? 0) > 1) throw new Refusal('http.header')
  const headers = new Headers()
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at] ?? '', incoming.rawHeaders[at + 1] ?? '')
  }
  return headers
}

/** Only targets that the URL parser leaves as they are: what is matched is then what was sent. */
function readUrl(incoming: IncomingMessage): string {
  const target = incoming.url ?? ''
  const host = incoming.headers.host ?? ''
  const url = `http://${host}${target}`
  if (!/^\/(?!\/)/.test(target) || !URL.canParse(url)) throw new Refusal('http.target')
  const parsed = new URL(url)
  if (parsed.host !== host.toLowerCase() || parsed.pathname + parsed.search !== target) {
    throw new Refusal('http.target')
  }
  return parsed.href
}

/**
 * By events: a web stream or an iterator costs more than a short body does, and leaving an iterator would destroy the connection
 * that has to carry the refusal. What is too much is read on, as Node does with a body that nobody wants, and not kept.
 */
function readWhole(message: IncomingMessage, limit: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = []
    let size = 0
    message.on('data', (part: Uint8Array) => {
      size += part.byteLength
      if (size <= limit) {
        parts.push(part)
      } else {
        parts.length = 0
        resolve(undefined)
      }
    })
    message.on('end', () => resolve(joinBytes(parts, size)))
    message.on('error', reject)
  })
}

function streamOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = incoming[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await chunks.next()
      if (chunk.done) controller.close()
      else controller.enqueue(new Uint8Array(chunk.value))
    },
    async cancel() {
      await chunks.return?.()
    },
  })
}

function errorResponse(error: unknown): Response {
  const { rule } = error instanceof Refusal ? error : new Refusal('internal')
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return Response.json({ error: rule.error, error_description: rule.says }, { status: rule.status, headers })
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    outgoing.once('drain', resolve)
    outgoing.once('close', resolve)
  })
}
