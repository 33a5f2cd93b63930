import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RefusalContext } from '@warder/guard'
import type { Principal } from '@warder/policy'
import { type McpMessage, Refusal, toRefusal } from '@warder/protocol'
import { authorizeCall, type Verdict } from './authorize-call.ts'
import { allowedMethods, corsHeaders } from './cors.ts'
import type { DecisionEntry, DecisionLog } from './decision-log.ts'
import { filterAnswer } from './filter-answer.ts'
import type { Exchange } from './open-exchanges.ts'
import { type IncomingCall, readIncomingCall, readMessage } from './read-call.ts'
import { type Head, only } from './read-head.ts'
import type { RefusalWriter } from './refusal-writer.ts'
import type { Route } from './route.ts'
import { readMediaType, readTraceparent } from './upstream-headers.ts'
import { writeBody, writeWhole } from './write-answer.ts'

/** An authenticated request, and what it takes to answer it. */
export interface Arrival {
  readonly route: Route
  readonly log: DecisionLog
  readonly now: () => number
  readonly head: Head
  readonly principal: Principal
  readonly exchange: Exchange
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly writer: RefusalWriter
}

/** What is known of the message so far: for the words of a refusal and for the log. */
interface Progress {
  message?: McpMessage
  incoming?: IncomingCall
}

/**
 * One request in a line: read it, decide, record the decision, and only then forward it; filter what comes back, answer,
 * record the outcome. Never throws.
 */
export async function handleCall(arrival: Arrival): Promise<void> {
  const { route, log, head, principal, req, writer } = arrival
  const startedAt = arrival.now()
  const progress: Progress = {}
  let verdict: Verdict
  let id: string
  try {
    const message = await readMessage(req, head)
    if (message !== undefined) progress.message = message
    progress.incoming = readIncomingCall(message, head, route.upstream.takesResponses)
    verdict = authorizeCall(route.guard, principal, progress.incoming)
    id = await log.recordDecision(decisionEntry(arrival, progress, verdict))
  } catch (error) {
    const refusal = toRefusal(error)
    // A refused call is recorded where it can be; it stays refused where it cannot.
    await log.recordDecision(refusedEntry(arrival, progress, refusal)).catch(() => undefined)
    await writer.refuse(refusal, contextOf(arrival, progress))
    return
  }
  const outcome = { bytes: 0, error: undefined as string | undefined }
  try {
    if (verdict.decision.outcome === 'open') {
      await forward(arrival, progress, (bytes) => {
        outcome.bytes += bytes
      })
    } else {
      outcome.bytes = await writer.write(
        route.guard.refuseDecision(verdict.decision, verdict.call, contextOf(arrival, progress)),
      )
    }
  } catch (error) {
    outcome.error = await answerFailure(arrival, progress, error)
  } finally {
    log.recordOutcome(id, {
      status: arrival.res.statusCode,
      durationMs: arrival.now() - startedAt,
      bytes: outcome.bytes,
      ...(outcome.error === undefined ? {} : { error: outcome.error }),
    })
  }
}

async function forward(arrival: Arrival, progress: Progress, count: (bytes: number) => void): Promise<void> {
  const { route, head, principal, exchange, res } = arrival
  const incoming = progress.incoming!
  exchange.signal.throwIfAborted()
  const answer = await route.upstream.send({
    httpMethod: head.method as 'POST' | 'GET' | 'DELETE',
    principal,
    server: route.guard.server,
    resource: route.guard.resource,
    message: progress.message,
    stateless: incoming.stateless,
    headers: head.headers,
    signal: exchange.signal,
  })
  const { status, headers, body } = await filterAnswer(
    route.guard,
    principal,
    incoming.method,
    answer,
    exchange.signal,
  )
  exchange.signal.throwIfAborted()
  const isStream = readMediaType(headers['content-type']) === 'events'
  const ours = {
    'cache-control': isStream ? 'no-cache, no-transform' : 'no-store',
    ...headers,
    ...(isStream ? { 'x-accel-buffering': 'no' } : {}),
    ...corsHeaders(only(head, 'origin')),
  }
  if (body === undefined || body instanceof Uint8Array) {
    count(writeWhole(res, { status, headers: ours, body }))
    return
  }
  if (isStream) exchange.endWithToken()
  res.writeHead(status, { 'x-content-type-options': 'nosniff', ...ours })
  await writeBody(res, body, exchange.signal, count)
}

/** Answers what went wrong behind the decision, and says it for the log. */
async function answerFailure(arrival: Arrival, progress: Progress, error: unknown): Promise<string> {
  const { exchange, res, writer } = arrival
  const ended: unknown = exchange.signal.aborted ? exchange.signal.reason : undefined
  if (ended !== undefined && !(ended instanceof Refusal)) {
    res.destroy()
    return 'client.closed'
  }
  const refusal = toRefusal(ended ?? error)
  if (!res.headersSent) await writer.refuse(refusal, contextOf(arrival, progress))
  // We end a stream cleanly; one that broke must look broken, or a half answer passes for a whole one.
  else if (ended !== undefined) res.end()
  else res.destroy()
  if (ended === undefined && res.headersSent && refusal.reason === 'internal') return 'upstream.unreachable'
  return refusal.reason
}

function contextOf({ head, principal }: Arrival, { message }: Progress): RefusalContext {
  const era = message?.version ?? only(head, 'mcp-protocol-version')
  return {
    principal,
    ...(message?.id === undefined ? {} : { id: message.id }),
    ...(era === undefined ? {} : { era }),
    allow: allowedMethods,
  }
}

function decisionEntry(arrival: Arrival, progress: Progress, { decision, call }: Verdict): DecisionEntry {
  const { route } = arrival
  return {
    outcome: decision.outcome,
    because: decision.because,
    ...(decision.outcome === 'locked' ? { reason: 'scope.insufficient' } : {}),
    ...(decision.outcome === 'hidden' ? { reason: 'call.unknown' } : {}),
    ...commonEntry(arrival, progress),
    ...(call.kind === 'session' ? {} : { target: call.kind === 'resource' ? call.uri : call.name }),
    policy: route.guard.policyDigest(),
  }
}

function refusedEntry(arrival: Arrival, progress: Progress, refusal: Refusal): DecisionEntry {
  const { detail } = refusal.notes
  return {
    outcome: 'refused',
    reason: refusal.reason,
    ...(detail === undefined ? {} : { because: detail }),
    ...commonEntry(arrival, progress),
  }
}

function commonEntry(
  { route, head, principal }: Arrival,
  { message, incoming }: Progress,
): Omit<DecisionEntry, 'outcome'> {
  const { user, client, grantId, tokenId, scopes } = principal
  const method = incoming?.method ?? message?.method
  const traceparent = readTraceparent(head.headers)
  return {
    server: route.guard.server,
    ...(method === undefined ? {} : { method }),
    issuer: user.issuer,
    subject: user.subject,
    client: client.id,
    clientClass: client.class,
    scopes: [...scopes],
    ...(grantId === undefined ? {} : { grantId }),
    tokenId,
    ...(head.peer === undefined ? {} : { peer: head.peer }),
    ...(traceparent === undefined ? {} : { traceparent }),
  }
}
