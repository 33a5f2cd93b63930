import { isJsonObject, type McpMessage, Refusal } from '@warder/protocol'
import {
  type AskedRequest,
  acceptedAnswer,
  answerOutcome,
  answerRequest,
  jsonAnswer,
} from './answer-request.ts'
import type { ChildNotice } from './child-notice.ts'
import type { Outcome } from './child-peer.ts'
import type { Children } from './children.ts'
import { forwardedMethods, makeInitialization } from './eras.ts'
import { createEventStream, eventStreamHeaders } from './event-stream.ts'
import type { HostedAnswer, HostedCall } from './hosted-call.ts'
import { newestSessionVersion, servedSessionVersions } from './revisions.ts'
import { cancelRequest, type Session, type Sessions } from './sessions.ts'

/** Resources that one session may watch: as many as one `subscriptions/listen` may name. */
const maxWatched = 200

type Request = Extract<McpMessage, { kind: 'request' }>

/** Answers a call of revision 2025-11-25 or 2025-06-18: a session from `initialize` to DELETE (OT-01 to OT-09). */
export async function answerSession(
  children: Children,
  sessions: Sessions,
  call: HostedCall,
): Promise<HostedAnswer> {
  const { message } = call
  if (call.httpMethod === 'POST' && message?.kind === 'request' && message.method === 'initialize') {
    return initializeAnswer(children, sessions, call, message)
  }
  const session = sessions.find(call.headers.sessionId, call.owner, call.clientId)
  if (call.httpMethod === 'GET') return streamAnswer(session, call)
  if (call.httpMethod === 'DELETE') {
    sessions.end(session)
    return { status: 204, headers: {}, body: undefined }
  }
  if (message === undefined) throw new Refusal('message.shape', { detail: 'the body is missing' })
  if (message.kind === 'request') return requestAnswer(sessions, session, call, message)
  // Nothing was ever asked of the client, so that its responses answer nothing (OT-07); other notifications do not
  // concern a child that serves several sessions.
  if (message.kind === 'notification' && message.method === 'notifications/cancelled') {
    cancelRequest(session, message.params)
  }
  return acceptedAnswer()
}

/** The child was initialized long ago; this tells what it said then. A version that is not served is answered with ours. */
async function initializeAnswer(
  children: Children,
  sessions: Sessions,
  call: HostedCall,
  message: Request,
): Promise<HostedAnswer> {
  const asked = isJsonObject(message.params) ? message.params['protocolVersion'] : undefined
  if (typeof asked !== 'string') throw new Refusal('message.params', { detail: 'protocolVersion is missing' })
  const version = servedSessionVersions.includes(asked) ? asked : newestSessionVersion
  const { child, release } = await children.acquire(call.owner, call.clientId)
  try {
    const session = sessions.create(call.owner, call.clientId, child)
    const result = makeInitialization(child.facts, version)
    return jsonAnswer({ jsonrpc: '2.0', id: message.id, result }, 200, { 'mcp-session-id': session.id })
  } finally {
    release()
  }
}

async function requestAnswer(
  sessions: Sessions,
  session: Session,
  call: HostedCall,
  message: Request,
): Promise<HostedAnswer> {
  const { id, method, params } = message
  const { child } = session
  if (child.isClogged()) throw new Refusal('upstream.busy', { detail: 'the child does not read its input' })
  if (method === 'ping') return jsonAnswer({ jsonrpc: '2.0', id, result: {} })
  if (method === 'resources/unsubscribe') return unwatchAnswer(session, message)
  if (method === 'resources/subscribe' && child.watched.supported) {
    const uri = readWatchedUri(session, message)
    const asked = openRequest(sessions, session, call.signal, message)
    return answerOutcome(asked, ({ signal }) => watch(session, uri, signal))
  }
  // In a shared child the level would be everybody's, and nobody gets its messages.
  const isLogging = method === 'logging/setLevel' && !child.shared
  if (!forwardedMethods.has(method) && !isLogging) {
    return unknownMethodAnswer(message)
  }
  return answerRequest({ ...openRequest(sessions, session, call.signal, message), params })
}

