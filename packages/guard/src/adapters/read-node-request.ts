import type { IncomingMessage } from 'node:http'
import { Refusal } from '@warder/protocol'
import { joinBytes } from '../read-chunks.ts'
import type { Incoming } from './incoming.ts'

/** What frameworks of node:http keep of a target when they take the front of it away. */
type Mounted = IncomingMessage & { readonly originalUrl?: unknown }

const neverRequested: readonly string[] = ['CONNECT', 'TRACE', 'TRACK']

/**
 * A request of node:http as the guard reads it, without a `Request` or `Headers`. Throws `http.header` for two `Host` lines, since a
 * proxy in front may have meant the other one, `http.target` for targets that the URL parser would change, `http.method` for methods
 * that no `Request` can have. Does not decide the scheme: behind TLS or not, the URL says http.
 */
export function readNodeRequest(message: IncomingMessage): Incoming {
  const method = message.method ?? ''
  if (neverRequested.includes(method)) throw new Refusal('http.method')
  const headers = readHeaders(message)
  const { readableDidRead: bodyUsed } = message
  return { method, url: readUrl(message), headers, bodyUsed, readBody: (limit) => readWhole(message, limit) }
}

/** From the raw lines: Node's own object keeps the first of two `Authorization` headers and forgets the other. */
function readHeaders({ rawHeaders }: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    const value = rawHeaders[at + 1] ?? ''
    const earlier = headers.get(name)
    if (earlier !== undefined && name === 'host') throw new Refusal('http.header')
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`)
  }
  return headers
}

/** The last that passed: callers of a server ask for the same again and again, and parsing costs as much as the rest of this. */
let last = { host: '', target: '', href: '' }

/** Only targets that the URL parser leaves as they are: what is matched is then what was sent. */
function readUrl(message: Mounted): string {
  const target = typeof message.originalUrl === 'string' ? message.originalUrl : (message.url ?? '')
  const host = message.headers.host ?? ''
  if (target === last.target && host === last.host && target !== '') return last.href
  const url = `http://${host}${target}`
  const parsed = /^\/(?!\/)/.test(target) ? URL.parse(url) : null
  if (parsed?.host !== host.toLowerCase() || parsed.pathname + parsed.search !== target)
    throw new Refusal('http.target')
  last = { host, target, href: parsed.href }
  return parsed.href
}

/**
 * By events: a web stream or an iterator costs more than a short body does, and leaving an iterator would destroy the connection
 * that has to carry the refusal. What is too much is read on, as Node does with a body that nobody wants, and not kept.
 */
function readWhole(message: IncomingMessage, limit: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array<ArrayBuffer>[] = []
    let size = 0
    message.on('data', (part: Uint8Array<ArrayBuffer>) => {
      size += part.byteLength
      if (size <= limit) {
        parts.push(part)
      } else {
        parts.length = 0
        resolve(undefined)
      }
    })
    message.on('end', () => resolve(wholeOf(parts, size)))
    message.on('error', reject)
  })
}

/** Most bodies come in one part, which is theirs alone: another buffer for the same bytes costs more than reading them. */
function wholeOf(parts: readonly Uint8Array<ArrayBuffer>[], size: number): Uint8Array<ArrayBuffer> {
  const [only] = parts
  return only !== undefined && parts.length === 1 ? only : joinBytes(parts, size)
}
