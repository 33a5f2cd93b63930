import { compiledServer } from './compile-policy.ts'
import { decide, decideFrom, isGranted, type Standing, settleCall } from './decide.ts'
import type { Call, Decision, Policy } from './policy.ts'
import type { Principal } from './principal.ts'
import type { View } from './settle-clauses.ts'

/**
 * `decide` for many calls of one principal at one time, as for the items of a list: the rows about the principal, their conditions
 * and the scopes granted are settled once for all calls of a kind. Calls with arguments are decided one by one.
 */
export function prepareDecisions(
  policy: Policy,
  server: string,
  principal: Principal,
  now?: number,
): (call: Call) => Decision {
  const entry = compiledServer(policy, server)
  const standings = new Map<Call['kind'], Standing>()
  return (call) => {
    if (entry === undefined || 'args' in call) return decide(policy, server, principal, call, now)
    const known = standings.get(call.kind)
    if (known !== undefined) return decideFrom(known, call)
    const settled = settleCall(entry, principal, call, now)
    const standing = { entry, principal, settled, isGranted: rememberGranted() }
    standings.set(call.kind, standing)
    return decideFrom(standing, call)
  }
}

/** `isGranted` for one standing, which asks once for each scope. */
function rememberGranted(): typeof isGranted {
  const answers: Readonly<Record<View, Map<string, boolean>>> = { sure: new Map(), hoped: new Map() }
  return (view, standing, scope) => {
    const known = answers[view].get(scope)
    if (known !== undefined) return known
    const answer = isGranted(view, standing, scope)
    answers[view].set(scope, answer)
    return answer
  }
}
