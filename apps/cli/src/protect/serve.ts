import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import type { Gateway } from '@warder/gateway'
import type { AnsweringServer } from './issuing.ts'
import { logToTerminal } from './log-to-terminal.ts'
import { rawValues, readWebRequest, writeAnswer } from './web-adapter.ts'

/** What stands behind the one port. */
export interface Served {
  readonly publicUrl: string
  readonly gateway: Gateway
  readonly authorizationServer: AnsweringServer | undefined
  /** Throws while the server cannot answer calls. */
  readonly ready: () => Promise<void>
  readonly trustProxy: boolean
}

/** Shares the port: health, then MCP endpoints and their metadata, then the authorization server. */
export function serve(served: Served): RequestListener {
  const ownHost = new URL(served.publicUrl).host
  const ready = together(served.ready)
  return (req, res) => {
    if (req.url === '/healthz' || req.url === '/readyz') void answerHealth(req, res, ready)
    else if (served.gateway.handle(req, res)) return
    else if (!isOurHost(req, ownHost))
      answerText(res, 421, `This host name is not served here. Use ${served.publicUrl}`)
    else if (served.authorizationServer === undefined)
      answerText(res, 404, 'There is nothing at this address.')
    else
      answerAuthorizationServer(req, res, served, served.authorizationServer).catch((error) =>
        fail(res, error),
      )
  }
}

/** Whoever asks while an answer is on its way gets that one: strangers may ask, and each answer costs a look into the store. */
function together(ask: () => Promise<void>): () => Promise<void> {
  let answer: Promise<void> | undefined
  return () => {
    answer ??= ask().finally(() => {
      answer = undefined
    })
    return answer
  }
}

async function answerHealth(
  req: IncomingMessage,
  res: ServerResponse,
  ready: () => Promise<void>,
): Promise<void> {
  if (req.url === '/healthz') return answerText(res, 200, 'ok')
  try {
    await ready()
    answerText(res, 200, 'ready')
  } catch {
    answerText(res, 503, 'not ready')
  }
}

/** Methods that no request of the web platform has, so nothing of ours is asked by them. */
const unreadable: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK'])

/** One Host header, and ours: a name that an attacker points at this address (DNS rebinding) gets nothing. */
function isOurHost(req: IncomingMessage, ownHost: string): boolean {
  const hosts = rawValues(req, 'host')
  return hosts.length === 1 && hosts[0]?.toLowerCase() === ownHost
}

async function answerAuthorizationServer(
  req: IncomingMessage,
  res: ServerResponse,
  served: Served,
  authorizationServer: AnsweringServer,
): Promise<void> {
  // An absolute-form target would choose the URL that we parse.
  if (req.url?.startsWith('/') !== true || req.url.startsWith('//'))
    return answerText(res, 400, 'The request target must be a plain path.')
  if (unreadable.has(req.method ?? '')) return answerText(res, 405, 'This method is not allowed here.')
  const request = await readWebRequest(req, served.publicUrl)
  if (request === 'too-large') {
    res.setHeader('connection', 'close')
    return answerText(res, 413, 'The body is larger than is accepted here.')
  }
  writeAnswer(
    await authorizationServer.answer(request, { address: peerAddress(req, served.trustProxy) }),
    res,
  )
}

/** The peer, or what our own proxy says of it: the last entry is the only one that the proxy wrote itself. */
function peerAddress(req: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? req.headers['x-forwarded-for'] : undefined
  const last = (Array.isArray(forwarded) ? forwarded.join(',') : forwarded)?.split(',').at(-1)?.trim() ?? ''
  // Some proxies write the port too; each connection would then be a peer of its own to the limits.
  const bare = last.replace(/^\[([^\]]*)\](?::[0-9]+)?$/, '$1').replace(/^([0-9.]+):[0-9]+$/, '$1')
  return isIP(bare) === 0 ? (req.socket.remoteAddress ?? 'unknown') : bare
}

function answerText(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'same-origin',
  })
  res.end(`${text}\n`)
}

function fail(res: ServerResponse, error: unknown): void {
  if (res.destroyed) return
  logToTerminal({ level: 'error', event: 'request failed', error: String(error) })
  if (res.headersSent) res.destroy()
  else answerText(res, 500, 'Something went wrong here. The details are in the log of the server.')
}
