import {
  CLIENT_CAPABILITIES_META_KEY,
  isJsonObject,
  type JsonObject,
  type JsonRpcId,
  type ListenFilter,
  type McpRequest,
  ownValue,
  Refusal,
  readListenFilter,
  SERVER_INFO_META_KEY,
  SUBSCRIPTION_ID_META_KEY,
} from '@warder/protocol'
import type { Outcome, WireError } from '../child-peer.ts'
import { makeClientError, makeClientResult } from '../eras.ts'
import { bringToServer, type Desk, type HostSide } from './desk.ts'
import { createEars, type Ears } from './ears.ts'
import { addEnvelope, makeEnvelope, readEnvelope, removeEnvelope } from './envelope.ts'
import { runQuietly } from './errand.ts'
import { createLateLists } from './late-lists.ts'
import { makeError, makeToolError } from './outcome.ts'
import type { HostFacts, Server, ServerMessage } from './server.ts'
import { innermostWords } from './server-trouble.ts'
import { createSuspendedCalls } from './suspended-calls.ts'
import { changes, makeDiscovery } from './told-facts.ts'

/** A host that only asks who we are does not want us to ask anybody to sign in. */
const afterDiscoveryMs = 300

interface Subscription {
  readonly id: JsonRpcId
  readonly methods: ReadonlySet<string>
  readonly uris: ReadonlySet<string>
}

const removed: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
])

/** A host of 2026-07-28: each request stands alone and says who sends it. */
export function createStatelessHost(desk: Desk): HostSide {
  const { wire, link } = desk
  const suspended = createSuspendedCalls()
  const subscriptions = new Map<symbol, Subscription>()
  const watched = new Map<string, number>()
  let host: HostFacts | undefined
  let logLevel: string | undefined
  let ears: Ears | undefined

  const listen = (request: McpRequest, signal: AbortSignal): Promise<Outcome> => {
    const asked = readFilter(request)
    if (asked === undefined) return Promise.resolve(makeError(-32602, listenForm))
    const { filter, uris: given } = asked
    const { capabilities } = desk.facts()
    const lists = Object.keys(changes).filter(
      (name) => filter[`${name}ListChanged`] === true && isJsonObject(capabilities[name]),
    )
    const resources = capabilities['resources']
    const uris = new Set<string>(isJsonObject(resources) && resources['subscribe'] === true ? given : [])
    const key = Symbol(String(request.id))
    const methods = new Set(lists.map((name) => String(changes[name])))
    if (uris.size > 0) methods.add('notifications/resources/updated')
    const mark = { [SUBSCRIPTION_ID_META_KEY]: request.id }
    const notifications = {
      ...Object.fromEntries(lists.map((name) => [`${name}ListChanged`, true])),
      ...(uris.size === 0 ? {} : { resourceSubscriptions: [...uris] }),
    }
    const params = { notifications, _meta: mark }
    wire.tell({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params })
    const complete: Outcome = {
      kind: 'result',
      result: { resultType: 'complete', _meta: { ...mark, [SERVER_INFO_META_KEY]: desk.facts().serverInfo } },
    }
    if (methods.size === 0) return Promise.resolve(complete)
    subscriptions.set(key, { id: request.id, methods, uris })
    watch(uris, 1)
    link.begin()
    return new Promise((resolve) => {
      const stop = (): void => {
        subscriptions.delete(key)
        watch(uris, -1)
        resolve({ kind: 'cancelled' })
      }
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
    })
  }

  const watch = (uris: ReadonlySet<string>, by: 1 | -1): void => {
    const changed: string[] = []
    for (const uri of uris) {
      const before = watched.get(uri) ?? 0
      if (before + by > 0) watched.set(uri, before + by)
      else watched.delete(uri)
      if (before === 0 || before + by === 0) changed.push(uri)
    }
    const server = link.current()
    if (changed.length === 0 || server === undefined) return
    if (server.facts.era === 'stateless') ears?.hear(new Set(watched.keys()))
    else
      for (const uri of changed)
        ask(server, by > 0 ? 'resources/subscribe' : 'resources/unsubscribe', { uri })
  }

  /** What a server with sessions must be told besides the requests of the host. */
  const ask = (server: Server, method: string, params: JsonObject): void => {
    const call = { method, params, signal: new AbortController().signal, onMessage: () => undefined }
    runQuietly(() => server.request(call)).catch((error: unknown) => {
      desk.log({ level: 'warn', event: 'connect.not-told', method, why: innermostWords(error) })
    })
  }

  const bringToSession = async (
    server: Server,
    request: McpRequest,
    signal: AbortSignal,
  ): Promise<Outcome> => {
    const { method, params } = request
    const { host: own, logLevel: level } = readEnvelope(params)
    if (level !== undefined && level !== logLevel && isJsonObject(server.facts.capabilities['logging'])) {
      logLevel = level
      ask(server, 'logging/setLevel', { level })
    }
    const onNotification = (message: ServerMessage): void | Promise<void> => {
      // Who did not ask for log messages gets none in this revision.
      if (message.method === 'notifications/message' && level === undefined) return
      return wire.send(message.value)
    }
    const round = { params, capabilities: own.capabilities, signal, onNotification }
    const outcome = await suspended.run(server, method, round, (given) => {
      const rest = removeEnvelope(given)
      if (rest === undefined) return rest
      const { requestState: _state, inputResponses: _responses, ...kept } = rest
      return kept
    })
    if (outcome.kind !== 'error') return outcome
    const error = makeClientError(outcome.error, 'stateless')
    return askForPages(method, outcome.error, own) ?? { kind: 'error', error }
  }

  const bring = (server: Server, request: McpRequest, signal: AbortSignal): Promise<Outcome> => {
    if (server.facts.era === 'session') return bringToSession(server, request, signal)
    const { method, params } = request
    return server.request({ method, params, signal, onMessage: (message) => wire.send(message.value) })
  }

  const answer = async (request: McpRequest, signal: AbortSignal): Promise<Outcome> => {
    const meta = ownValue(request.params ?? {}, '_meta')
    if (!isJsonObject(isJsonObject(meta) ? ownValue(meta, CLIENT_CAPABILITIES_META_KEY) : undefined)) {
      return makeError(-32602, 'The _meta of the request does not say what the client can do.')
    }
    if (host === undefined) {
      host = readEnvelope(request.params).host
      desk.introduce(host)
    }
    if (request.method === 'server/discover') {
      setTimeout(link.begin, afterDiscoveryMs).unref()
      return { kind: 'result', result: makeDiscovery(desk.facts()) }
    }
    if (removed.has(request.method)) return makeError(-32601, 'Method not found')
    if (request.method === 'subscriptions/listen') return listen(request, signal)
    return bringToServer(desk, request, signal, {
      bring: (server, own) => bring(server, request, own),
      noteLateList,
    })
  }

  const hear = (message: ServerMessage): void => {
    const server = link.current()
    if (message.kind === 'request' || message.method === 'notifications/cancelled') {
      if (server !== undefined && host !== undefined) suspended.takeStray(server, message)
      return
    }
    const uri = message.params?.['uri']
    for (const { id, methods, uris } of subscriptions.values()) {
      if (!methods.has(message.method)) continue
      if (message.method === 'notifications/resources/updated' && !uris.has(String(uri))) continue
      const given = ownValue(message.params ?? {}, '_meta')
      const meta = { ...(isJsonObject(given) ? given : {}), [SUBSCRIPTION_ID_META_KEY]: id }
      wire.tell({ jsonrpc: '2.0', method: message.method, params: { ...message.params, _meta: meta } })
    }
  }

  const tellChanges = (): void => {
    for (const { id, methods } of subscriptions.values()) {
      for (const method of Object.values(changes)) {
        const params = { _meta: { [SUBSCRIPTION_ID_META_KEY]: id } }
        if (methods.has(method)) wire.tell({ jsonrpc: '2.0', method, params })
      }
    }
  }
  const noteLateList = createLateLists(tellChanges)

  return {
    answer: async (request, signal) => {
      const outcome = await answer(request, signal)
      // What is not of this revision yet is made so: answers of servers with sessions, and our own.
      if (outcome.kind !== 'result' || outcome.result['resultType'] !== undefined) return outcome
      const result = makeClientResult(request.method, outcome.result, 'stateless', desk.facts())
      return { kind: 'result', result }
    },
    // This revision has none but `notifications/cancelled`, which has been dealt with.
    notify: () => undefined,
    hear,
    meet: (server, again) => {
      if (host === undefined) return
      if (server.facts.era === 'stateless') {
        const own = makeEnvelope(host)
        ears = createEars(server, (params) => addEnvelope(params, own), hear, desk.log)
        ears.hear(new Set(watched.keys()))
        return
      }
      if (again && logLevel !== undefined) ask(server, 'logging/setLevel', { level: logLevel })
      for (const uri of watched.keys()) ask(server, 'resources/subscribe', { uri })
    },
    tellChanges,
    // There is no place for it outside of a request; the lists that are empty and the calls say it.
    tellAbsence: () => undefined,
  }
}

