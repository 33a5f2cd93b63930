import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal } from '@warder/protocol'
import { openChunks } from '../read-chunks.ts'
import { type FetchHandler, findAnswer, type WebIncoming } from './incoming.ts'
import { readNodeRequest } from './read-node-request.ts'

/** A handler for `createServer` of node:http, and for frameworks that pass the same two objects. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * A fetch handler, such as that of `protect`, as a handler for node:http. Mount it before any body parser: a body that was read
 * already is refused. `Authorization` lines that Node would drop reach the handler joined, so that it can refuse them. Uses only
 * types of Node. Does not decide the scheme: behind TLS or not, the URL of the request says http.
 */
export function toNodeHandler(handle: FetchHandler): NodeHandler {
  const own = findAnswer(handle)
  const answer = (message: IncomingMessage, incoming: WebIncoming): Promise<Response> =>
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
  answer: (message: IncomingMessage, incoming: WebIncoming) => Promise<Response>,
  message: IncomingMessage,
  outgoing: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  let response: Response
  try {
    response = await answer(message, { ...readNodeRequest(message), signal: () => signal })
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

/** For a handler that is not the guard's: it gets the body as it comes. */
function toRequest(message: IncomingMessage, incoming: WebIncoming): Request {
  const { method, url, bodyUsed } = incoming
  const headers = [...incoming.headers]
  const signal = incoming.signal()
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers, signal })
  if (bodyUsed) throw new Refusal('internal', { detail: 'the body was read before the handler' })
  // `duplex` is required for streams and unknown to the types.
  const init = { method, headers, signal, body: streamOf(message), duplex: 'half' }
  return new Request(url, init as RequestInit)
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

/** Until the client has taken what was written, or is gone. */
export function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    outgoing.once('drain', resolve)
    outgoing.once('close', resolve)
  })
}
