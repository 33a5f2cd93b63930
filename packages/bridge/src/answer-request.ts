import { isJsonObject, type JsonObject, type JsonRpcId, type McpEra } from '@warder/protocol'
import type { Outcome, RequestOptions, WireError } from './child-peer.ts'
import { asksForInput, makeChildParams, makeClientError, makeClientResult } from './eras.ts'
import { createEventStream, type EventStream, eventStreamHeaders } from './event-stream.ts'
import type { HostedAnswer } from './hosted-call.ts'
import type { HostedChild } from './hosted-child.ts'

const streamAfterMs = 5000
const maxWaitingProgress = 100

/** A request that waits for its answer. What it asks is not among this: it may be large, and the answer may never come. */
export interface AskedRequest {
  readonly child: HostedChild
  readonly era: McpEra
  readonly id: JsonRpcId
  readonly method: string
  /** The HTTP client is gone: nothing is written any more. */
  readonly gone: AbortSignal
  /** The request is cancelled. For a stateless client that is the same (GW-10), for one with a session it is not (OT-08). */
  readonly cancelled: AbortSignal
  readonly onDone: () => void
}

type AskOptions = RequestOptions & { readonly signal: AbortSignal }

/** A request that goes to the child as it is. */
export interface ForwardedRequest extends AskedRequest {
  readonly params: unknown
}

/** Asks the child what the client asked, and answers as `answerOutcome` does. */
export function answerRequest({ params, ...asked }: ForwardedRequest): Promise<HostedAnswer> {
  const { child, method } = asked
  const progressToken = readProgressToken(params)
  const makeParams = (token: number | undefined): JsonObject =>
    makeChildParams(params, child.facts.era, token)
  return answerOutcome({ ...asked, progressToken }, (options) =>
    child.peer.request(method, makeParams, options),
  )
}

/**
 * Answers with what `ask` comes to: as JSON when that is soon, as an event stream as soon as there is progress to report, or
 * when it takes so long that the connection needs signs of life.
 */
export function answerOutcome(
  asked: AskedRequest & { readonly progressToken?: string | number | undefined },
  ask: (options: AskOptions) => Promise<Outcome>,
): Promise<HostedAnswer> {
  const { answer, options, finish } = openReply(asked, asked.progressToken)
  void ask(options).then(finish)
  return answer
}

/** Where the outcome of a request goes. */
function openReply(
  asked: AskedRequest,
  progressToken: string | number | undefined,
): {
  readonly answer: Promise<HostedAnswer>
  readonly options: AskOptions
  finish(outcome: Outcome): void
} {
  const { era, gone } = asked
  const { promise, resolve } = Promise.withResolvers<HostedAnswer>()
  const readerGone = new AbortController()
  let stream: EventStream | undefined
  let settled = false

  const openStream = (): EventStream => {
    if (stream !== undefined) return stream
    const onEnd = (): void => {
      if (!settled) readerGone.abort()
    }
    stream = createEventStream({ signal: gone, onEnd })
    resolve({ status: 200, headers: { ...eventStreamHeaders }, body: stream.body })
    return stream
  }
  const patience = setTimeout(openStream, streamAfterMs)
  // Nobody waits any more, so that the exchange is over, also where the request is not.
  gone.addEventListener('abort', openStream, { once: true })

  const finish = (outcome: Outcome): void => {
    settled = true
    clearTimeout(patience)
    gone.removeEventListener('abort', openStream)
    asked.onDone()
    if (outcome.kind === 'cancelled') {
      // Who has cancelled does not wait for an answer any more, and none may be made up.
      openStream().end()
      return
    }
    const message = { jsonrpc: '2.0', id: asked.id, ...makeAnswer(outcome, asked) }
    if (stream === undefined) resolve(jsonAnswer(message, statusOf(message.error, era)))
    else stream.end(message)
  }

  const onProgress = (progress: JsonObject): void => {
    const target = openStream()
    // A reader that is slow loses news, not the answer.
    if (target.waiting() > maxWaitingProgress) return
    const own = { ...progress, progressToken }
    target.send({ jsonrpc: '2.0', method: 'notifications/progress', params: own })
  }
  const ends = era === 'stateless' ? [asked.cancelled, readerGone.signal] : [asked.cancelled]
  const signal = AbortSignal.any(ends)
  return {
    answer: promise,
    options: progressToken === undefined ? { signal } : { signal, onProgress },
    finish,
  }
}

function makeAnswer(
  outcome: Exclude<Outcome, { kind: 'cancelled' }>,
  request: AskedRequest,
): { result?: JsonObject; error?: WireError } {
  if (outcome.kind === 'error') return { error: makeClientError(outcome.error, request.era) }
  const { result } = outcome
  if (asksForInput(result)) {
    return {
      error: {
        code: -32603,
        message: 'The MCP server behind Warder asks for input, which is not supported.',
      },
    }
  }
  return { result: makeClientResult(request.method, result, request.era, request.child.facts) }
}

function readProgressToken(params: unknown): string | number | undefined {
  const meta = isJsonObject(params) ? params['_meta'] : undefined
  const token = isJsonObject(meta) ? meta['progressToken'] : undefined
  return typeof token === 'string' || typeof token === 'number' ? token : undefined
}

/** For clients with sessions a 404 would end the session; there an error is always 200 (OT-01). */
const statusOf = (error: WireError | undefined, era: McpEra): number =>
  era === 'stateless' && error?.code === -32601 ? 404 : 200

/** One JSON message. */
export function jsonAnswer(
  message: object,
  status = 200,
  headers: Record<string, string> = {},
): HostedAnswer {
  const body = new TextEncoder().encode(JSON.stringify(message))
  return { status, headers: { 'content-type': 'application/json', ...headers }, body }
}

/** 202 without a body, for what needs no answer (GW-05). */
export function acceptedAnswer(): HostedAnswer {
  return { status: 202, headers: {}, body: undefined }
}
