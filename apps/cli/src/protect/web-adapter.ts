import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Answer, WebRequest } from '@warder/authorization-server'

const bodyLimit = 64 * 1024

/**
 * A `node:http` request as the authorization server reads one. The origin is ours, never the Host header's; a body over 64 KiB
 * ends the request with `too-large`.
 */
export async function readWebRequest(
  req: IncomingMessage,
  origin: string,
): Promise<WebRequest | 'too-large'> {
  const method = req.method ?? 'GET'
  const body = method === 'GET' || method === 'HEAD' ? null : await readBody(req)
  if (body === undefined) return 'too-large'
  return { method, url: origin + req.url, headers: readHeaders(req), body }
}

/** The values of every header line with this lower-case name, as received: Node keeps only the first of some that come twice. */
export function rawValues({ rawHeaders }: IncomingMessage, name: string): readonly string[] {
  return rawHeaders.filter((_, place) => place % 2 === 1 && rawHeaders[place - 1]?.toLowerCase() === name)
}

/** As the platform's `Headers` has them. */
function readHeaders(req: IncomingMessage): WebRequest['headers'] {
  const get = (name: string): string | null => {
    const values = rawValues(req, name)
    return values.length === 0 ? null : values.join(name === 'cookie' ? '; ' : ', ')
  }
  return { get, has: (name) => get(name) !== null }
}

/** By events, which cost a fraction of an iterator. What is too much is not kept; its connection ends with the answer. */
function readBody(req: IncomingMessage): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    req.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= bodyLimit) chunks.push(chunk)
      else resolve(undefined)
    })
    req.on('end', () => resolve(Buffer.concat(chunks)))
    req.on('error', reject)
  })
}

/** Writes an answer as a `node:http` one, whole. */
export function writeAnswer({ status, headers, body }: Answer, res: ServerResponse): void {
  const lines: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(headers))
    lines[name] = typeof value === 'string' ? value : [...value]
  if (body === null) return void res.writeHead(status, lines).end()
  lines['Content-Length'] = Buffer.byteLength(body)
  res.writeHead(status, lines).end(body)
}
