import { type Reason, Refusal, toRefusal } from '@warder/protocol'
import type { Guard } from '../guard.ts'
import type { RefusalContext } from '../refuse.ts'
import type { PlainAnswer } from './plain-answer.ts'

/** What a handler said in an answer that cannot be passed on. */
export interface HandlerHead {
  readonly status: number
  readonly allow: unknown
  readonly retryAfter: unknown
}

/**
 * Of a status, what it means for a client; credentials that the handler misses are none that a client could
 * get here.
 */
const reasons: Readonly<Record<number, Reason>> = {
  401: 'upstream.unauthorized',
  403: 'upstream.unauthorized',
  404: 'session.unknown',
  405: 'http.method',
  407: 'upstream.unauthorized',
  429: 'upstream.busy',
  503: 'upstream.busy',
}

/**
 * The answer in place of one of a handler that cannot be filtered. A handler that refuses says so by its
 * status, on which clients rely: 405 means that there is no such stream, 404 that the session has ended. So
 * the status stays, and the words become ours. Where the handler promised a good answer, or something else
 * went wrong, it is the answer to the error.
 */
export function refuseStatus(
  guard: Guard,
  error: unknown,
  head: HandlerHead,
  context: RefusalContext,
): PlainAnswer {
  const { status } = head
  const unfit = toRefusal(error)
  if (status < 400 || unfit.reason !== 'upstream.answer') return guard.refuse(unfit, context)
  const reason = reasons[status] ?? unfit.reason
  const seconds = String(head.retryAfter)
  const allowed = String(head.allow)
  const notes = {
    detail: `status ${status}`,
    ...(/^\d{1,5}$/.test(seconds) && { retryAfter: Number(seconds) }),
  }
  const allow = /^[A-Z]+(?: *, *[A-Z]+)*$/.test(allowed) ? allowed : 'POST'
  const answer = guard.refuse(new Refusal(reason, notes), { ...context, allow })
  return reason === 'upstream.unauthorized' ? answer : { ...answer, status }
}
