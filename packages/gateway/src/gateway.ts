import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Guard } from '@warder/guard'
import type { Principal } from '@warder/policy'
import { Refusal, toRefusal } from '@warder/protocol'
import { checkDoor, checkHost, readDoor } from './check-door.ts'
import { preflightHeaders } from './cors.ts'
import type { DecisionLog } from './decision-log.ts'
import { createRoutes, type Found } from './find-route.ts'
import { handleCall } from './handle-call.ts'
import { createListCursors } from './list-cursors.ts'
import { oldTransport } from './old-transport.ts'
import { createOpenExchanges, type Exchange, type ExchangeLimits } from './open-exchanges.ts'
import { checkNoBody } from './read-body.ts'
import { type Head, readHead, splitTarget } from './read-head.ts'
import { refusalWriter } from './refusal-writer.ts'
import type { Route } from './route.ts'
import { dropStalled, writeWhole } from './write-answer.ts'

export interface GatewayOptions {
  readonly routes: readonly Route[]
  readonly log: DecisionLog
  /**
   * 32 random bytes that survive a restart; list cursors are sealed under a key derived from them. Nodes that share it read the
   * cursors of each other.
   */
  readonly secret: Uint8Array
  /** Web origins whose pages may call, as browsers serialize them; none by default. Requests without Origin always may. */
  readonly allowedOrigins: readonly string[]
  /** `host[:port]` as clients write it in the URL. */
  readonly allowedHosts: readonly string[]
  readonly limits?: ExchangeLimits
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

export interface Gateway {
  /** Takes the request, or says false at once when its path is none of ours; never throws. */
  handle(req: IncomingMessage, res: ServerResponse): boolean
  /** Ends what these callers have in progress, calls and streams: for revocations. */
  closeStreams(match: (principal: Principal) => boolean): void
  /**
   * Ends the calls that the policy would not let pass any more, and the streams that stay open for news; all others go on to their
   * answer. For a policy that became narrower.
   */
  closeNarrowed(): void
  /** Ends the streams that stay open for news; calls in progress go on to their answer. For a stop that loses nothing. */
  closeNews(): void
  /** Ends everything in progress and the upstreams, and records how it ended; the log stays open. */
  close(): Promise<void>
}

/**
 * A reverse proxy with a guard for MCP servers that nobody can change. Each request is authenticated, read once and
 * strictly, decided and recorded before its exact bytes go on. Throws on options that cannot work. Does not listen by itself:
 * see `gatewayServerOptions`.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const { log } = options
  const now = options.now ?? Date.now
  const door = readDoor(options)
  const routes = createRoutes(options.routes)
  const exchanges = createOpenExchanges(now, options.limits)
  const cursors = createListCursors(options.secret)
  const { stalled, ending = 5_000 } = options.limits ?? {}
  const inProgress = new Set<Promise<void>>()

  async function handleEndpoint(
    { route, kind }: Found,
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<void> {
    let head: Head
    let principal: Principal
    let exchange: Exchange
    try {
      head = readHead(req)
      checkDoor(head, door)
      if (head.method === 'OPTIONS') {
        checkNoBody(head)
        writeWhole(res, { status: 204, headers: preflightHeaders(head.headers), body: undefined })
        return
      }
      // Before anything of the body is looked at: a stranger learns nothing about methods and tools (GW-57).
      principal = await route.guard.authenticate({
        authorization: head.headers.get('authorization') ?? [],
        ...(head.query === undefined ? {} : { query: head.query }),
      })
      // Its connection was closed while we looked at the token; nothing will tell us any more.
      if (res.destroyed) return
      if (kind === 'old-transport') throw oldTransport(route.guard.resource)
      exchange = exchanges.open(principal)
    } catch (error) {
      const refusal = toRefusal(error)
      const peer = req.socket.remoteAddress
      log.countRefusal({
        server: route.guard.server,
        reason: refusal.reason,
        ...(peer === undefined ? {} : { peer }),
      })
      await refusalWriter(route.guard, door, req, res).refuse(refusal)
      return
    }
    res.once('close', () => {
      if (!res.writableFinished) exchange.abort(new Error('the client closed the connection'))
    })
    try {
      await handleCall({ route, log, now, head, principal, exchange, cursors, door, stalled, req, res })
    } finally {
      exchange.done()
    }
  }

  async function handleMetadata(route: Route, req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      const head = readHead(req)
      checkHost(head, door)
      if (head.method !== 'GET' && head.method !== 'OPTIONS') throw new Refusal('http.method')
      checkNoBody(head)
      writeWhole(res, metadataAnswer(route.guard, head.method))
    } catch (error) {
      await refusalWriter(route.guard, door, req, res).refuse(toRefusal(error))
    }
  }

  return {
    handle(req, res) {
      const target = req.url ?? ''
      const found = target.startsWith('/') ? routes.find(splitTarget(target).path) : routes.anyRoute
      if (found === undefined) return false
      const handling =
        found.kind === 'metadata' ? handleMetadata(found.route, req, res) : handleEndpoint(found, req, res)
      const done = (): void => {
        inProgress.delete(settled)
        if (res.writableLength > 0) dropStalled(res, stalled)
      }
      // Only writing to a broken connection can still fail here, and there is nobody left to tell.
      const settled = handling.then(done, () => {
        res.destroy()
        done()
      })
      inProgress.add(settled)
      return true
    },
    closeStreams: (match) => exchanges.close(match, new Refusal('token.revoked')),
    closeNarrowed: () => exchanges.closeNarrowed(new Refusal('token.revoked')),
    closeNews: () => exchanges.closeNews(closing()),
    async close() {
      exchanges.close(() => true, closing())
      await Promise.all(options.routes.map((route) => route.upstream.close()))
      await within(ending, Promise.all(inProgress))
    },
  }
}

/** Waits for it, but not longer than so many milliseconds. */
async function within(patience: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController()
  const patient = delay(patience, undefined, { signal: over.signal }).catch(() => undefined)
  await Promise.race([work, patient])
  over.abort()
}

function closing(): Refusal {
  return new Refusal('upstream.unreachable', { detail: 'the gateway closes' })
}

/** The protected resource metadata is for everybody, browsers on any origin included. */
function metadataAnswer(guard: Guard, method: string): Parameters<typeof writeWhole>[1] {
  const headers = {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET',
    'access-control-allow-headers': 'mcp-protocol-version',
  }
  if (method === 'OPTIONS') return { status: 204, headers, body: undefined }
  return {
    status: 200,
    headers: { ...headers, 'content-type': 'application/json', 'cache-control': 'max-age=300' },
    body: JSON.stringify(guard.metadata()),
  }
}
