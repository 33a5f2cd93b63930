import type { RefusalAnswer } from '../refuse.ts'

/** An answer that no `Response` was made of yet; an empty body is none. */
export type PlainAnswer = RefusalAnswer

/** The answer as the web platform has it. */
export function toResponse({ status, headers, body }: PlainAnswer): Response {
  return new Response(body === '' ? null : body, { status, headers })
}
