import {
  isJsonObject,
  type JsonObject,
  knownMethods,
  type McpMessage,
  ownValue,
  PROTOCOL_VERSION_META_KEY,
  SERVER_INFO_META_KEY,
} from '@warder/protocol'
import type { Outcome, WireError } from '../child-peer.ts'
import type { BridgeLog } from '../log.ts'
import { statelessVersion } from '../revisions.ts'
import { readInfo } from './begin-session.ts'
import { makeEnvelope } from './envelope.ts'
import { readOutcome } from './outcome.ts'
import { encodeHeader, makeParamHeaders, type ParamHeader, readParamHeaders } from './param-headers.ts'
import { readAnswer, readTrouble } from './read-answer.ts'
import type { HostFacts, Server, ServerCall, ServerFacts } from './server.ts'
import { ServerTrouble } from './server-trouble.ts'
import type { UserFetch } from './user-fetch.ts'

const headerMismatch = -32020
const maxPages = 100
const lingerMs = 5000

/** How to speak with a server without sessions. */
export interface StatelessServerOptions {
  readonly url: string
  readonly fetch: UserFetch
  readonly host: HostFacts
  readonly signal: AbortSignal
  readonly log: BridgeLog
}

/**
 * A server of 2026-07-28: each request stands alone, with headers that mirror it (GW-20, GW-25 to GW-27) and with those of its tool's
 * parameters (SEP-2243); a tool with unusable annotations is taken out of the list (GW-39, Q25). Params of a request must hold the
 * envelope. Asks `server/discover`; throws `ServerTrouble` when that is not answered as in this revision.
 */
export async function openStatelessServer(options: StatelessServerOptions): Promise<Server> {
  const { url, fetch, log } = options
  const stops = new Set<AbortController>()
  const tools = new Map<string, readonly ParamHeader[]>()
  let nextId = 1

  const exchange = async (
    call: ServerCall,
    settle: (outcome: Outcome) => void,
    signal: AbortSignal,
  ): Promise<void> => {
    const id = nextId++
    const { method, params } = call
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...makeMirrors(method, params, tools),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) }),
      signal,
    })
    if (!response.ok) {
      const trouble = await readTrouble(response)
      // Protocol errors come with statuses of their own here (GW-22, GW-23, GW-51, GW-52).
      if (trouble.wire === undefined || trouble.kind === 'unauthorized') throw trouble
      return settle({ kind: 'error', error: trouble.wire })
    }
    let answered = false
    let flaw = 'it ended its answer before it had given one'
    await readAnswer(response, {
      onMessage: (message: McpMessage) => {
        if (message.kind === 'notification') return call.onMessage(message)
        // A request is not allowed here (GW-09), and a response to something else is none of ours.
        if (message.kind === 'request' || message.id !== id) return
        answered = true
        return settle(readOutcome(message.value))
      },
      onGarbage: (why) => {
        flaw = `it sent something that is no MCP message (${why})`
        log({ level: 'warn', event: 'connect.garbage', why })
      },
    })
    if (!answered) throw new ServerTrouble('answer', flaw)
  }

  const ask = (call: ServerCall): Promise<Outcome> =>
    new Promise((resolve, reject) => {
      if (call.signal.aborted) return resolve({ kind: 'cancelled' })
      const stop = new AbortController()
      let linger: NodeJS.Timeout | undefined
      // Ending the stream is how a request is cancelled (GW-10).
      const cancel = (): void => {
        stop.abort()
        resolve({ kind: 'cancelled' })
      }
      call.signal.addEventListener('abort', cancel, { once: true })
      const settle = (outcome: Outcome): void => {
        call.signal.removeEventListener('abort', cancel)
        linger = setTimeout(() => stop.abort(), lingerMs)
        resolve(outcome)
      }
      stops.add(stop)
      exchange(call, settle, stop.signal)
        .catch(reject)
        .finally(() => {
          call.signal.removeEventListener('abort', cancel)
          clearTimeout(linger)
          stops.delete(stop)
        })
    })

  /** Notes what goes into headers, and drops what can not be called at all. */
  const readTools = (result: JsonObject): JsonObject => {
    const list = ownValue(result, 'tools')
    if (!Array.isArray(list)) return result
    const usable = list.filter((tool: unknown) => {
      if (!isJsonObject(tool) || typeof tool['name'] !== 'string') return true
      const read = readParamHeaders(tool['inputSchema'])
      const { name } = tool
      if (read.valid) tools.set(name, read.headers)
      else {
        const why = `the tool ${name} is left out, since it cannot be called: ${read.reason}`
        log({ level: 'warn', event: 'connect.tool-left-out', tool: name, why })
      }
      return read.valid
    })
    return usable.length === list.length ? result : { ...result, tools: usable }
  }

  const listTools = async (call: ServerCall): Promise<Outcome> => {
    const outcome = await ask(call)
    return outcome.kind === 'result' ? { kind: 'result', result: readTools(outcome.result) } : outcome
  }

  /** GW-40: the tool may have changed since it was listed, or was never listed to us. */
  const learnTools = async (call: ServerCall): Promise<void> => {
    const meta = ownValue(call.params ?? {}, '_meta')
    const envelope = isJsonObject(meta) ? meta : makeEnvelope(options.host)
    let cursor: unknown
    for (let page = 0; page < maxPages; page += 1) {
      const params = { ...(cursor === undefined ? {} : { cursor }), _meta: envelope }
      const outcome = await listTools({
        method: 'tools/list',
        params,
        signal: call.signal,
        onMessage: () => undefined,
      })
      cursor = outcome.kind === 'result' ? ownValue(outcome.result, 'nextCursor') : undefined
      if (typeof cursor !== 'string') return
    }
  }

  const callTool = async (call: ServerCall): Promise<Outcome> => {
    const outcome = await ask(call)
    if (outcome.kind !== 'error' || outcome.error.code !== headerMismatch) return outcome
    await learnTools(call)
    return ask(call)
  }

  const discover = async (): Promise<ServerFacts> => {
    const call: ServerCall = {
      method: 'server/discover',
      params: { _meta: makeEnvelope(options.host) },
      signal: options.signal,
      onMessage: () => undefined,
    }
    const first = await ask(call)
    // GW-22: it names what it has, and may just have come to have ours.
    const outcome = first.kind === 'error' && offersOurs(first.error) ? await ask(call) : first
    if (outcome.kind === 'error') {
      throw new ServerTrouble('answer', `it refused to begin: ${outcome.error.message}`, {
        wire: outcome.error,
      })
    }
    if (outcome.kind !== 'result') throw new ServerTrouble('answer', 'it did not introduce itself')
    return readDiscovery(outcome.result)
  }

  const facts = await discover()
  const special: Readonly<Record<string, (call: ServerCall) => Promise<Outcome>>> = {
    'tools/list': listTools,
    'tools/call': callTool,
  }
  return {
    facts,
    request: (call) => (Object.hasOwn(special, call.method) ? (special[call.method] ?? ask) : ask)(call),
    // This revision has no notifications of clients, and no requests of servers (GW-06, GW-09).
    notify: () => undefined,
    respond: () => undefined,
    close: async () => {
      for (const stop of stops) stop.abort()
    },
  }
}

