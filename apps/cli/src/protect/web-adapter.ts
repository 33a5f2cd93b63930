import type { IncomingMessage, ServerResponse } from 'node:http'

const bodyLimit = 64 * 1024

/**
 * A `node:http` request as a web-standard one. The origin is ours, never the Host header's; a body over 64 KiB ends the
 * request with `too-large`.
 */
export async function readWebRequest(req: IncomingMessage, origin: string): Promise<Request | 'too-large'> {
  const headers = new Headers()
  for (let place = 0; place + 1 < req.rawHeaders.length; place += 2) {
    const [name, value] = [req.rawHeaders[place], req.rawHeaders[place + 1]]
    if (name !== undefined && value !== undefined && !name.includes('_')) headers.append(name, value)
  }
  const method = req.method ?? 'GET'
  if (method === 'GET' || method === 'HEAD') return new Request(origin + req.url, { method, headers })
  const body = await readBody(req)
  return body === undefined ? 'too-large' : new Request(origin + req.url, { method, headers, body })
}

/** By events, which cost a fraction of an iterator. What is too much is not kept; its connection ends with the answer. */
function readBody(req: IncomingMessage): Promise<Uint8Array<ArrayBuffer> | undefined> {
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

/** Writes a web-standard response to a `node:http` one, whole: our answers are short, and a stream costs more than they do. */
export async function writeWebResponse(response: Response, res: ServerResponse): Promise<void> {
  const headers: Record<string, string | string[] | number> = {}
  for (const [name, value] of response.headers) if (name !== 'set-cookie') headers[name] = value
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) headers['set-cookie'] = cookies
  // A redirect has no body, and reading none costs as much as reading one.
  if (response.body === null) return void res.writeHead(response.status, headers).end()
  const body = new Uint8Array(await response.arrayBuffer())
  headers['content-length'] = body.length
  res.writeHead(response.status, headers).end(body)
}
