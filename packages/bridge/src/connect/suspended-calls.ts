import { randomUUID } from 'node:crypto'
import { isJsonObject, type JsonObject, type JsonRpcId, ownValue } from '@warder/protocol'
import type { Outcome, WireError } from '../child-peer.ts'
import { questions } from './input-rounds.ts'
import { makeError } from './outcome.ts'
import type { Server, ServerMessage, WireAnswer } from './server.ts'

/** Nobody keeps a form open for longer. */
const patienceMs = 15 * 60_000
/** Questions that come together are put together. */
const gatherMs = 20

/** A request of a host without sessions, as the host repeats it. */
export interface Round {
  readonly params: JsonObject | undefined
  /** What the host can do, by the request itself. */
  readonly capabilities: JsonObject
  readonly signal: AbortSignal
  /** Notifications that belong to the request. */
  readonly onNotification: (message: ServerMessage) => void | Promise<void>
}

/** Requests that wait for a host to answer questions in between. */
export interface SuspendedCalls {
  /** Puts a request to the server, or goes on with one that was suspended. */
  run(
    server: Server,
    method: string,
    round: Round,
    makeParams: (params: JsonObject | undefined) => JsonObject | undefined,
  ): Promise<Outcome>
  /** A question that came without belonging to a request: goes to the only request that is open. */
  takeStray(server: Server, message: ServerMessage): void
}

interface Call {
  readonly state: string
  readonly server: Server
  readonly stop: AbortController
  readonly outcome: Promise<Outcome>
  readonly asked: Map<string, { readonly id: JsonRpcId; readonly question: JsonObject }>
  round: Round | undefined
  capabilities: JsonObject
  wake: (() => void) | undefined
  timer: NodeJS.Timeout | undefined
  /** The server has finished; its answer has not been given to the host yet. */
  isDone: boolean
}

/** Methods that may be answered with questions (GW-73). */
const suspendable: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])

/**
 * Requests of a server with sessions, for a host without: they come back as `input_required`, and the request goes on when the host
 * repeats it with the answers (MRTR). The server knows nothing of it: for it, it is one request all the time.
 */
