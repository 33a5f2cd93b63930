import type { Readable } from 'node:stream'
import { isLoopbackHost, Refusal } from '@warder/protocol'
import { Agent, type buildConnector, type Dispatcher } from 'undici'
import { readTarget } from './check-url.ts'
import { findProxy } from './find-proxy.ts'
import type { Network } from './network.ts'
import { openTunnel, proxyAuthorization } from './open-tunnel.ts'
import { connectorTo, readHeaders } from './send-request.ts'

export interface UserRequest {
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | undefined
  /** Ends connecting, waiting and reading alike; the fetch then fails with its reason. */
  readonly signal?: AbortSignal | undefined
}

/** A fetch for the server that the user named. Throws `outbound.url`, `outbound.unreachable`, `outbound.content`. */
export type UserFetch = (url: string, init: UserRequest) => Promise<Response>

const connectMs = 10_000

/**
 * Makes the fetch for a server that the user named and that may be anywhere: addresses are not checked. It waits for an answer
 * as long as the signal lets it (a tool may take minutes), and the body streams, as events do.
 *
 * A redirect is answered as it came and never followed, so that a token goes to no other origin. Over http to anything but
 * this machine no `Authorization` is sent: the request is refused (CL-65). Behind a proxy, https goes by CONNECT alone (Q29).
 * Not for URLs that a server chose: those are `createOutbound`'s.
 */
export function createUserFetch(network: Network = {}): UserFetch {
  const direct = agentWith(connectorTo(network, connectMs))
  const tunnelled = agentWith(throughTunnel(network))
  return async (raw, init) => {
    const url = readTarget(raw)
    const headers = readRequestHeaders(init)
    checkConfidential(url, headers)
    const proxy = findProxy(url, network.proxies)
    const options = {
      method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
      body: init.body ?? null,
      ...(init.signal && { signal: init.signal }),
    }
    const path = `${url.pathname}${url.search}`
    const answered =
      proxy === undefined || url.protocol === 'https:'
        ? (proxy ? tunnelled : direct).request({ ...options, origin: url.origin, path, headers })
        : direct.request({
            ...options,
            origin: proxy.origin,
            path: url.href,
            headers: { ...headers, host: url.host, ...proxyAuthorization(proxy) },
          })
    return readResponse(await inTime(answered, url, init.signal), url)
  }
}

function agentWith(connect: buildConnector.connector): Agent {
  // The signal is the only clock: streams of events are silent for hours.
  return new Agent({ connect, allowH2: false, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 })
}

function throughTunnel(network: Network): buildConnector.connector {
  const connect = connectorTo(network, connectMs)
  return (options, callback) => {
    const url = new URL(`${options.protocol}//${options.host ?? options.hostname}`)
    const proxy = findProxy(url, network.proxies)
    if (proxy === undefined) return callback(new Error('no proxy'), null)
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), connectMs)
    openTunnel(proxy, url, network, late.signal)
      .finally(() => clearTimeout(timer))
      .then(
        (httpSocket) => connect({ ...options, httpSocket }, callback),
        (error: Error) => callback(error, null),
      )
  }
}

/** What belongs to the connection is not the caller's to say; an encoded body would have to be decoded, without a bound. */
const connectionHeaders = ['host', 'connection', 'transfer-encoding', 'content-length', 'proxy-authorization']

function readRequestHeaders({ headers: given }: UserRequest): Record<string, string> {
  const headers = new Headers(given)
  for (const name of connectionHeaders) headers.delete(name)
  if (!headers.has('user-agent')) headers.set('user-agent', 'warder')
  headers.set('accept-encoding', 'identity')
  return Object.fromEntries(headers)
}

function checkConfidential(url: URL, headers: Readonly<Record<string, string>>): void {
  if (url.protocol === 'https:' || isLoopbackHost(url.hostname)) return
  if (Object.hasOwn(headers, 'authorization')) {
    throw new Refusal('outbound.url', { detail: `a token does not go to ${url.host} over plain http` })
  }
}

/** The client does not look at the signal before it is connected. */
async function inTime<Answer>(
  answered: Promise<Answer>,
  url: URL,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  let giveUp = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    giveUp = () => reject(signal?.reason)
  })
  if (signal?.aborted) giveUp()
  signal?.addEventListener('abort', giveUp)
  try {
    return await Promise.race([answered, aborted])
  } catch (error) {
    if (signal?.aborted || error instanceof Refusal) throw error
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    throw new Refusal('outbound.unreachable', { detail: `${url.host}: ${code}` })
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
}

const bodiless: ReadonlySet<number> = new Set([204, 205, 304])

function readResponse(
  { statusCode: status, headers: raw, body }: Dispatcher.ResponseData,
  url: URL,
): Response {
  // What lies above makes no Response; HTTP has no meaning for it either (RFC 9110 section 15).
  if (status > 599) {
    body.on('error', () => {}).destroy()
    throw new Refusal('outbound.content', { detail: `${url.host} answered with status ${status}` })
  }
  const headers = readHeaders(raw)
  const encoding = headers.get('content-encoding') ?? 'identity'
  if (bodiless.has(status) || encoding.toLowerCase() !== 'identity') {
    body.on('error', () => {}).destroy()
    if (bodiless.has(status)) return new Response(null, { status, headers })
    throw new Refusal('outbound.content', {
      detail: 'the body is encoded, although identity was asked for',
    })
  }
  return new Response(streamOf(body), { status, headers })
}

/** Not `Readable.toWeb`: a stream of that, cancelled before it is read, stays open or ends the process (Node 24). */
function streamOf(body: Readable): ReadableStream<Uint8Array<ArrayBuffer>> {
  body.on('error', () => {})
  const chunks: AsyncIterator<Uint8Array<ArrayBuffer>> = body[Symbol.asyncIterator]()
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel() {
        body.destroy()
      },
    },
    { highWaterMark: 0 },
  )
}
