import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal } from '@warder/protocol'
import { openChunks } from '../read-chunks.ts'

/** A handler for `createServer` of node:http, and for frameworks that pass the same two objects. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * A fetch handler, such as that of `protect`, as a handler for node:http. Mount it before any body parser: a body that was read
 * already is refused. `Authorization` lines that Node would drop reach the handler joined, so that it can refuse them. Uses only
 * types of Node. Does not decide the scheme: behind TLS or not, the URL of the request says http.
 */
export function toNodeHandler(handle: (request: Request) => Promise<Response>): NodeHandler {
  return (incoming, outgoing) => {
    const aborted = new AbortController()
    // Only a client that went away: telling every request's signals of its good end costs more than the rest of the adapter.
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) aborted.abort()
    })
    answer(handle, incoming, outgoing, aborted.signal).catch(() => outgoing.destroy())
  }
}

async function answer(
  handle: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  let response: Response
  try {
    response = await handle(readRequest(incoming, signal))
  } catch (error) {
    response = errorResponse(error)
  }
  outgoing.writeHead(response.status, [...response.headers].flat())
  const { chunks, cancel } = openChunks(response.body)
  outgoing.once('close', cancel)
  for await (const chunk of chunks) {
    if (outgoing.destroyed) break
    if (!outgoing.write(chunk)) await drained(outgoing)
  }
  outgoing.end()
}

function readRequest(incoming: IncomingMessage, signal: AbortSignal): Request {
  const method = incoming.method ?? ''
  // The platform's Request refuses to be made with them.
  if (['CONNECT', 'TRACE', 'TRACK'].includes(method)) throw new Refusal('http.method')
  const headers = readHeaders(incoming)
  const url = readUrl(incoming)
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers, signal })
  if (incoming.readableDidRead)
    throw new Refusal('internal', { detail: 'the body was read before the guard' })
  // `duplex` is required for streams and unknown to the types.
  const init = { method, headers, signal, body: readBody(incoming), duplex: 'half' }
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
  return url
}

function readBody(incoming: IncomingMessage): ReadableStream<Uint8Array> {
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
