import type { Guard } from '@warder/guard'
import type { Call, Decision, Principal } from '@warder/policy'
import type { IncomingCall } from './read-call.ts'

/** A call, and what the policy says to it. */
export interface Verdict {
  readonly call: Call
  readonly decision: Decision
}

/** A message with its decision, and one for each resource that it subscribes to. */
export interface DecidedCall extends Verdict {
  readonly incoming: IncomingCall
  readonly subscribed: readonly (Verdict & { readonly call: { readonly kind: 'resource' } })[]
}

/** Asks the policy about everything that one message names. */
export function authorizeCall(guard: Guard, principal: Principal, incoming: IncomingCall): DecidedCall {
  const { call } = incoming
  return {
    incoming,
    call,
    decision: guard.decide(principal, call),
    subscribed: incoming.subscribed.map((uri) => {
      const resource = { kind: 'resource', uri } as const
      return { call: resource, decision: guard.decide(principal, resource) }
    }),
  }
}

/** Whether the policy in force lets all of them pass, as `areOpen` says it; one that cannot be read lets nothing pass. */
export function areStillOpen(guard: Guard, principal: Principal, incoming: readonly IncomingCall[]): boolean {
  try {
    return areOpen(incoming.map((call) => authorizeCall(guard, principal, call)))
  } catch {
    return false
  }
}

/** Whether all messages may go on; one that may not keeps its whole batch here (OT-10). */
export function areOpen(decided: readonly DecidedCall[]): boolean {
  return decided.every(({ decision }) => decision.outcome === 'open')
}
