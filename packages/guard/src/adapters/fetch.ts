import type { Principal } from '@warder/policy'
import type { JsonObject } from '@warder/protocol'
import { isFiltered } from '../filter-answer.ts'
import type { Guard } from '../guard.ts'
import { makeDoor, type Opened, type ProtectOptions, type Visit } from './door.ts'
import { filteredResponse } from './filtered-response.ts'
import { asFetchHandler, type FetchHandler, readHeader, type WebIncoming } from './incoming.ts'
import { toResponse } from './plain-answer.ts'

/** The author's MCP server: gets only calls that the policy opened. */
export type ProtectedHandler = (request: Request, principal: Principal) => Promise<Response>

/** A call that the policy opened. */
export interface OpenCall {
  readonly principal: Principal
  /** The message as the guard has read it, for the handler to keep; absent with GET and DELETE. */
  readonly message?: JsonObject
  /** The value of a header of the request; never of `Authorization`. */
  header(name: string): string | undefined
  /** A request with the same bytes and without `Authorization`, made at the first time. */
  request(): Request
}

/** The author's MCP server, for messages that are read already. */
export type CallHandler = (call: OpenCall) => Promise<Response>

/**
 * Puts a guard in front of a fetch handler: every request, whatever its path and method, needs a token of this server before
 * anything else is looked at (MCP GW-57); only the metadata is public.
 *
 * The handler gets a new request with the same bytes and without `Authorization` (a subscription also without resources that the
 * caller may not read); lists in its answer are filtered, their cursors pass as they are. The body is read once and strictly. Never rejects: errors of the handler become a 500 without details. Does not log by itself, and does
 * not close streams whose token ends.
 */
export function protect(guard: Guard, handler: ProtectedHandler, options: ProtectOptions = {}): FetchHandler {
  return protectCalls(guard, (call) => handler(call.request(), call.principal), options)
}

/**
 * As `protect`, for a handler that wants the message rather than another `Request`, of which one is made only where it asks for it:
 * that alone costs more than all that the guard does.
 */
export function protectCalls(guard: Guard, handler: CallHandler, options: ProtectOptions = {}): FetchHandler {
  const door = makeDoor(guard, options)

  async function answer(request: WebIncoming, visit: Visit): Promise<Response> {
    const opened = await door.enter(request, visit)
    if ('status' in opened) return toResponse(opened)
    const { principal, method } = opened
    const response = await handler(openCall(request, opened))
    return isFiltered(method) ? filteredResponse(guard, principal, method, response, visit.context) : response
  }

  return asFetchHandler(async (request) => {
    const visit = door.begin()
    const response = await answer(request, visit).catch((error: unknown) =>
      toResponse(door.refuse(error, visit)),
    )
    return withHeaders(response, door.corsHeaders(request))
  })
}

function openCall(incoming: WebIncoming, { principal, message }: Opened): OpenCall {
  let request: Request | undefined
  return {
    principal,
    ...(message === undefined ? {} : { message: message.value }),
    header: (name) =>
      name.toLowerCase() === 'authorization' ? undefined : readHeader(incoming, name.toLowerCase()),
    request() {
      request ??= freshRequest(incoming, message?.bytes)
      return request
    },
  }
}

/** The length is that of other bytes, where the message was narrowed. */
const notPassedOn: readonly string[] = ['authorization', 'content-length', 'transfer-encoding']

/** The token stays here: a server that has it could use it, or pass it on (MCP RS-14, RS-17). */
function freshRequest(
  { method, url, headers, ...incoming }: WebIncoming,
  bytes: Uint8Array | undefined,
): Request {
  const passed = [...headers].filter(([name]) => !notPassedOn.includes(name))
  // A copy on a buffer of its own, as a `Request` wants it.
  const body = bytes === undefined ? {} : { body: new Uint8Array(bytes) }
  return new Request(url, { method, headers: passed, signal: incoming.signal(), ...body })
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
