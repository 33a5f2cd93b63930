import type { IncomingMessage } from 'node:http'
import { isJsonType, Refusal } from '@warder/protocol'
import { type Head, only } from './read-head.ts'

/** Bytes of a message; larger ones are refused with 413. */
const maxBody = 4 * 1024 * 1024

const tooLarge = new Refusal('http.too-large')
const goneAway = new Refusal('http.body', { detail: 'the client went away' })

/**
 * The exact bytes of a POST. Only JSON in UTF-8 without a content coding is read (L11, L27), so that what is decided upon
 * and what goes upstream are the same bytes; never more than `maxBody` is kept. Ends with the exchange, by the Refusal that
 * ended it.
 */
export function readBody(req: IncomingMessage, head: Head, signal: AbortSignal): Promise<Uint8Array> {
  if (!isJsonType(only(head, 'content-type'))) throw new Refusal('http.content-type')
  if (head.headers.has('content-encoding')) {
    throw new Refusal('http.content-type', { detail: 'content coding' })
  }
  if (Number(only(head, 'content-length') ?? 0) > maxBody) throw tooLarge
  // Not `for await`: leaving such a loop destroys the request, and with it the connection that carries the refusal.
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let isWhole = false
    const take = (chunk: Buffer): void => {
      size += chunk.length
      if (size <= maxBody) chunks.push(chunk)
      else fail(tooLarge)
    }
    const fail = (error: Error): void => {
      req.off('data', take)
      chunks.length = 0
      reject(error)
    }
    req.on('data', take)
    req.on('end', () => {
      isWhole = true
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size))
    })
    req.on('error', fail)
    req.on('close', () => {
      if (!isWhole) fail(goneAway)
    })
    signal.addEventListener('abort', () => fail(signal.reason instanceof Refusal ? signal.reason : goneAway))
  })
}

/** GET, DELETE and OPTIONS come without a body; one that is there could be read differently by the next hop. */
export function checkNoBody(head: Head): void {
  const length = only(head, 'content-length')
  if (head.headers.has('transfer-encoding') || (length !== undefined && length !== '0')) {
    throw new Refusal('http.body')
  }
}
