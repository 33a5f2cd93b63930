import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { isJsonObject, type JsonObject, type McpRequest, ownValue } from '@warder/protocol'
import type { Outcome, WireError } from '../child-peer.ts'
import { makeClientResult } from '../eras.ts'
import { newestSessionVersion } from '../revisions.ts'
import { bringToServer, type Desk, type HostSide } from './desk.ts'
import { createEars, type Ears } from './ears.ts'
import { addEnvelope, makeEnvelope, unknownHost } from './envelope.ts'
import { runQuietly } from './errand.ts'
import { questions, runInputRounds } from './input-rounds.ts'
import { createLateLists } from './late-lists.ts'
import { makeError, makeToolError } from './outcome.ts'
import type { HostFacts, Server, ServerCall, ServerMessage } from './server.ts'
import { innermostWords } from './server-trouble.ts'
import { changes, makeInitialization } from './told-facts.ts'

const nothing: Outcome = { kind: 'result', result: {} }
/** Nobody answers more at a time. */
const maxQuestions = 100
const refusalPauseMs = 10
const tooManyQuestions: WireError = {
  code: -32603,
  message: `The host has ${maxQuestions} questions to answer already. Ask again when it has answered some.`,
}

/** A host of 2024-11-05 to 2025-11-25: one session from `initialize` to the end of its output. */
export function createSessionHost(desk: Desk): HostSide {
  const { wire, link } = desk
  const watched = new Set<string>()
  /** Questions of the server that the host has not answered yet, by the server's ids. */
  const asked = new Map<string, AbortController>()
  /** All of them, also where a server uses an id twice. */
  let openQuestions = 0
  let host: HostFacts = { version: newestSessionVersion, capabilities: {}, clientInfo: unknownHost }
  let begun = false
  let logLevel: JsonObject | undefined
  let ears: Ears | undefined

  const initialize = (params: JsonObject): Outcome => {
    const { protocolVersion, capabilities, clientInfo } = params
    host = {
      version: typeof protocolVersion === 'string' ? protocolVersion : newestSessionVersion,
      capabilities: isJsonObject(capabilities) ? capabilities : {},
      clientInfo: isJsonObject(clientInfo) ? clientInfo : unknownHost,
    }
    begun = true
    desk.introduce(host)
    link.begin()
    return { kind: 'result', result: makeInitialization(desk.facts(), protocolVersion) }
  }

  const envelope = (): JsonObject => {
    const level = logLevel?.['level']
    return makeEnvelope(host, typeof level === 'string' ? level : undefined)
  }

  /** What a server with sessions asks goes to the host under an id of ours, and the answer back under its own. */
  const passOn = (server: Server, message: ServerMessage, signal: AbortSignal): void | Promise<void> => {
    if (message.kind === 'notification') {
      if (message.method !== 'notifications/cancelled') return wire.send(message.value)
      asked.get(JSON.stringify(message.params?.['requestId']))?.abort()
      return
    }
    if (message.method === 'ping') return server.respond(message.id, { result: {} })
    if (openQuestions >= maxQuestions) {
      server.respond(message.id, { error: tooManyQuestions })
      // A server that goes on asking is read slowly, or refusing it would be the flood.
      return sleep(refusalPauseMs)
    }
    const key = JSON.stringify(message.id)
    const stop = new AbortController()
    asked.set(key, stop)
    openQuestions += 1
    const either = AbortSignal.any([signal, stop.signal])
    void wire.ask(message.method, message.params, either).then((outcome) => {
      openQuestions -= 1
      if (asked.get(key) === stop) asked.delete(key)
      if (outcome.kind === 'result') server.respond(message.id, { result: outcome.result })
      else if (outcome.kind === 'error') server.respond(message.id, { error: outcome.error })
    })
  }

  const bringToSession = (server: Server, request: McpRequest, signal: AbortSignal): Promise<Outcome> => {
    const { method, params } = request
    return server.request({ method, params, signal, onMessage: (message) => passOn(server, message, signal) })
  }

  const bringToStateless = async (
    server: Server,
    request: McpRequest,
    signal: AbortSignal,
  ): Promise<Outcome> => {
    const { method, params } = request
    const send = (own: JsonObject): Promise<Outcome> => {
      const call: ServerCall = {
        method,
        params: addEnvelope(own, envelope()),
        signal,
        onMessage: (message) => wire.send(message.value),
      }
      return server.request(call)
    }
    const outcome = await runInputRounds(params ?? {}, send, (asked, about) => askHost(asked, about, signal))
    const isUnasked = outcome.kind === 'error' && outcome.error.code === unsupported
    if (isUnasked && method === 'tools/call') return makeToolError(outcome.error.message)
    if (outcome.kind !== 'result') return outcome
    return { kind: 'result', result: makeClientResult(method, outcome.result, 'session', server.facts) }
  }

  /** A question of a server without sessions, as a request of its own. */
  const askHost = async (
    method: string,
    params: JsonObject | undefined,
    signal: AbortSignal,
  ): Promise<Outcome> => {
    const isUrl = method === 'elicitation/create' && params?.['mode'] === 'url'
    if (!supports(host, method, isUrl)) return makeError(unsupported, wordsOfQuestion(method, params))
    // Until 2025-11-25 such a page has an id; its completion is not told, so nobody else has to know it.
    const own = isUrl && params['elicitationId'] === undefined ? { elicitationId: randomUUID() } : {}
    return wire.ask(method, isUrl ? { ...params, ...own } : params, signal)
  }

  /** Requests of sessions that a server without them has no method for. */
  const instead: Readonly<Record<string, (params: JsonObject) => Outcome>> = {
    'logging/setLevel': () => nothing,
    'resources/subscribe': () => {
      ears?.hear(watched)
      return nothing
    },
    'resources/unsubscribe': () => {
      ears?.hear(watched)
      return nothing
    },
  }

  /** What must be said again to a new session, or is said in another way. */
  const remember = (method: string, params: JsonObject): void => {
    const { uri } = params
    if (method === 'logging/setLevel') logLevel = params
    if (method === 'resources/subscribe' && typeof uri === 'string') watched.add(uri)
    if (method === 'resources/unsubscribe' && typeof uri === 'string') watched.delete(uri)
  }

  const bring = async (server: Server, request: McpRequest, signal: AbortSignal): Promise<Outcome> => {
    const { method, params = {} } = request
    if (server.facts.era === 'stateless') {
      remember(method, params)
      const own = ownValue(instead, method)
      return typeof own === 'function' ? own(params) : bringToStateless(server, request, signal)
    }
    // We told the host that there is logging before we knew.
    if (method === 'logging/setLevel' && !isJsonObject(server.facts.capabilities['logging'])) return nothing
    const outcome = await bringToSession(server, request, signal)
    if (outcome.kind === 'result') remember(method, params)
    return outcome
  }

  const repeat = (server: Server, method: string, params: JsonObject): void => {
    const call = { method, params, signal: new AbortController().signal, onMessage: () => undefined }
    runQuietly(() => server.request(call)).catch((error: unknown) => {
      desk.log({ level: 'warn', event: 'connect.not-repeated', method, why: innermostWords(error) })
    })
  }

  const tellChanges = (): void => {
    if (!begun) return
    for (const method of Object.values(changes)) wire.tell({ jsonrpc: '2.0', method })
  }
  const noteLateList = createLateLists(tellChanges)

  return {
    answer: async (request, signal) => {
      if (request.method === 'initialize') return initialize(request.params ?? {})
      if (request.method === 'ping') return nothing
      return bringToServer(desk, request, signal, {
        bring: (server, own) => bring(server, request, own),
        noteLateList,
      })
    },
    notify: ({ method, params }) => {
      if (method === 'notifications/initialized') return
      // A request without an id: some servers would act on it, and no rule for tools has seen it.
      if (!method.startsWith('notifications/'))
        return desk.log({ level: 'warn', event: 'connect.dropped', why: wordsOfDropped(method) })
      link.current()?.notify(method, params)
    },
    hear: (message) => {
      const server = link.current()
      if (!begun || server === undefined) return
      return passOn(server, message, new AbortController().signal)
    },
    meet: (server, again) => {
      if (!begun) return
      if (server.facts.era === 'stateless') {
        ears = createEars(
          server,
          (params) => addEnvelope(params, envelope()),
          (message) => wire.send(message.value),
          desk.log,
        )
        ears.hear(watched)
      } else if (again) {
        if (logLevel !== undefined) repeat(server, 'logging/setLevel', logLevel)
        for (const uri of watched) repeat(server, 'resources/subscribe', { uri })
      }
    },
    tellChanges,
    tellAbsence: (words) => {
      if (!begun) return
      const params = { level: 'warning', logger: 'warder', data: words }
      wire.tell({ jsonrpc: '2.0', method: 'notifications/message', params })
    },
  }
}

/** Ours alone, and outside of what JSON-RPC reserves. */
const unsupported = -31001

function supports(host: HostFacts, method: string, isUrl: boolean): boolean {
  const needed = ownValue(questions, method)
  const capability = typeof needed === 'string' ? ownValue(host.capabilities, needed) : undefined
  return isJsonObject(capability) && (!isUrl || isJsonObject(capability['url']))
}

function wordsOfDropped(method: string): string {
  return `The host sent ${method.slice(0, 80)} without an id, so it was not passed on. Nothing was done.`
}

/** Somebody should read it all the same; nothing here opens a page. */
function wordsOfQuestion(method: string, params: JsonObject | undefined): string {
  const { message, url } = params ?? {}
  const said = typeof message === 'string' ? ` It says: ${message}` : ''
  const page = typeof url === 'string' ? ` It is about this page, which the user may open: ${url}` : ''
  return `The MCP server asks for ${method}, which this host does not support.${said}${page}`
}
