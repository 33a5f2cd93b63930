import type { Socket } from 'node:net'
import { Refusal } from '@warder/protocol'
import { buildConnector, Client, type Dispatcher } from 'undici'
import { type Network, secureContextOf } from './network.ts'
import { openTunnel } from './open-tunnel.ts'
import { lookupName } from './resolve-name.ts'

/** One request to a place that was checked before. */
export interface CheckedRequest {
  readonly url: URL
  /** The addresses, tried in this order until one connects (nothing is resolved any more), or the proxy that connects. */
  readonly way: { readonly addresses: readonly string[] } | { readonly proxy: URL }
  readonly network?: Network | undefined
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  /** The statuses whose body is wanted; that of others is not read. */
  readonly wants: (status: number) => boolean
  readonly maxBytes: number
  /** Ends connecting, waiting and reading alike. */
  readonly signal: AbortSignal
  /** When the signal does that, by `performance.now()`. */
  readonly endsAt: number
}

/** What came back, of any status, with the body only where it was wanted. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array
}

/**
 * Sends one request over a connection of its own. The name of the URL goes into Host and SNI, and the certificate is checked
 * against it; the connection goes to a checked address, or through the proxy. No redirect, no decoding, no cookies, no second
 * use, no second try.
 *
 * Throws `outbound.too-large`, `outbound.content` for an encoded body, and otherwise what the connection throws.
 */
export async function sendRequest(request: CheckedRequest): Promise<RawAnswer> {
  const client = new Client(request.url.origin, {
    connect:
      'proxy' in request.way
        ? tunnelConnector(request, request.way.proxy)
        : pinnedConnector(request, request.way),
    pipelining: 1,
    maxHeaderSize: 16_384,
    // The one deadline is the signal; a second clock would only blur what happened.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  try {
    const response = await client.request({
      method: request.method,
      path: `${request.url.pathname}${request.url.search}`,
      headers: { ...request.headers, 'accept-encoding': 'identity' },
      signal: request.signal,
      body: request.body ?? null,
    })
    const headers = readHeaders(response.headers)
    const body = request.wants(response.statusCode)
      ? await readBody(response, headers, request)
      : new Uint8Array()
    return { status: response.statusCode, headers, body }
  } finally {
    // Not close(): a body that nobody wants shall not be read to its end.
    await client.destroy()
  }
}

/** The type of undici says void, but its connector answers the socket; without it, a silent address would hold it for minutes. */
type Connect = (...given: Parameters<buildConnector.connector>) => Socket

/** What all connections to others have in common. `timeout` in milliseconds, for connecting; 0 is none. */
export function connectorTo(network: Network | undefined, timeout: number): Connect {
  const common = { allowH2: false, maxCachedSessions: 0, timeout, lookup: lookupName }
  const plain = buildConnector(common) as Connect
  let secure: Connect | undefined
  const makeSecure = (): Connect =>
    buildConnector({
      ...common,
      // Said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment does not count here.
      rejectUnauthorized: true,
      ...(network && { secureContext: secureContextOf(network) }),
    }) as Connect
  return (options, callback) => {
    if (options.protocol !== 'https:') return plain(options, callback)
    secure ??= makeSecure()
    return secure(options, callback)
  }
}

/** With an error, since the client does not look at the signal before it is connected: it would wait for ever. */
function destroyOnAbort(socket: Socket, signal: AbortSignal): void {
  signal.addEventListener('abort', () => socket.destroy(new Error('connecting took too long')))
}

function tunnelConnector(
  { url, network = {}, signal }: CheckedRequest,
  proxy: URL,
): buildConnector.connector {
  const connect = connectorTo(network, 0)
  return (options, callback) => {
    openTunnel(proxy, url, network, signal).then(
      (httpSocket) => destroyOnAbort(connect({ ...options, httpSocket }, callback), signal),
      (error: Error) => callback(error, null),
    )
  }
}

/** The longest that one address may keep the next one waiting, in milliseconds. */
const maxShare = 1000

/**
 * One address after the other. One that is silent (an IPv6 route that leads nowhere) gets a share of the time and no more; it is
 * tried again where all others have failed at once, since it may only have been slow.
 */
function pinnedConnector(
  { network, signal, endsAt }: CheckedRequest,
  { addresses }: { readonly addresses: readonly string[] },
): buildConnector.connector {
  const connect = connectorTo(network, 0)
  return (options, callback) => {
    const tryNext = ([hostname = '', ...others]: readonly string[], silent: readonly string[]): void => {
      let again = silent
      let timer: NodeJS.Timeout | undefined
      const done: buildConnector.Callback = (...result) => {
        clearTimeout(timer)
        if (result[0] === null || signal.aborted) callback(...result)
        else if (others.length > 0) tryNext(others, again)
        else if (again.length > 0) tryNext(again, [])
        else callback(...result)
      }
      // Only the place to connect to is ours: `options.host`, the name of the URL, stays what SNI and the certificate go by.
      const socket = connect({ ...options, hostname }, done)
      destroyOnAbort(socket, signal)
      if (others.length === 0) return
      const share = Math.min(maxShare, (endsAt - performance.now()) / (others.length + 1))
      timer = setTimeout(() => {
        again = [...silent, hostname]
        socket.destroy(new Error('this address is silent'))
      }, share)
    }
    tryNext(addresses, [])
  }
}

/** Headers as undici gives them. */
export function readHeaders(raw: Dispatcher.ResponseData['headers']): Headers {
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
