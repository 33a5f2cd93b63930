import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonRpcId, McpMessage } from '@warder/protocol'
import type { Outcome } from '../child-peer.ts'
import type { BridgeLog } from '../log.ts'
import { beginSession, type Session } from './begin-session.ts'
import { followAnswer } from './follow-answer.ts'
import { listenToSession } from './listen-to-session.ts'
import { createOpenRequests } from './open-requests.ts'
import { readTrouble } from './read-answer.ts'
import type { HostFacts, Server, ServerCall, ServerMessage } from './server.ts'
import { innermostWords, type ServerTrouble } from './server-trouble.ts'
import { sessionWire } from './session-wire.ts'
import type { UserFetch } from './user-fetch.ts'

const lastWordsMs = 500
/** A stream should end with its answer; one that does not is left after this. */
const lingerMs = 5000

/** How to speak with a server that has sessions. */
export interface SessionServerOptions {
  readonly url: string
  /** For what the host has asked for. */
  readonly fetch: UserFetch
  /** For what happens by itself: it never asks a person for anything. */
  readonly quietFetch: UserFetch
  readonly host: HostFacts
  /** What comes without belonging to a request. */
  readonly onMessage: (message: ServerMessage) => void | Promise<void>
  /** The server has forgotten the session, and there is a new one. */
  readonly onRenewed: (server: Server) => void
  /** Ends everything but the end of the session itself. */
  readonly signal: AbortSignal
  readonly log: BridgeLog
}

/**
 * A server of 2024-11-05 to 2025-11-25 over streamable HTTP: session, stream of its own messages, resumption (OT-01 to OT-09). Says
 * `initialize`; throws `ServerTrouble` when the server does not answer it as one of these.
 */
export async function openSessionServer(options: SessionServerOptions): Promise<Server> {
  const { fetch, quietFetch, host, onMessage, log, signal: ended } = options
  const wire = sessionWire(options.url)
  const requests = createOpenRequests()
  const stops = new Set<AbortController>()
  /** What was said without waiting for an answer, and is still on its way. */
  const quiet = new Set<Promise<void>>()
  let renewing: Promise<Session> | undefined

  const begin = (): Promise<Session> =>
    beginSession({ wire, fetch, host, requests, onNews: onMessage, signal: ended })
  let session = await begin()

  const listen = (own: Session): Promise<void> =>
    listenToSession({
      open: (lastEventId) => wire.openStream(quietFetch, own.headers, lastEventId, ended),
      onMessage: (message) => requests.take(message, onMessage),
      isCurrent: () => session === own,
      signal: ended,
      log,
    })

  /** One new session for all who notice that the old one is gone. */
  const renew = (old: Session): Promise<Session> => {
    if (session !== old) return Promise.resolve(session)
    renewing ??= (async () => {
      try {
        log({ level: 'info', event: 'connect.session-renewed' })
        session = await begin()
        void listen(session)
        options.onRenewed(server)
        return session
      } finally {
        renewing = undefined
      }
    })()
    return renewing
  }

  /** Sends a request, under a new session if the old one is over: then it has not been worked on. */
  const send = async (
    message: object,
    signal: AbortSignal,
  ): Promise<{ response: Response; own: Session }> => {
    const own = session
    const response = await wire.post(fetch, own.headers, message, signal)
    if (response.ok) return { response, own }
    const trouble = await readTrouble(response)
    if (!isSessionOver(own, trouble)) throw trouble
    const renewed = await renew(own)
    const second = await wire.post(fetch, renewed.headers, message, signal)
    if (!second.ok) throw await readTrouble(second)
    return { response: second, own: renewed }
  }

  const exchange = async (id: number, call: ServerCall, signal: AbortSignal): Promise<void> => {
    const params = call.params === undefined ? {} : { params: call.params }
    const { response, own } = await send({ jsonrpc: '2.0', id, method: call.method, ...params }, signal)
    try {
      await followAnswer(response, {
        isMissing: () => requests.isOpen(id),
        onMessage: (message: McpMessage) => requests.take(message, call.onMessage),
        resume: (lastEventId) => wire.openStream(fetch, own.headers, lastEventId, signal),
        signal,
        log,
      })
    } catch (error) {
      // It may still work on what the host is about to be told is lost.
      if (requests.isOpen(id) && !signal.aborted) tellCancelled(id)
      throw error
    }
  }

  const tellQuietly = (message: object): void => {
    const one = wire.tell(quietFetch, session.headers, message, ended).catch((error: unknown) => {
      if (!ended.aborted) log({ level: 'info', event: 'connect.not-delivered', why: innermostWords(error) })
    })
    quiet.add(one)
    void one.finally(() => quiet.delete(one))
  }

  const tellCancelled = (id: number): void =>
    tellQuietly({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })

  const request = (call: ServerCall): Promise<Outcome> =>
    new Promise((resolve, reject) => {
      if (call.signal.aborted) return resolve({ kind: 'cancelled' })
      const id = requests.nextId()
      const stop = new AbortController()
      let linger: NodeJS.Timeout | undefined
      const cancel = (): void => {
        if (!requests.forget(id)) return
        tellCancelled(id)
        stop.abort()
        resolve({ kind: 'cancelled' })
      }
      const done = (): void => call.signal.removeEventListener('abort', cancel)
      call.signal.addEventListener('abort', cancel, { once: true })
      requests.add(id, (outcome) => {
        done()
        resolve(outcome)
        linger = setTimeout(() => stop.abort(), lingerMs)
      })
      stops.add(stop)
      exchange(id, call, stop.signal)
        .catch((error: unknown) => {
          if (!requests.forget(id)) return
          done()
          reject(error)
        })
        .finally(() => {
          clearTimeout(linger)
          stops.delete(stop)
        })
    })

  const close = async (): Promise<void> => {
    const { headers, hasId } = session
    for (const stop of stops) stop.abort()
    // That something is cancelled should arrive before the session is over.
    await Promise.race([Promise.all(quiet), sleep(lastWordsMs, undefined, { ref: false })])
    if (!hasId) return
    await wire.end(quietFetch, headers).catch((error: unknown) => {
      log({ level: 'info', event: 'connect.session-not-ended', why: innermostWords(error) })
    })
  }

  const server: Server = {
    get facts() {
      return session.facts
    },
    request,
    notify: (method, params) =>
      tellQuietly({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) }),
    respond: (id: JsonRpcId, answer) => tellQuietly({ jsonrpc: '2.0', id, ...answer }),
    close,
  }
  void listen(session)
  return server
}

/** 404 says it (OT-01); servers made after the official examples say it with 400 and words. */
function isSessionOver({ hasId }: Session, { status, wire }: ServerTrouble): boolean {
  if (!hasId) return false
  return status === 404 || (status === 400 && wire !== undefined && /\bsession\b/i.test(wire.message))
}
