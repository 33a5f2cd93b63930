import type { Call, Principal } from '@warder/policy'
import {
  checkMirroredHeaders,
  type McpMessage,
  type MirroredHeaders,
  narrowSubscription,
  Refusal,
  readCall,
  readMcpMessage,
  readSubscribedResources,
  toRefusal,
} from '@warder/protocol'
import { isFiltered } from '../filter-answer.ts'
import type { Guard } from '../guard.ts'
import type { RefusalAnswer, RefusalContext } from '../refuse.ts'
import { makeSenderCheck, type SenderRules } from './check-sender.ts'
import { filteredResponse } from './filtered-response.ts'
import { asFetchHandler, type FetchHandler, type Incoming, type RequestHead } from './incoming.ts'
import { metadataResponse } from './metadata-response.ts'

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

/** The author's MCP server: gets only calls that the policy opened. */
export type ProtectedHandler = (request: Request, principal: Principal) => Promise<Response>

/** What is known of a request so far; a refusal is written with as much of it as there is. */
interface Progress {
  context: RefusalContext
  principal?: Principal
  call?: Call
  because: string
}

/** A request that the policy opened. */
interface OpenCall {
  readonly principal: Principal
  /** Of the message, or the HTTP method where there is none. */
  readonly method: string
  readonly body: Uint8Array<ArrayBuffer> | undefined
}

/**
 * Puts a guard in front of a fetch handler: every request, whatever its path and method, needs a token of this server before
 * anything else is looked at (MCP GW-57); only the metadata is public.
 *
 * The handler gets a new request with the same bytes and without `Authorization` (a subscription also without resources that the
 * caller may not read); lists in its answer are filtered, their cursors pass as they are. The body is read once and strictly. Never rejects: errors of the handler become a 500 without details. Does not log by itself, and does
 * not close streams whose token ends.
 */
export function protect(guard: Guard, handler: ProtectedHandler, options: ProtectOptions = {}): FetchHandler {
  const sender = makeSenderCheck(guard.resource, options)
  const maxBodyBytes = options.maxBodyBytes ?? 4 * 1024 * 1024

  async function answer(request: Incoming, progress: Progress): Promise<Response> {
    const metadata = metadataResponse(guard, request)
    if (metadata !== undefined) return metadata
    sender.check(request)
    const preflight = sender.preflightResponse(request)
    if (preflight !== undefined) return preflight
    const principal = await authenticate(guard, request)
    progress.principal = principal
    progress.context = { principal }
    const open = await openCall(request, principal, progress)
    if ('status' in open) return toResponse(open)
    options.log?.({ outcome: 'open', because: progress.because, principal, ...callOf(progress) })
    const response = await handler(freshRequest(request, open.body), principal)
    return isFiltered(open.method)
      ? filteredResponse(guard, principal, open.method, response, progress.context)
      : response
  }

  /** Reads and decides; a denial is the answer of the policy, not an error. */
  async function openCall(
    request: Incoming,
    principal: Principal,
    progress: Progress,
  ): Promise<OpenCall | RefusalAnswer> {
    if (request.method === 'GET' || request.method === 'DELETE') {
      const call: Call = { kind: 'session', method: request.method }
      return deny(call, principal, progress) ?? { principal, method: request.method, body: undefined }
    }
    if (request.method !== 'POST') throw new Refusal('http.method')
    const message = readMcpMessage(await readBody(request, maxBodyBytes))
    progress.context = { principal, ...readContext(message) }
    checkMirroredHeaders(message, readMirroredHeaders(request.headers))
    const method = message.method ?? 'response'
    const denial = deny(readCall(message), principal, progress)
    return denial ?? { principal, method, body: bytesOf(narrowed(message, principal)) }
  }

  function deny(call: Call, principal: Principal, progress: Progress): RefusalAnswer | undefined {
    progress.call = call
    const decision = guard.decide(principal, call)
    progress.because = decision.because
    if (decision.outcome === 'open') return undefined
    options.log?.({ outcome: decision.outcome, because: decision.because, principal, ...callOf(progress) })
    return guard.refuseDecision(decision, call, progress.context)
  }

  /** A subscription without the resources that the caller may not read (MCP GW-64): the one change to what a client sent. */
  function narrowed(message: McpMessage, principal: Principal): McpMessage {
    const allowed = readSubscribedResources(message).filter((uri) => {
      const call: Call = { kind: 'resource', uri }
      const { outcome, because } = guard.decide(principal, call)
      if (outcome !== 'open') options.log?.({ outcome, because, principal, call })
      return outcome === 'open'
    })
    return narrowSubscription(message, new Set(allowed))
  }

  return asFetchHandler(async (request) => {
    const progress: Progress = { context: {}, because: '' }
    const response = await answer(request, progress).catch((error: unknown) => {
      const refusal = toRefusal(error)
      const { principal } = progress
      options.log?.({
        outcome: 'refused',
        because: refusal.message,
        ...(principal === undefined ? {} : { principal }),
        ...callOf(progress),
      })
      return toResponse(guard.refuse(refusal, progress.context))
    })
    return withHeaders(response, sender.corsHeaders(request))
  })
}

