import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

/** An answer that is whole: a refusal, a metadata document, a filtered list. */
export interface WholeAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
}

/**
 * Ends the connection of a client that takes nothing for so many milliseconds while something waits for it (L26): that is memory
 * of ours. A stream that has nothing to say may be silent as long as it likes.
 */
export function dropStalled(res: ServerResponse, patience = 60_000): void {
  res.setTimeout(patience, () => {
    if (res.writableLength > 0) res.destroy()
  })
}

/** Writes a whole answer; a client that is gone is no error. Returns the bytes of the body. */
export function writeWhole(res: ServerResponse, answer: WholeAnswer): number {
  if (res.headersSent || res.destroyed) {
    res.destroy()
    return 0
  }
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body
  const length = body?.length ?? 0
  const headers: Record<string, string> = { 'x-content-type-options': 'nosniff' }
  Object.assign(headers, answer.headers)
  if (answer.status !== 204 && answer.status !== 304) headers['content-length'] = String(length)
  res.writeHead(answer.status, headers)
  res.end(body)
  return length
}

/**
 * Writes an upstream's body as it comes, with backpressure: nothing is read ahead of a slow client. Calls `count` with the
 * bytes of each chunk. Throws what the body throws, and the signal's reason.
 */
export async function writeBody(
  res: ServerResponse,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  count: (bytes: number) => void,
): Promise<void> {
  res.flushHeaders()
  for await (const chunk of body) {
    signal.throwIfAborted()
    count(chunk.length)
    if (!res.write(chunk)) await once(res, 'drain', { signal })
  }
  signal.throwIfAborted()
  res.end()
}

/** Writes something of our own between the chunks of a body. Returns its bytes. */
export function writeWords(res: ServerResponse, words: string | undefined): number {
  if (words === undefined || res.writableEnded || res.destroyed) return 0
  res.write(words)
  return Buffer.byteLength(words)
}

const lingerBytes = 16 * 1024 * 1024
const lingerMs = 1_000

/**
 * Writes an answer to a request whose body may not have been read to its end. What the client is still sending is taken and
 * thrown away for a moment, since a reset would destroy the answer on its way; a client that goes on loses the connection.
 * Returns the bytes of the body.
 */
export async function writeAndDrain(
  req: IncomingMessage,
  res: ServerResponse,
  answer: WholeAnswer,
): Promise<number> {
  if (req.complete || res.headersSent || res.destroyed) return writeWhole(res, answer)
  const body = Buffer.from(answer.body ?? '')
  res.writeHead(answer.status, {
    'x-content-type-options': 'nosniff',
    ...answer.headers,
    'content-length': String(body.length),
  })
  res.write(body)
  const stop = new AbortController()
  let taken = 0
  req.on('data', (chunk: Buffer) => {
    taken += chunk.length
    if (taken > lingerBytes) stop.abort()
  })
  for (const event of ['end', 'error', 'close']) req.once(event, () => stop.abort())
  req.resume()
  await delay(lingerMs, undefined, { signal: stop.signal }).catch(() => undefined)
  res.end()
  if (!req.complete) req.socket.destroySoon()
  return body.length
}
