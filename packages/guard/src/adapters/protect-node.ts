import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Principal } from '@warder/policy'
import { isFiltered } from '../filter-answer.ts'
import type { Guard } from '../guard.ts'
import { makeDoor, type ProtectOptions, type Visit } from './door.ts'
import { filterNodeResponse, resetHeaders } from './filter-node-response.ts'
import type { NodeHandler } from './node.ts'
import type { PlainAnswer } from './plain-answer.ts'
import { readNodeRequest } from './read-node-request.ts'

/** A request whose body was read and decided about. */
export type GuardedMessage = IncomingMessage & {
  /** The message as the guard has read it; undefined with GET and DELETE. The body cannot be read once more. */
  readonly body: unknown
}

/** The author's MCP server on node:http: gets only calls that the policy opened. */
export type GuardedHandler = (
  request: GuardedMessage,
  response: ServerResponse,
  principal: Principal,
) => unknown

/**
 * Puts a guard in front of a handler of node:http or express, without making a web `Request` of anything. Mount it before any body
 * parser: a body that was read already is refused. As `protect`, but:
 *
 * The handler gets the same two objects. `Authorization` is gone from all headers of the request, and `body` is the message that was
 * read, as express has it and the transports of the SDK take it. What the handler writes about lists and streams goes through the
 * filter, so its head is sent only with the first that passed; to everything else the response is Node's own. A handler that throws or
 * rejects is answered by 500 without details, or loses its connection when it had begun to answer.
 */
export function protectNode(
  guard: Guard,
  handler: GuardedHandler,
  options: ProtectOptions = {},
): NodeHandler {
  const door = makeDoor(guard, options)

  return (message, response) => {
    const visit = door.begin()
    answer(message, response, visit).catch((error: unknown) => {
      writeAnswer(message, response, door.refuse(error, visit))
    })
  }

  async function answer(message: IncomingMessage, response: ServerResponse, visit: Visit): Promise<void> {
    const request = readNodeRequest(message)
    const cors = door.corsHeaders(request)
    for (const name of Object.keys(cors)) response.setHeader(name, cors[name] as string)
    const opened = await door.enter(request, visit)
    if ('status' in opened) return writeAnswer(message, response, opened)
    const { principal, method } = opened
    const before = headersOf(response)
    const asked = { principal, method, context: visit.context }
    const unfilter = isFiltered(method) ? filterNodeResponse(guard, asked, response, before) : undefined
    forgetToken(message)
    const guarded = message as IncomingMessage & { body: unknown }
    guarded.body = opened.message?.value
    try {
      await handler(guarded, response, principal)
    } catch (error) {
      if (response.headersSent) {
        response.destroy()
      } else {
        unfilter?.()
        resetHeaders(response, before)
      }
      throw error
    }
  }
}

/** Mostly there are none yet, and Node makes an object of them all the same. */
function headersOf(response: ServerResponse): OutgoingHttpHeaders {
  return response.getHeaderNames().length === 0 ? {} : { ...response.getHeaders() }
}

/**
 * A server that has the token could use it, or pass it on (MCP RS-14, RS-17). It goes out of the objects that are there, which others
 * may hold too. Node makes the other two of the raw lines when they are asked for first, by their number then: so those lines go last.
 */
function forgetToken(message: IncomingMessage): void {
  delete message.headers.authorization
  delete message.headersDistinct['authorization']
  const { rawHeaders } = message
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2) {
    if (rawHeaders[at]?.toLowerCase() === 'authorization') rawHeaders.splice(at, 2)
  }
}

function writeAnswer(
  message: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: PlainAnswer,
): void {
  if (response.headersSent || response.destroyed) return
  // A refused body that is still on its way, for ever perhaps, ends with its connection.
  const rest = message.complete ? {} : { connection: 'close' }
  response.writeHead(status, { ...headers, ...rest })
  response.end(body)
}