/** Arguments hold what users write and are nobody's business but the server's. */
function callOf({ call }: Progress): { readonly call?: Call } {
  if (call === undefined) return {}
  return { call: call.kind === 'tool' ? { kind: 'tool', name: call.name } : call }
}

function authenticate(guard: Guard, request: RequestHead): Promise<Principal> {
  const authorization = request.headers.get('authorization')
  return guard.authenticate({
    authorization: authorization === null ? [] : [authorization],
    // Parsing is most of what asking costs, and hardly any request has a query.
    query: request.url.includes('?') ? new URL(request.url).search : '',
  })
}

async function readBody(request: Incoming, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i.test(type))
    throw new Refusal('http.content-type')
  if (request.bodyUsed) throw new Refusal('internal', { detail: 'the body was read before the guard' })
  const body = await request.readBody(limit)
  if (body === undefined) throw new Refusal('http.too-large')
  return body
}

/** A copy on a buffer of its own, as a `Request` wants it. */
function bytesOf(message: McpMessage): Uint8Array<ArrayBuffer> {
  return new Uint8Array(message.bytes)
}

function readContext(message: McpMessage): RefusalContext {
  return {
    ...(message.kind === 'request' ? { id: message.id } : {}),
    ...(message.version === undefined ? {} : { era: message.version }),
  }
}

function readMirroredHeaders(headers: Headers): MirroredHeaders {
  const read = (name: string): readonly string[] => {
    const value = headers.get(name)
    return value === null ? [] : [value]
  }
  const prefix = 'mcp-param-'
  const params = [...headers].filter(([name]) => name.startsWith(prefix))
  return {
    version: read('mcp-protocol-version'),
    method: read('mcp-method'),
    name: read('mcp-name'),
    params: new Map(params.map(([name, value]) => [name.slice(prefix.length), [value]])),
  }
}

/** The token stays here: a server that has it could use it, or pass it on (MCP RS-14, RS-17). */
function freshRequest(incoming: Incoming, body: Uint8Array<ArrayBuffer> | undefined): Request {
  const { method, headers, signal } = incoming
  const init = { method, headers, signal, ...(body === undefined ? {} : { body }) }
  const request = new Request(incoming.url, init)
  for (const name of ['authorization', 'content-length', 'transfer-encoding']) request.headers.delete(name)
  return request
}

function toResponse(answer: RefusalAnswer): Response {
  return new Response(answer.body, { status: answer.status, headers: answer.headers })
}

function withHeaders(response: Response, extra: Readonly<Record<string, string>>): Response {
  const names = Object.entries(extra)
  if (names.length === 0) return response
  const headers = new Headers(response.headers)
  for (const [name, value] of names) {
    if (!headers.has(name)) headers.set(name, value)
  }
  return new Response(response.body, { status: response.status, headers })
}