/**
 * A request that the child works on. It goes on without its client (OT-08), which does not keep the child alive for ever, but
 * not without its right (N07).
 */
function openRequest(
  sessions: Sessions,
  session: Session,
  exchange: AbortSignal,
  { id, method }: Request,
): AskedRequest {
  const { child } = session
  const { cancelled, cancel, done } = sessions.track(session, id)
  const release = child.hold()
  const left = new AbortController()
  const stop = whenAborted(exchange, (reason) => {
    release()
    left.abort('gone')
    if (reason instanceof Refusal) cancel()
  })
  const onDone = (): void => {
    stop()
    done()
    release()
  }
  return { child, era: 'session', id, method, gone: left.signal, cancelled, onDone }
}

/**
 * Calls `then` with the reason when the exchange aborts, unless the returned function is called before. The request may outlive the
 * exchange for long, and must not keep it: on its signal hang all that the client has sent.
 */
function whenAborted(exchange: AbortSignal, then: (reason: unknown) => void): () => void {
  let kept: AbortSignal | undefined = exchange
  const onAbort = (): void => {
    const reason: unknown = kept?.reason
    kept = undefined
    then(reason)
  }
  exchange.addEventListener('abort', onAbort, { once: true })
  return () => kept?.removeEventListener('abort', onAbort)
}

/** With the status 200: for clients with sessions, 404 would mean that the session has ended. */
function unknownMethodAnswer({ id }: Request): HostedAnswer {
  return jsonAnswer({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } })
}

/** Throws `http.throttled` when the session may not watch one more. */
function readWatchedUri({ watching }: Session, message: Request): string {
  const uri = readUri(message)
  if (watching.size >= maxWatched && !watching.has(uri))
    throw new Refusal('http.throttled', { detail: 'watched resources of a session' })
  return uri
}

async function watch(session: Session, uri: string, signal: AbortSignal): Promise<Outcome> {
  if (!session.watching.has(uri)) {
    const { outcome, stop } = await session.child.watched.watch(uri, signal)
    if (outcome.kind !== 'result') return outcome
    session.watching.get(uri)?.()
    session.watching.set(uri, stop)
    if (session.ended) stop()
  }
  return { kind: 'result', result: {} }
}

function unwatchAnswer(session: Session, message: Request): HostedAnswer {
  const uri = readUri(message)
  session.watching.get(uri)?.()
  session.watching.delete(uri)
  return jsonAnswer({ jsonrpc: '2.0', id: message.id, result: {} })
}

function readUri(message: Request): string {
  const uri = isJsonObject(message.params) ? message.params['uri'] : undefined
  if (typeof uri !== 'string') throw new Refusal('message.params', { detail: 'uri is missing' })
  return uri
}

/** The GET stream of a session (OT-04). Its events have no ids: nothing is replayed, to nobody (OT-06). */
function streamAnswer(session: Session, call: HostedCall): HostedAnswer {
  const { child } = session
  const release = child.hold()
  const stop = child.listen((notice) => {
    if (!concerns(session, notice)) return
    stream.send({ jsonrpc: '2.0', method: notice.method, params: notice.params })
  })
  const onEnd = (): void => {
    stop()
    release()
    if (session.stream === stream) session.stream = undefined
  }
  const stream = createEventStream({ signal: call.signal, onEnd })
  session.stream?.end()
  session.stream = stream
  return { status: 200, headers: { ...eventStreamHeaders }, body: stream.body }
}

/**
 * Log messages may quote what a tool was given and what it found, and a child does not say for whom it was working: as
 * soon as a second client of the user has come, with other rights perhaps, nobody gets them, and from a child that users
 * share never.
 */
function concerns(session: Session, notice: ChildNotice): boolean {
  if (notice.method === 'notifications/message')
    return !session.child.shared && session.child.clients.size === 1
  if (notice.method === 'notifications/resources/updated') return session.watching.has(notice.params.uri)
  return true
}
