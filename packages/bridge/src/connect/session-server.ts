import { setTimeout as sleep } from 'node:timers/promises'
import { isJsonObject, type JsonObject, type JsonRpcId, type McpMessage } from '@warder/protocol'
import type { Outcome } from '../child-peer.ts'
import type { BridgeLog } from '../log.ts'
import { knownSessionVersions, newestSessionVersion } from '../revisions.ts'
import { readOutcome } from './outcome.ts'
import { type AnswerReader, dropBody, readAnswer, readTrouble } from './read-answer.ts'
import { readRetryDelay } from './retry-delay.ts'
import type { HostFacts, Server, ServerCall, ServerFacts, ServerMessage } from './server.ts'
import { innermostWords, ServerTrouble } from './server-trouble.ts'
import type { UserFetch } from './user-fetch.ts'

const closeMs = 2000
const lastWordsMs = 500
/** A stream should end with its answer; one that does not is left after this. */
const lingerMs = 5000
const firstPauseMs = 1000
const longestPauseMs = 30_000
/** Resumptions one after the other that bring nothing new. */
const maxResumptions = 5

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

interface Place {
  readonly id?: string
  readonly retry?: number
}

interface Session {
  readonly headers: Readonly<Record<string, string>>
  readonly hasId: boolean
  readonly facts: ServerFacts
}

/**
 * A server of 2024-11-05 to 2025-11-25 over streamable HTTP: session, stream of its own messages, resumption (OT-01 to OT-09). Says
 * `initialize`; throws `ServerTrouble` when the server does not answer it as one of these.
 */