function makeMirrors(
  method: string,
  params: JsonObject | undefined,
  tools: ReadonlyMap<string, readonly ParamHeader[]>,
): Record<string, string> {
  const meta = ownValue(params ?? {}, '_meta')
  const version = isJsonObject(meta) ? ownValue(meta, PROTOCOL_VERSION_META_KEY) : undefined
  const rule = knownMethods.get(method)
  const target =
    rule?.mirrored === true && rule.target !== undefined ? ownValue(params ?? {}, rule.target) : undefined
  const headers = method === 'tools/call' && typeof target === 'string' ? tools.get(target) : undefined
  return {
    'mcp-protocol-version': typeof version === 'string' ? version : statelessVersion,
    'mcp-method': method,
    ...(typeof target === 'string' ? { 'mcp-name': encodeHeader(target) } : {}),
    ...(headers === undefined ? {} : makeParamHeaders(headers, ownValue(params ?? {}, 'arguments'))),
  }
}

/** Whether a server that refuses our revision names it among those that it has. */
export function offersOurs({ code, data }: WireError): boolean {
  const supported = code === -32022 && isJsonObject(data) ? data['supported'] : undefined
  return Array.isArray(supported) && supported.includes(statelessVersion)
}

function readDiscovery(result: JsonObject): ServerFacts {
  const { supportedVersions, capabilities, instructions, _meta } = result
  if (!Array.isArray(supportedVersions) || !supportedVersions.includes(statelessVersion)) {
    throw new ServerTrouble('answer', 'it speaks a revision of MCP that is not known here')
  }
  return {
    era: 'stateless',
    capabilities: isJsonObject(capabilities) ? capabilities : {},
    serverInfo: readInfo(isJsonObject(_meta) ? _meta[SERVER_INFO_META_KEY] : undefined),
    ...(typeof instructions === 'string' ? { instructions } : {}),
  }
}