const listenForm = 'notifications is missing, or its resourceSubscriptions are not at most 200 URIs'

function readFilter(request: McpRequest): ListenFilter | undefined {
  try {
    return readListenFilter(request)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

const pagesWanted = -32042
const mayAsk: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])

/**
 * What 2025-11-25 says by an error (pages that the user must visit first) in the way of this revision; the host repeats the request
 * afterwards. The pages are passed on whole, and nothing here opens them (Q23).
 */
function askForPages(
  method: string,
  { code, message, data }: WireError,
  host: HostFacts,
): Outcome | undefined {
  const pages = code === pagesWanted && isJsonObject(data) ? data['elicitations'] : undefined
  if (!Array.isArray(pages) || pages.length === 0 || !pages.every(isJsonObject)) return undefined
  const elicitation = ownValue(host.capabilities, 'elicitation')
  if (mayAsk.has(method) && isJsonObject(elicitation) && isJsonObject(elicitation['url'])) {
    const asked = pages.map((params, place) => [`page-${place}`, { method: 'elicitation/create', params }])
    const inputRequests: JsonObject = Object.fromEntries(asked)
    return { kind: 'result', result: { resultType: 'input_required', inputRequests } }
  }
  if (method !== 'tools/call') return undefined
  const places = pages.map(({ url }) => String(url)).join(' ')
  return makeToolError(`${message} The user has to visit this first: ${places}`)
}