export function createSuspendedCalls(): SuspendedCalls {
  const calls = new Map<string, Call>()

  const ask = (call: Call, message: ServerMessage): void => {
    if (message.kind !== 'request') return
    const answer = answerSelf(call, message.method)
    if (answer !== undefined) {
      call.server.respond(message.id, answer)
      return
    }
    const question = {
      method: message.method,
      ...(message.params === undefined ? {} : { params: message.params }),
    }
    call.asked.set(randomUUID(), { id: message.id, question })
    setTimeout(() => call.wake?.(), gatherMs)
  }

  /** The server does not want to know any more. */
  const forget = (call: Call, message: ServerMessage): void => {
    for (const [key, { id }] of call.asked) if (id === message.params?.['requestId']) call.asked.delete(key)
  }

  const begin = (
    server: Server,
    method: string,
    round: Round,
    makeParams: (params: JsonObject | undefined) => JsonObject | undefined,
  ): Call => {
    const stop = new AbortController()
    const firstToken = progressTokenOf(round.params)
    const call: Call = {
      state: randomUUID(),
      server,
      stop,
      asked: new Map(),
      round,
      capabilities: round.capabilities,
      wake: undefined,
      timer: undefined,
      isDone: false,
      outcome: server.request({
        method,
        params: makeParams(round.params),
        signal: stop.signal,
        onMessage: (message) => {
          if (message.kind === 'request') return ask(call, message)
          if (message.method === 'notifications/cancelled') return forget(call, message)
          const now = call.round
          return now?.onNotification(withToken(message, firstToken, progressTokenOf(now.params)))
        },
      }),
    }
    calls.set(call.state, call)
    const finish = (): void => {
      call.isDone = true
      // Nobody waits for what the host answers now.
      call.asked.clear()
    }
    call.outcome.then(finish, finish)
    return call
  }

  const drop = (call: Call): void => {
    calls.delete(call.state)
    clearTimeout(call.timer)
  }

  /** The answer of the server, which is given to the host once. */
  const handOut = (call: Call): Promise<Outcome> => {
    drop(call)
    return call.outcome
  }

  const resume = (call: Call, round: Round): void => {
    clearTimeout(call.timer)
    call.round = round
    call.capabilities = round.capabilities
    const given = ownValue(round.params ?? {}, 'inputResponses')
    for (const [key, result] of Object.entries(isJsonObject(given) ? given : {})) {
      const open = call.asked.get(key)
      if (open === undefined || !isJsonObject(result)) continue
      call.asked.delete(key)
      call.server.respond(open.id, { result })
    }
  }

  const waitFor = async (call: Call, round: Round): Promise<Outcome> => {
    const stop = (): void => call.stop.abort()
    round.signal.addEventListener('abort', stop, { once: true })
    try {
      const woken = new Promise<undefined>((resolve) => {
        call.wake = () => call.asked.size > 0 && resolve(undefined)
      })
      if (call.asked.size > 0) call.wake?.()
      await Promise.race([call.outcome.catch(() => undefined), woken])
      if (call.isDone) return await handOut(call)
      // Nobody listens until the host comes back; it may never do so. An answer of the server waits as long.
      call.timer = setTimeout(() => {
        drop(call)
        stop()
      }, patienceMs)
      call.timer.unref()
      const inputRequests = Object.fromEntries([...call.asked].map(([key, { question }]) => [key, question]))
      return {
        kind: 'result',
        result: { resultType: 'input_required', inputRequests, requestState: call.state },
      }
    } finally {
      round.signal.removeEventListener('abort', stop)
      call.wake = undefined
      if (call.round === round) call.round = undefined
    }
  }

  return {
    run: (server, method, round, makeParams) => {
      const { onNotification, signal } = round
      if (!suspendable.has(method)) {
        const onMessage = (message: ServerMessage): void | Promise<void> => {
          if (message.kind === 'notification') return onNotification(message)
          server.respond(message.id, message.method === 'ping' ? { result: {} } : { error: notNow })
        }
        return server.request({ method, params: makeParams(round.params), signal, onMessage })
      }
      const state = ownValue(round.params ?? {}, 'requestState')
      if (state === undefined) return waitFor(begin(server, method, round, makeParams), round)
      const call = typeof state === 'string' ? calls.get(state) : undefined
      if (call === undefined || call.round !== undefined) {
        return Promise.resolve(makeError(-32602, 'This request is over. Send it again without requestState.'))
      }
      resume(call, round)
      return waitFor(call, round)
    },
    takeStray: (server, message) => {
      if (message.kind !== 'request') {
        for (const call of calls.values()) if (call.server === server) forget(call, message)
        return
      }
      const [only, ...others] = [...calls.values()].filter((call) => call.server === server && !call.isDone)
      if (message.method === 'ping') server.respond(message.id, { result: {} })
      else if (only === undefined || others.length > 0) server.respond(message.id, { error: notNow })
      else ask(only, message)
    },
  }
}

/** What is not put to the host. */
function answerSelf(call: Call, method: string): WireAnswer | undefined {
  if (method === 'ping') return { result: {} }
  const needed = ownValue(questions, method)
  if (typeof needed !== 'string') return { error: { code: -32601, message: 'Method not found' } }
  if (isJsonObject(ownValue(call.capabilities, needed))) return undefined
  return { error: { code: -32601, message: `The host does not support ${needed}.` } }
}

const notNow: WireError = { code: -32601, message: 'The host can only be asked while it calls a tool.' }

function progressTokenOf(params: JsonObject | undefined): unknown {
  const meta = ownValue(params ?? {}, '_meta')
  return isJsonObject(meta) ? ownValue(meta, 'progressToken') : undefined
}

/** The host has repeated its request under another token. */
function withToken(message: ServerMessage, before: unknown, now: unknown): ServerMessage {
  const given = message.params
  if (given === undefined || now === undefined || now === before || given['progressToken'] !== before)
    return message
  const params = { ...given, progressToken: now }
  return { ...message, params, value: { ...message.value, params } }
}
