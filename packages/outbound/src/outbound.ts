import { Refusal } from '@warder/protocol'
import { bareHost, isLiteral, readTarget } from './check-url.ts'
import { findProxy } from './find-proxy.ts'
import type { Network } from './network.ts'
import { type Reach, reaches } from './reach.ts'
import { type Resolve, resolveName } from './resolve-name.ts'
import { type RawAnswer, sendRequest } from './send-request.ts'

export interface OutboundOptions {
  /**
   * For tests and development: a URL for which it says true may be http, on any port, and lead to any address, such as
   * loopback. Only the checks of scheme, port, name and address are off, and only for that URL; the spelling of the URL,
   * redirects, sizes, encodings and the deadline hold as ever, and our own origins stay refused.
   */
  readonly dangerouslyAllowFetch?: ((url: URL) => boolean) | undefined
  /** All addresses of a name, in the order to try. Default: the resolver of the system. */
  readonly resolve?: Resolve | undefined
  /** Our own origins, such as the issuer: their host names are refused on every port. Another name for
   * this machine is only refused when its addresses are not public. */
  readonly ownOrigins?: readonly string[] | undefined
  /** Proxies for https, and whom TLS trusts and presents. Default: no proxy, what Node trusts, no client certificate. */
  readonly network?: Network | undefined
  /** How far a URL may lead. Default: the public Internet. */
  readonly reach?: Reach | undefined
}

export interface OutboundRequest {
  /** Default GET. */
  readonly method?: 'GET' | 'POST' | undefined
  /** With POST; its type goes into `headers`. */
  readonly body?: string | undefined
  /** `ok` (the default): 200 and nothing else. `any`: every status that is no redirect is an answer, with its body. */
  readonly statuses?: 'ok' | 'any' | undefined
  /** Value of `Accept`. The type of the answer is not checked against it. */
  readonly accept: string
  /** Largest body; counted while it streams. */
  readonly maxBytes: number
  /** For everything together: resolving, connecting, waiting, reading. Default 3,000. */
  readonly timeoutMs?: number | undefined
  /** More headers, such as `if-none-match`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** What was asked for by `statuses`, with its body, or 304 without one when the request had `if-none-match` or `if-modified-since`. */
export interface OutboundAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array
}

export type OutboundFetch = (url: string, request: OutboundRequest) => Promise<OutboundAnswer>

/**
 * Makes the one fetch for URLs that somebody else chose (documents and endpoints of clients, of servers and of those who issue
 * tokens). It answers the document, or throws a `Refusal` with reason `outbound.…`, whose detail is for the log and never
 * quotes the remote body.
 *
 * The name is resolved once, every address of it must be within reach (public, if nothing else is said), and the connection goes
 * to a checked address. https only, on 443 and from 1024 up without the ports of databases and the like; within reach of
 * loopback also http, and every port there. No redirects, no cookies, no compressed bodies, and no proxies but those of
 * `network` (never from the environment by itself): behind one, it is the proxy that resolves names, and what is checked is that
 * they are none of this machine, and inside of the reach as far as names tell. On a network with DNS64, names without IPv6 of their own are refused, since NAT64
 * addresses are.
 *
 * Does not check the content: type, UTF-8 and JSON are the reader's business. Does not count fetches or cache.
 */
export function createOutbound(options: OutboundOptions = {}): OutboundFetch {
  const own = (options.ownOrigins ?? []).map((origin) => new URL(origin))
  const { network, resolve = resolveName } = options
  const rules = reaches[options.reach ?? 'public']
  return async (raw, request) => {
    const url = readTarget(raw)
    const isDangerous = options.dangerouslyAllowFetch?.(url) === true
    checkNotOwn(url, own, isDangerous)
    if (!isDangerous) rules.checkUrl(url)
    // Nothing but https goes to others, and https only through a tunnel: what a token is in is never read on the way (Q29).
    const proxy = url.protocol === 'https:' ? findProxy(url, network?.proxies) : undefined
    const headers = plainHeaders(request)
    const deadline = new AbortController()
    const { timeoutMs = 3000 } = request
    const endsAt = performance.now() + timeoutMs
    const timer = setTimeout(() => deadline.abort(), timeoutMs)
    const { signal } = deadline
    try {
      const isKnownToProxy = proxy !== undefined && !isLiteral(url.hostname)
      const addresses = isKnownToProxy ? [] : await findAddresses(url, resolve, signal)
      if (!isDangerous) rules.checkFound(url, addresses)
      const answer = await sendRequest({
        url,
        way: proxy === undefined ? { addresses } : { proxy },
        network,
        method: request.method ?? 'GET',
        headers,
        body: request.body,
        wants: (status) => request.statuses === 'any' || status === 200,
        maxBytes: request.maxBytes,
        signal,
        endsAt,
      })
      return checkAnswer(answer, headers, request.statuses)
    } catch (error) {
      throw asRefusal(error, url, signal)
    } finally {
      clearTimeout(timer)
    }
  }
}

async function findAddresses(url: URL, resolve: Resolve, signal: AbortSignal): Promise<readonly string[]> {
  if (isLiteral(url.hostname)) return [bareHost(url.hostname)]
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('resolving took too long')))
  })
  const found = await Promise.race([resolve(url.hostname), late])
  if (found.length > 0) return found.map(({ address }) => address)
  throw new Refusal('outbound.unreachable', { detail: `${url.hostname} has no address` })
}

/** E30: fetching from ourselves would let a stranger use what only we can reach. */
function checkNotOwn(url: URL, own: readonly URL[], isDangerous: boolean): void {
  const isOwn = own.some((mine) =>
    isDangerous ? mine.origin === url.origin : mine.hostname === url.hostname,
  )
  if (isOwn) throw new Refusal('outbound.address', { detail: `${url.hostname} is this server itself` })
}

/** Whatever went wrong as a refusal; the code of the error goes to the log, the text of the remote side never does. */
function asRefusal(error: unknown, url: URL, signal: AbortSignal): Refusal {
  if (signal.aborted) return new Refusal('outbound.timeout', { detail: url.host })
  if (error instanceof Refusal) return error
  // Not as cause: errors of the HTTP parser carry what the remote side sent.
  const code = error instanceof Error ? ('code' in error ? String(error.code) : error.name) : 'unknown'
  return new Refusal('outbound.unreachable', { detail: `${url.host}: ${code}` })
}

const connectionHeaders: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'transfer-encoding',
  'content-length',
  'cookie',
])

function plainHeaders(request: OutboundRequest): Readonly<Record<string, string>> {
  const headers = new Headers(request.headers)
  if (!headers.has('user-agent')) headers.set('user-agent', 'warder')
  headers.set('accept', request.accept)
  for (const name of connectionHeaders) headers.delete(name)
  return Object.fromEntries(headers)
}

function checkAnswer(
  answer: RawAnswer,
  asked: Readonly<Record<string, string>>,
  statuses: OutboundRequest['statuses'],
): OutboundAnswer {
  const { status, headers } = answer
  const isConditional = Object.hasOwn(asked, 'if-none-match') || Object.hasOwn(asked, 'if-modified-since')
  if (status === 304 && isConditional) return answer
  if (status === 304) throw new Refusal('outbound.status', { detail: '304 although nothing was cached' })
  if ((status >= 300 && status < 400) || headers.has('refresh')) {
    throw new Refusal('outbound.redirect', { detail: `status ${status}` })
  }
  if (status !== 200 && statuses !== 'any')
    throw new Refusal('outbound.status', { detail: `status ${status}` })
  return answer
}