export async function openSessionServer(options: SessionServerOptions): Promise<Server> {
  const { url, fetch, quietFetch, log } = options
  /** Open requests by our ids. */
  const open = new Map<number, (outcome: Outcome) => void>()
  const ended = options.signal
  const stops = new Set<AbortController>()
  /** What was said without waiting for an answer, and is still on its way. */
  const quiet = new Set<Promise<void>>()
  let nextId = 1
  let renewing: Promise<Session> | undefined

  const post = (
    send: UserFetch,
    session: Pick<Session, 'headers'>,
    message: object,
    signal: AbortSignal,
  ): Promise<Response> =>
    send(url, {
      method: 'POST',
      headers: {
        ...session.headers,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(message),
      signal,
    })

  /** All messages come through here, on whichever stream; answers find their request by its id. */
  const take = (message: McpMessage, call: ServerCall | undefined): void | Promise<void> => {
    if (message.kind !== 'response') return (call?.onMessage ?? options.onMessage)(message)
    const settle = open.get(message.id as number)
    if (settle === undefined) return
    open.delete(message.id as number)
    settle(readOutcome(message.value))
  }

  const initialize = async (): Promise<Session> => {
    const { version, capabilities, clientInfo } = options.host
    const protocolVersion = knownSessionVersions.includes(version) ? version : newestSessionVersion
    const id = nextId++
    const params = { protocolVersion, capabilities, clientInfo }
    const response = await post(
      fetch,
      { headers: {} },
      { jsonrpc: '2.0', id, method: 'initialize', params },
      ended,
    )
    if (!response.ok) throw await readTrouble(response)
    const facts = readInitialization(await readGreeting(response, id))
    const sessionId = response.headers.get('mcp-session-id')
    const session: Session = {
      headers: {
        'mcp-protocol-version': facts.version,
        ...(sessionId === null ? {} : { 'mcp-session-id': sessionId }),
      },
      hasId: sessionId !== null,
      facts: facts.facts,
    }
    const greeted = await post(fetch, session, { jsonrpc: '2.0', method: 'notifications/initialized' }, ended)
    if (!greeted.ok) throw await readTrouble(greeted)
    dropBody(greeted)
    return session
  }

  /** The answer itself: the stream that brings it may stay open. */
  const readGreeting = (response: Response, id: number): Promise<Outcome | undefined> =>
    new Promise((resolve, reject) => {
      open.set(id, resolve)
      const onMessage = (message: McpMessage): void | Promise<void> => take(message, undefined)
      readAnswer(response, { onMessage, onGarbage: () => undefined })
        .then(() => resolve(undefined), reject)
        .finally(() => open.delete(id))
    })

  let session = await initialize()

  /** One new session for all who notice that the old one is gone. */
  const renew = (old: Session): Promise<Session> => {
    if (session !== old) return Promise.resolve(session)
    renewing ??= (async () => {
      try {
        log({ level: 'info', event: 'connect.session-renewed' })
        session = await initialize()
        void listen(session)
        options.onRenewed(server)
        return session
      } finally {
        renewing = undefined
      }
    })()
    return renewing
  }

  /** The server's own stream, as long as the session lives (OT-04). */
  const listen = async (own: Session): Promise<void> => {
    const place: { id?: string; retry?: number } = {}
    let pause = firstPauseMs
    while (session === own && !ended.aborted) {
      const begun = performance.now()
      if (await listenOnce(own, place)) return
      // One that ends at once would end at once again.
      if (performance.now() - begun > longestPauseMs) pause = firstPauseMs
      const delayMs = readRetryDelay(place.retry, pause)
      await sleep(delayMs, undefined, { signal: ended, ref: false }).catch(() => undefined)
      pause = Math.min(pause * 1.5, longestPauseMs)
    }
  }

  /** True when there is nothing to listen to, now or later: some servers have no such stream. */
  const listenOnce = async (own: Session, place: { id?: string; retry?: number }): Promise<boolean> => {
    try {
      const response = await openStream(quietFetch, own, place.id, ended)
      if (response === undefined) return true
      await readAnswer(response, {
        onMessage: (message) => take(message, undefined),
        onGarbage: (why) => log({ level: 'warn', event: 'connect.garbage', why }),
        onPlace: (news) => void Object.assign(place, news),
      })
      return false
    } catch (error) {
      if (ended.aborted) return true
      const isFinal = error instanceof ServerTrouble && error.kind !== 'unreachable'
      const event = isFinal ? 'connect.no-stream' : 'connect.stream-broke'
      log({ level: 'info', event, why: innermostWords(error) })
      return isFinal
    }
  }

  const openStream = async (
    send: UserFetch,
    own: Session,
    lastEventId: string | undefined,
    signal: AbortSignal,
  ): Promise<Response | undefined> => {
    const headers = {
      ...own.headers,
      accept: 'text/event-stream',
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    }
    const response = await send(url, { method: 'GET', headers, signal })
    if (response.status === 405) {
      dropBody(response)
      return undefined
    }
    if (!response.ok) throw await readTrouble(response)
    return response
  }

  /** Sends a request, under a new session if the old one is over: then it has not been worked on. */
  const send = async (
    message: object,
    signal: AbortSignal,
  ): Promise<{ response: Response; own: Session }> => {
    const own = session
    const response = await post(fetch, own, message, signal)
    if (response.ok) return { response, own }
    const trouble = await readTrouble(response)
    if (!isSessionOver(own, trouble)) throw trouble
    const renewed = await renew(own)
    const second = await post(fetch, renewed, message, signal)
    if (!second.ok) throw await readTrouble(second)
    return { response: second, own: renewed }
  }

  const exchange = async (id: number, call: ServerCall, signal: AbortSignal): Promise<void> => {
    const params = call.params === undefined ? {} : { params: call.params }
    const { response, own } = await send({ jsonrpc: '2.0', id, method: call.method, ...params }, signal)
    try {
      await follow(id, call, response, own, signal)
    } catch (error) {
      // It may still work on what the host is about to be told is lost.
      if (open.has(id) && !signal.aborted) tellCancelled(id)
      throw error
    }
  }

  /** Reads what comes back until the answer is there, over several streams if they break. */
  const follow = async (
    id: number,
    call: ServerCall,
    first: Response,
    own: Session,
    signal: AbortSignal,
  ): Promise<void> => {
    let response: Response | undefined = first
    let place: Place = {}
    let flaw = 'it ended its answer before it had given one'
    const reader = {
      onMessage: (news: McpMessage) => take(news, call),
      onGarbage: (why: string): void => {
        flaw = `it sent something that is no MCP message (${why})`
        log({ level: 'warn', event: 'connect.garbage', why })
      },
      onPlace: (news: Place): void => {
        place = { ...place, ...news }
      },
    }
    for (let attempt = 0; ; attempt += 1) {
      const { id: known } = place
      const broken = response === undefined ? undefined : await tryRead(response, reader)
      if (!open.has(id) || signal.aborted) return
      // A server that lets us poll (SEP-1699) ends its streams on purpose, for as long as it works.
      if (place.id !== known) attempt = 0
      if (place.id === undefined || attempt >= maxResumptions)
        throw broken ?? new ServerTrouble('answer', flaw)
      const delayMs = readRetryDelay(place.retry, firstPauseMs * 1.5 ** attempt)
      await sleep(delayMs, undefined, { signal })
      response = await openStream(fetch, own, place.id, signal).catch(unlessFinal)
    }
  }

  const sendQuietly = (message: object): void => {
    const work = async (): Promise<void> => {
      const response = await post(quietFetch, session, message, ended)
      if (response.ok) dropBody(response)
      else throw await readTrouble(response)
    }
    const one = work().catch((error: unknown) => {
      if (!ended.aborted) log({ level: 'info', event: 'connect.not-delivered', why: innermostWords(error) })
    })
    quiet.add(one)
    void one.finally(() => quiet.delete(one))
  }

  const tellCancelled = (id: number): void =>
    sendQuietly({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })

  const server: Server = {
    get facts() {
      return session.facts
    },
    request: (call) =>
      new Promise((resolve, reject) => {
        const id = nextId++
        const stop = new AbortController()
        const done = (): void => call.signal.removeEventListener('abort', cancel)
        const cancel = (): void => {
          if (!open.delete(id)) return
          tellCancelled(id)
          stop.abort()
          resolve({ kind: 'cancelled' })
        }
        const settle = (outcome: Outcome): void => {
          done()
          resolve(outcome)
          linger = setTimeout(() => stop.abort(), lingerMs)
        }
        let linger: NodeJS.Timeout | undefined
        if (call.signal.aborted) return resolve({ kind: 'cancelled' })
        call.signal.addEventListener('abort', cancel, { once: true })
        open.set(id, settle)
        stops.add(stop)
        exchange(id, call, stop.signal)
          .catch((error: unknown) => {
            if (!open.delete(id)) return
            done()
            reject(error)
          })
          .finally(() => {
            clearTimeout(linger)
            stops.delete(stop)
          })
      }),
    notify: (method, params) =>
      sendQuietly({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) }),
    respond: (id: JsonRpcId, answer) => sendQuietly({ jsonrpc: '2.0', id, ...answer }),
    close: async () => {
      const { headers, hasId } = session
      for (const stop of stops) stop.abort()
      // That something is cancelled should arrive before the session is over.
      await Promise.race([Promise.all(quiet), sleep(lastWordsMs, undefined, { ref: false })])
      if (!hasId) return
      try {
        dropBody(
          await quietFetch(url, {
            method: 'DELETE',
            headers: { ...headers },
            signal: AbortSignal.timeout(closeMs),
          }),
        )
      } catch (error) {
        log({ level: 'info', event: 'connect.session-not-ended', why: innermostWords(error) })
      }
    },
  }
  void listen(session)
  return server
}

