import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RefusalContext } from '@warder/guard'
import type { Principal } from '@warder/policy'
import { type McpPost, Refusal, toRefusal } from '@warder/protocol'
import { areOpen, areStillOpen, authorizeCall, type DecidedCall } from './authorize-call.ts'
import type { Door } from './check-door.ts'
import { allowedMethods, corsHeaders } from './cors.ts'
import { decisionEntries, refusedEntry } from './decision-entry.ts'
import type { DecisionLog } from './decision-log.ts'
import { filterAnswer } from './filter-answer.ts'
import type { ListCursors } from './list-cursors.ts'
import { makeOutgoing } from './make-outgoing.ts'
import { isFirstWord, oldTransport } from './old-transport.ts'
import type { Exchange } from './open-exchanges.ts'
import { checkNoBody, readBody } from './read-body.ts'
import { type Incoming, readIncoming, readPost } from './read-call.ts'
import { type Head, only } from './read-head.ts'
import { type RefusalWriter, refusalWriter } from './refusal-writer.ts'
import { endedAnswer, refuseCalls } from './refuse-calls.ts'
import type { Route } from './route.ts'
import { listenStreamWords, type StreamWords, sessionStreamWords } from './stream-words.ts'
import { readMediaType } from './upstream-headers.ts'
import { dropStalled, writeBody, writeWhole, writeWords } from './write-answer.ts'

/** An authenticated request, and what it takes to answer it. */
export interface Arrival {
  readonly route: Route
  readonly log: DecisionLog
  readonly now: () => number
  readonly head: Head
  readonly principal: Principal
  readonly exchange: Exchange
  readonly cursors: ListCursors
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly door: Door
  /** Milliseconds: see `ExchangeLimits`. */
  readonly stalled: number | undefined
}

/** What is known of the request so far: for the words of a refusal and for the log. */
interface Progress {
  post?: McpPost
  incoming?: Incoming
  /** Whether it may have taken effect: it was sent on, and is more than a stream that waits for news. */
  mayHaveRun?: boolean
  /** Set while the answer is a stream on which we may say something ourselves. */
  words?: StreamWords
}

/** A request that may be acted upon: decided and on the disk. */
interface Recorded {
  readonly decided: readonly DecidedCall[]
  readonly outgoing: McpPost | undefined
  /** Present where the answer is to stay open for news. */
  readonly news: StreamWords | undefined
  /** Of the records of its decisions. */
  readonly ids: readonly string[]
}

/**
 * One request in a line: read it, decide about each message, record the decisions, and only then forward it; filter what comes
 * back, answer, record the outcome. Never throws.
 */
export async function handleCall(arrival: Arrival): Promise<void> {
  const { route, log } = arrival
  const startedAt = arrival.now()
  const progress: Progress = {}
  let recorded: Recorded
  try {
    recorded = await decideAndRecord(arrival, progress)
  } catch (error) {
    const refusal = sayTransport(arrival, toRefusal(error))
    const method = progress.incoming?.calls[0].method ?? progress.post?.messages[0].method
    // A refused call is recorded where it can be; it stays refused where it cannot.
    await log.recordDecision(refusedEntry(arrival, method, refusal)).catch(() => undefined)
    await writerOf(arrival).refuse(refusal, contextOf(arrival, progress))
    return
  }
  const { decided, ids } = recorded
  const outcome = { bytes: 0, error: undefined as string | undefined }
  const count = (bytes: number): void => {
    outcome.bytes += bytes
  }
  try {
    if (areOpen(decided)) {
      await forward(arrival, progress, recorded, count)
    } else {
      const isBatch = progress.post?.isBatch === true
      count(
        await writerOf(arrival).write(
          refuseCalls(route.guard, decided, isBatch, contextOf(arrival, progress)),
        ),
      )
    }
  } catch (error) {
    outcome.error = await answerFailure(arrival, progress, error)
  } finally {
    log.recordOutcome(ids, {
      status: arrival.res.statusCode,
      durationMs: arrival.now() - startedAt,
      bytes: outcome.bytes,
      ...(outcome.error === undefined ? {} : { error: outcome.error }),
    })
  }
}

async function decideAndRecord(arrival: Arrival, progress: Progress): Promise<Recorded> {
  const { route, log, head, principal, exchange, req, cursors } = arrival
  let post: McpPost | undefined
  if (head.method === 'POST') {
    post = readPost(await readBody(req, head, exchange.signal), head)
    progress.post = post
  } else {
    checkNoBody(head)
  }
  const incoming = readIncoming(post, head, route.upstream.takesResponses)
  progress.incoming = incoming
  const news = newsWords(incoming)
  const decided = incoming.calls.map((call) => authorizeCall(route.guard, principal, call))
  exchange.settle({
    isNews: news !== undefined,
    isStillOpen: () => areStillOpen(route.guard, principal, incoming.calls),
  })
  const outgoing = makeOutgoing(post, decided, cursors, { guard: route.guard, principal })
  const entries = decisionEntries(arrival, decided, () => outgoing && log.digest(outgoing.bytes))
  return { decided, outgoing, news, ids: await log.recordDecisions(entries) }
}

