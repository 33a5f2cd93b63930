import type { Call, Principal } from '@warder/policy'
import {
  checkMirroredHeaders,
  isJsonType,
  type McpMessage,
  type MirroredHeaders,
  narrowSubscription,
  Refusal,
  readCall,
  readMcpMessage,
  readSubscribedResources,
  toRefusal,
} from '@warder/protocol'
import type { Guard } from '../guard.ts'
import type { RefusalContext } from '../refuse.ts'
import { makeSenderCheck, type SenderRules } from './check-sender.ts'
import { type Incoming, type RequestHead, readHeader } from './incoming.ts'
import { metadataAnswer, metadataMethods } from './metadata-answer.ts'
import type { PlainAnswer } from './plain-answer.ts'

/** One line of an author's log: what was decided and why. Holds no token and no arguments. */
export interface ProtectLogEntry {
  readonly outcome: 'open' | 'locked' | 'hidden' | 'refused'
  /** The rule of the policy, or the reason of the refusal with its details. */
  readonly because: string
  readonly principal?: Principal
  readonly call?: Call
}

export interface ProtectOptions extends SenderRules {
  /** Bytes of a body; default 4 MB. */
  readonly maxBodyBytes?: number
  readonly log?: (entry: ProtectLogEntry) => void
}

/** A request that the policy opened. */
export interface Opened {
  readonly principal: Principal
  /** Of the message, or the HTTP method where there is none. */
  readonly method: string
  /** Absent with GET and DELETE. */
  readonly message: McpMessage | undefined
}

/** One request on its way through the door; a refusal is written with as much of it as is known by then. */
export interface Visit {
  context: RefusalContext
  principal?: Principal
  call?: Call
  because: string
}

/** The door before one handler, whatever carries the request. */
export interface Door {
  begin(): Visit
  /** What the policy opened, or the answer that ends the matter. Throws a `Refusal` for what cannot be read or proven. */
  enter(request: Incoming, visit: Visit): Promise<Opened | PlainAnswer>
  /** The answer to whatever was thrown on the way, also by the handler: without its details. */
  refuse(error: unknown, visit: Visit): PlainAnswer
  corsHeaders(request: RequestHead): Readonly<Record<string, string>>
}

/**
 * Every request, whatever its path and method, needs a token of this server before anything else is looked at (MCP GW-57); only
 * the metadata is public. The body is read once and strictly. Knows nothing of what is behind.
 */
export function makeDoor(guard: Guard, options: ProtectOptions): Door {
  const sender = makeSenderCheck(guard.resource, options)
  const maxBodyBytes = options.maxBodyBytes ?? 4 * 1024 * 1024

  /** Decides about what has no message. */
  function openSession({ method }: Incoming, principal: Principal, visit: Visit): Opened | PlainAnswer {
    if (method !== 'GET' && method !== 'DELETE') throw new Refusal('http.method')
    return deny({ kind: 'session', method }, principal, visit) ?? { principal, method, message: undefined }
  }

  /** Reads and decides; a denial is the answer of the policy, not an error. */
  function openCall(
    request: Incoming,
    body: Uint8Array<ArrayBuffer> | undefined,
    principal: Principal,
    visit: Visit,
  ): Opened | PlainAnswer {
    if (body === undefined) throw new Refusal('http.too-large')
    const message = readMcpMessage(body)
    visit.context = contextOf(message, principal)
    checkMirroredHeaders(message, readMirroredHeaders(request))
    const denial = deny(readCall(message), principal, visit)
    if (denial !== undefined) return denial
    return { principal, method: message.method ?? 'response', message: narrowed(message, principal) }
  }

  function deny(call: Call, principal: Principal, visit: Visit): PlainAnswer | undefined {
    visit.call = call
    const decision = guard.decide(principal, call)
    visit.because = decision.because
    if (decision.outcome === 'open') return undefined
    options.log?.({ outcome: decision.outcome, because: decision.because, principal, ...callOf(visit) })
    return guard.refuseDecision(decision, call, visit.context)
  }

  /** A subscription without the resources that the caller may not read (MCP GW-64): the one change to what a client sent. */
  function narrowed(message: McpMessage, principal: Principal): McpMessage {
    const uris = readSubscribedResources(message)
    if (uris.length === 0) return message
    const allowed = uris.filter((uri) => {
      const call: Call = { kind: 'resource', uri }
      const { outcome, because } = guard.decide(principal, call)
      if (outcome !== 'open') options.log?.({ outcome, because, principal, call })
      return outcome === 'open'
    })
    return narrowSubscription(message, new Set(allowed))
  }

  return {
    begin: () => ({ context: {}, because: '' }),
    corsHeaders: (request) => sender.corsHeaders(request),
    async enter(request, visit) {
      visit.context = { allow: metadataMethods }
      const metadata = metadataAnswer(guard, request)
      if (metadata !== undefined) return metadata
      sender.check(request)
      const preflight = sender.preflightAnswer(request)
      if (preflight !== undefined) return preflight
      const principal = await authenticate(guard, request)
      visit.principal = principal
      visit.context = { principal }
      const opened =
        request.method === 'POST'
          ? openCall(request, await readBody(request, maxBodyBytes), principal, visit)
          : openSession(request, principal, visit)
      if (options.log !== undefined && !('status' in opened))
        options.log({ outcome: 'open', because: visit.because, principal, ...callOf(visit) })
      return opened
    },
    refuse(error, visit) {
      const refusal = toRefusal(error)
      const { principal } = visit
      options.log?.({
        outcome: 'refused',
        because: refusal.message,
        ...(principal === undefined ? {} : { principal }),
        ...callOf(visit),
      })
      return guard.refuse(refusal, visit.context)
    },
  }
}

/** Arguments hold what users write and are nobody's business but the server's. */
function callOf({ call }: Visit): { readonly call?: Call } {
  if (call === undefined) return {}
  return { call: call.kind === 'tool' ? { kind: 'tool', name: call.name } : call }
}

function authenticate(guard: Guard, request: RequestHead): Promise<Principal> {
  const authorization = readHeader(request, 'authorization')
  return guard.authenticate({
    authorization: authorization === undefined ? [] : [authorization],
    // Parsing is most of what asking costs, and hardly any request has a query.
    query: request.url.includes('?') ? new URL(request.url).search : '',
  })
}

function readBody(request: Incoming, limit: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!isJsonType(readHeader(request, 'content-type'))) throw new Refusal('http.content-type')
  if (request.bodyUsed) throw new Refusal('internal', { detail: 'the body was read before the guard' })
  return request.readBody(limit)
}

function contextOf(message: McpMessage, principal: Principal): RefusalContext {
  return {
    principal,
    ...(message.kind === 'request' ? { id: message.id } : undefined),
    ...(message.version === undefined ? undefined : { era: message.version }),
  }
}

const prefix = 'mcp-param-'

function readMirroredHeaders(request: RequestHead): MirroredHeaders {
  const params = new Map<string, readonly string[]>()
  for (const [name, value] of request.headers) {
    if (name.startsWith(prefix)) params.set(name.slice(prefix.length), [value])
  }
  return {
    version: readValues(request, 'mcp-protocol-version'),
    method: readValues(request, 'mcp-method'),
    name: readValues(request, 'mcp-name'),
    params,
  }
}

function readValues(request: RequestHead, name: string): readonly string[] {
  const value = readHeader(request, name)
  return value === undefined ? [] : [value]
}