/** Reads a stream; gives back how it broke, and throws what no second try would change. */
async function tryRead(response: Response, reader: AnswerReader): Promise<unknown> {
  return readAnswer(response, reader).catch((error: unknown) => unlessFinal(error) ?? error)
}

/** Throws what no second try would change. */
function unlessFinal(error: unknown): undefined {
  if (error instanceof ServerTrouble && error.kind !== 'unreachable') throw error
}

/** 404 says it (OT-01); servers made after the official examples say it with 400 and words. */
function isSessionOver({ hasId }: Session, { status, wire }: ServerTrouble): boolean {
  if (!hasId) return false
  return status === 404 || (status === 400 && wire !== undefined && /\bsession\b/i.test(wire.message))
}

function readInitialization(outcome: Outcome | undefined): { version: string; facts: ServerFacts } {
  if (outcome?.kind === 'error') {
    throw new ServerTrouble('answer', `it refused to begin: ${outcome.error.message}`, {
      wire: outcome.error,
    })
  }
  if (outcome?.kind !== 'result') throw new ServerTrouble('answer', 'it did not answer the greeting')
  const { protocolVersion, capabilities, serverInfo, instructions } = outcome.result
  if (typeof protocolVersion !== 'string' || !knownSessionVersions.includes(protocolVersion)) {
    throw new ServerTrouble('answer', 'it speaks a revision of MCP that is not known here')
  }
  return {
    version: protocolVersion,
    facts: {
      era: 'session',
      capabilities: isJsonObject(capabilities) ? capabilities : {},
      serverInfo: readInfo(serverInfo),
      ...(typeof instructions === 'string' ? { instructions } : {}),
    },
  }
}

/** Name and version must be there for hosts that check it; the rest stays. */
export function readInfo(info: unknown): JsonObject {
  const given = isJsonObject(info) ? info : {}
  const name = typeof given['name'] === 'string' ? given['name'] : 'unknown'
  const version = typeof given['version'] === 'string' ? given['version'] : 'unknown'
  return { ...given, name, version }
}
