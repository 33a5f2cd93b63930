import type { IncomingMessage } from 'node:http'
import { Refusal } from '@warder/protocol'

/** The head of a request as it was sent: nothing merged, nothing decoded. */
export interface Head {
  readonly method: string
  /** The raw path, byte for byte; never normalized. */
  readonly path: string
  /** The raw query without `?`; may carry a token, so it never goes into a log. */
  readonly query: string | undefined
  /** Lower-case names; one entry for each header line, trimmed by the HTTP parser, otherwise as sent. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  /** Address of the TCP peer. Forwarded headers are never read (L19). */
  readonly peer: string | undefined
}

const maxHeaders = 100
const maxTarget = 2048

/**
 * Node joins or drops repeated lines of these, or they decide how the message is read; so twice is refused (RFC 9110
 * section 5.3). `Authorization` is the guard's business, `Mcp-*` that of the message checks.
 */
const singletons: ReadonlySet<string> = new Set([
  'host',
  'origin',
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'mcp-session-id',
  'last-event-id',
  'expect',
])

/**
 * Reads the request line and headers from the raw lines. Refuses absolute-form and overlong targets, too many headers and
 * repeated ones that must stand alone; drops names with an underscore, since some peers take them for the name with a
 * hyphen (L10). Does not look at the path, the host, the origin, the token or the body.
 */
export function readHead(req: IncomingMessage): Head {
  const target = req.url ?? ''
  if (target.length > maxTarget) throw new Refusal('http.head-too-large', { detail: 'request target' })
  if (!target.startsWith('/')) throw new Refusal('http.target', { detail: 'not in origin form' })
  const { path, query } = splitTarget(target)
  return {
    method: req.method ?? '',
    path,
    query,
    headers: readHeaders(req.rawHeaders),
    peer: req.socket.remoteAddress,
  }
}

/** The only value of a header that may stand once; undefined where it is absent. */
export function only(head: Head, name: string): string | undefined {
  return head.headers.get(name)?.[0]
}

/** Path and query of an origin-form target; the path is compared as it is. */
export function splitTarget(target: string): Pick<Head, 'path' | 'query'> {
  const mark = target.indexOf('?')
  return mark === -1
    ? { path: target, query: undefined }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) }
}

function readHeaders(raw: readonly string[]): Map<string, string[]> {
  if (raw.length / 2 > maxHeaders) throw new Refusal('http.head-too-large', { detail: 'header count' })
  const headers = new Map<string, string[]>()
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!.toLowerCase()
    if (name.includes('_')) continue
    const values = headers.get(name)
    if (values === undefined) headers.set(name, [raw[index + 1]!])
    else if (singletons.has(name)) throw new Refusal('http.header', { detail: `${name} repeated` })
    else values.push(raw[index + 1]!)
  }
  return headers
}
