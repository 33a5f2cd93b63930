import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Guard, RefusalContext } from '@warder/guard'
import type { Refusal } from '@warder/protocol'
import type { Door } from './check-door.ts'
import { allowedMethods, corsHeaders } from './cors.ts'
import { type WholeAnswer, writeAndDrain } from './write-answer.ts'

/** What says no, for one request. */
export interface RefusalWriter {
  /** A refusal in the guard's words; returns the bytes of the answer. */
  refuse(refusal: Refusal, context?: RefusalContext): Promise<number>
  /** An answer that the guard has worded already. */
  write(answer: WholeAnswer): Promise<number>
}

/** Writes refusals, with the CORS headers that a page of an allowed origin needs to read them. */
export function refusalWriter(
  guard: Guard,
  door: Door,
  req: IncomingMessage,
  res: ServerResponse,
): RefusalWriter {
  const write: RefusalWriter['write'] = (answer) =>
    writeAndDrain(req, res, { ...answer, headers: { ...answer.headers, ...readableFor(req, door) } })
  return {
    write,
    refuse(refusal, context) {
      const answer = guard.refuse(refusal, { allow: allowedMethods, ...context })
      return write({
        ...answer,
        headers: {
          ...answer.headers,
          ...(refusal.reason === 'http.upgrade' ? { upgrade: 'HTTP/1.1' } : {}),
          ...(refusal.reason === 'http.too-large' ? { connection: 'close' } : {}),
        },
      })
    },
  }
}

function readableFor(req: IncomingMessage, door: Door): Record<string, string> {
  const origins = req.headersDistinct['origin'] ?? []
  return origins.length === 1 && door.origins.has(origins[0]!) ? corsHeaders(origins[0]) : {}
}
