import type { Guard, RefusalAnswer, RefusalContext } from '@warder/guard'
import type { Decision } from '@warder/policy'
import { type JsonRpcId, jsonRpcError, type McpPost, Refusal, refusals } from '@warder/protocol'
import type { DecidedCall } from './authorize-call.ts'

type Denial = Exclude<Decision, { readonly outcome: 'open' }>

/** The decided message that stands for a refused request, with a denial that speaks for all that are locked. */
interface Culprit {
  readonly decided: DecidedCall
  readonly denial: Denial
}

/**
 * The answer to a request of which not everything is open. A single message is answered as the guard words it. A batch is refused
 * as a whole (OT-10): by a challenge that names what all its messages need, or, where something is hidden, which no scope would
 * change, by an array in which the hidden message is answered as if it were alone and every other request as not executed.
 */
export function refuseCalls(
  guard: Guard,
  decided: readonly DecidedCall[],
  isBatch: boolean,
  context: RefusalContext,
): RefusalAnswer {
  const culprit = findCulprit(decided)
  if (culprit === undefined) throw new Refusal('internal', { detail: 'an open request was refused' })
  const { call, incoming } = culprit.decided
  const id = idOf(culprit.decided)
  const own = guard.refuseDecision(culprit.denial, call, { ...context, ...(id === undefined ? {} : { id }) })
  if (!isBatch || own.status !== 200) return own
  const answers = decided.flatMap((one) => {
    if (one.incoming === incoming) return id === undefined ? [] : [JSON.parse(own.body) as object]
    const other = idOf(one)
    return other === undefined ? [] : [errorFor(other, 'call.not-executed')]
  })
  return { ...own, body: JSON.stringify(answers) }
}

/**
 * The answer to what was sent on and then ended, in words and to each request: the client must not take it for something to send
 * again.
 */
export function endedAnswer(guard: Guard, post: McpPost | undefined, context: RefusalContext): RefusalAnswer {
  const own = guard.refuse(new Refusal('call.ended'), context)
  const ids = post?.messages.flatMap(({ kind, id }) => (kind === 'request' && id !== undefined ? [id] : []))
  if (post?.isBatch !== true || !ids?.length) return own
  return { ...own, body: JSON.stringify(ids.map((id) => errorFor(id, 'call.ended'))) }
}

function findCulprit(decided: readonly DecidedCall[]): Culprit | undefined {
  const denied = decided.flatMap((one) => {
    const { decision } = one
    return decision.outcome === 'open' ? [] : [{ decided: one, denial: decision }]
  })
  const [first] = denied
  const hidden = denied.find(({ denial }) => denial.outcome === 'hidden')
  if (hidden !== undefined || first === undefined || first.denial.outcome !== 'locked') return hidden
  const of = (member: 'needed' | 'missing'): string[] => [
    ...new Set(denied.flatMap(({ denial }) => (denial.outcome === 'locked' ? denial[member] : []))),
  ]
  return { decided: first.decided, denial: { ...first.denial, needed: of('needed'), missing: of('missing') } }
}

function idOf({ incoming }: DecidedCall): JsonRpcId | undefined {
  return incoming.message?.kind === 'request' ? incoming.message.id : undefined
}

function errorFor(id: JsonRpcId, reason: 'call.not-executed' | 'call.ended'): object {
  const { code = -32603, says } = refusals[reason]
  return jsonRpcError(id, code, says)
}
