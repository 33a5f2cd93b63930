import type { Guard } from '@warder/guard'
import type { Call, Decision, Principal } from '@warder/policy'
import type { IncomingCall } from './read-call.ts'

/** The decision that counts, and the call it is about. */
export interface Verdict {
  readonly decision: Decision
  readonly call: Call
}

/** Open only when everything that the request names is open; otherwise the first that is not. */
export function authorizeCall(guard: Guard, principal: Principal, incoming: IncomingCall): Verdict {
  const [first, ...others] = incoming.calls
  const verdict: Verdict = { call: first, decision: guard.decide(principal, first) }
  if (verdict.decision.outcome !== 'open') return verdict
  for (const call of others) {
    const decision = guard.decide(principal, call)
    if (decision.outcome !== 'open') return { call, decision }
  }
  return verdict
}
