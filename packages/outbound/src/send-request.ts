import type { Socket } from 'node:net'
import { Refusal } from '@warder/protocol'
import { buildConnector, Client, type Dispatcher } from 'undici'

/** One GET to addresses that were checked before. */
export interface CheckedRequest {
  readonly url: URL
  /** Tried in this order until one connects; nothing is resolved any more. */
  readonly addresses: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly maxBytes: number
  /** Ends connecting, waiting and reading alike. */
  readonly signal: AbortSignal
}

/** What came back, of any status, with the body only where the status is 200. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array
}

/**
 * Sends one GET over a connection of its own. The name of the URL goes into Host and SNI, and the certificate is checked
 * against it; the connection goes to a checked address. No proxy, no redirect, no decoding, no cookies, no second use.
 *
 * Throws `outbound.too-large`, `outbound.content` for an encoded body, and otherwise what the connection throws.
 */
export async function sendRequest(request: CheckedRequest): Promise<RawAnswer> {
  const client = new Client(request.url.origin, {
    connect: pinnedConnector(request),
    pipelining: 1,
    maxHeaderSize: 16_384,
    // The one deadline is the signal; a second clock would only blur what happened.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  try {
    const response = await client.request({
      method: 'GET',
      path: `${request.url.pathname}${request.url.search}`,
      headers: { ...request.headers, 'accept-encoding': 'identity' },
      signal: request.signal,
    })
    const headers = readHeaders(response.headers)
    const body = response.statusCode === 200 ? await readBody(response, headers, request) : new Uint8Array()
    return { status: response.statusCode, headers, body }
  } finally {
    // Not close(): a body that nobody wants shall not be read to its end.
    await client.destroy()
  }
}

function pinnedConnector({ addresses, signal }: CheckedRequest): buildConnector.connector {
  const connect = buildConnector({
    allowH2: false,
    maxCachedSessions: 0,
    timeout: 0,
    // Said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment does not count here.
    rejectUnauthorized: true,
  })
  return (options, callback) => {
    const tryNext = ([hostname = '', ...others]: readonly string[]): void => {
      const done: buildConnector.Callback = (...result) => {
        if (result[0] !== null && others.length > 0 && !signal.aborted) tryNext(others)
        else callback(...result)
      }
      // Only the place to connect to is ours: `options.host`, the name of the URL, stays what SNI and the certificate go by.
      // The type says void, but the connector answers the socket; without it, a silent address would hold it for minutes.
      const socket = connect({ ...options, hostname }, done) as unknown as Socket
      // With an error, since the client does not look at the signal before it is connected: it would wait for ever.
      signal.addEventListener('abort', () => socket.destroy(new Error('connecting took too long')))
    }
    tryNext(addresses)
  }
}

function readHeaders(raw: Dispatcher.ResponseData['headers']): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(raw)) {
    for (const one of [value ?? []].flat()) headers.append(name, one)
  }
  return headers
}

async function readBody(
  response: Dispatcher.ResponseData,
  headers: Headers,
  { maxBytes }: CheckedRequest,
): Promise<Uint8Array> {
  const encoding = headers.get('content-encoding') ?? 'identity'
  const transfer = headers.get('transfer-encoding') ?? 'chunked'
  if (encoding.toLowerCase() !== 'identity' || transfer.toLowerCase() !== 'chunked') {
    throw new Refusal('outbound.content', { detail: 'the body is encoded, although identity was asked for' })
  }
  const tooLarge = (): Refusal => new Refusal('outbound.too-large', { detail: `more than ${maxBytes} bytes` })
  if (Number(headers.get('content-length') ?? 0) > maxBytes) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  const body = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.byteLength
  }
  return body
}