async function forward(
  arrival: Arrival,
  progress: Progress,
  { outgoing, news }: Recorded,
  count: (bytes: number) => void,
): Promise<void> {
  const { route, head, principal, exchange, res, cursors } = arrival
  const incoming = progress.incoming!
  exchange.signal.throwIfAborted()
  progress.mayHaveRun = news === undefined
  const answer = await route.upstream.send({
    httpMethod: head.method as 'POST' | 'GET' | 'DELETE',
    principal,
    server: route.guard.server,
    resource: route.guard.resource,
    post: outgoing,
    stateless: incoming.stateless,
    headers: head.headers,
    signal: exchange.signal,
  })
  if (isFirstWord(head) && answer.status >= 400) throw new Refusal('http.method')
  const { status, headers, body } = await filterAnswer(
    { guard: route.guard, principal },
    cursors,
    incoming,
    answer,
    exchange.signal,
  )
  exchange.signal.throwIfAborted()
  const isStream = readMediaType(headers['content-type']) === 'events'
  const ours: Record<string, string> = { 'cache-control': isStream ? 'no-cache, no-transform' : 'no-store' }
  Object.assign(ours, headers, corsHeaders(only(head, 'origin')))
  if (isStream) ours['x-accel-buffering'] = 'no'
  if (body === undefined || body instanceof Uint8Array) {
    count(writeWhole(res, { status, headers: ours, body }))
    return
  }
  dropStalled(res, arrival.stalled)
  res.writeHead(status, { 'x-content-type-options': 'nosniff', ...ours })
  if (news === undefined || !isStream) return writeBody(res, body, exchange.signal, count)
  progress.words = news
  exchange.endWithToken()
  exchange.onWiderToken(() => count(writeWords(res, news.toolsChanged())))
  await writeBody(res, news.watch(body), exchange.signal, count)
}

/** The streams that stay open for news, and so can carry ours. */
function newsWords({ calls, post }: Incoming): StreamWords | undefined {
  const [{ method, message }] = calls
  if (post === undefined) return method === 'GET' ? sessionStreamWords : undefined
  const isListen = method === 'subscriptions/listen' && message?.kind === 'request'
  return isListen ? listenStreamWords(message.id) : undefined
}

/** Answers what went wrong behind the decision, and says it for the log. */
async function answerFailure(arrival: Arrival, progress: Progress, error: unknown): Promise<string> {
  const { exchange, res } = arrival
  const ended: unknown = exchange.signal.aborted ? exchange.signal.reason : undefined
  if (ended !== undefined && !(ended instanceof Refusal)) {
    res.destroy()
    return 'client.closed'
  }
  const refusal = sayTransport(arrival, toRefusal(ended ?? error))
  if (!res.headersSent) await writeFailure(arrival, progress, refusal)
  // We end a stream cleanly; one that broke must look broken, or a half answer passes for a whole one.
  else if (ended !== undefined) res.end(progress.words?.completion())
  else res.destroy()
  if (ended === undefined && res.headersSent && refusal.reason === 'internal') return 'upstream.unreachable'
  return refusal.reason
}

/** A challenge brings the client back with another token and the same call: one that may have run gets none (O14). */
async function writeFailure(arrival: Arrival, progress: Progress, refusal: Refusal): Promise<void> {
  const writer = writerOf(arrival)
  const context = contextOf(arrival, progress)
  if (progress.mayHaveRun === true && refusal.rule.status === 401)
    await writer.write(endedAnswer(arrival.route.guard, progress.post, context))
  else await writer.refuse(refusal, context)
}

/** A client that asks for a stream before anything else is told in words where there is none. */
function sayTransport({ head, route }: Arrival, refusal: Refusal): Refusal {
  const hasNoStream = refusal.reason === 'http.method' || refusal.reason === 'session.missing'
  return isFirstWord(head) && hasNoStream ? oldTransport(route.guard.resource) : refusal
}

function writerOf({ route, door, req, res }: Arrival): RefusalWriter {
  return refusalWriter(route.guard, door, req, res)
}

function contextOf({ head, principal }: Arrival, { post }: Progress): RefusalContext {
  const message = post?.isBatch === false ? post.messages[0] : undefined
  const era = message?.version ?? only(head, 'mcp-protocol-version')
  return {
    principal,
    ...(message?.id === undefined ? {} : { id: message.id }),
    ...(era === undefined ? {} : { era }),
    allow: allowedMethods,
  }
}
