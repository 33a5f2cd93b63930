import type { Principal } from '@warder/policy'
import type { Refusal } from '@warder/protocol'
import { areOpen, type DecidedCall, type Verdict } from './authorize-call.ts'
import type { DecisionEntry } from './decision-log.ts'
import type { Head } from './read-head.ts'
import type { Route } from './route.ts'
import { readTraceparent } from './upstream-headers.ts'

/** Whose request a record is about. */
export interface EntrySource {
  readonly route: Route
  readonly head: Head
  readonly principal: Principal
}

/**
 * What is recorded before anything goes on: one entry for each message, and one for each resource that a subscription names.
 * What is open in itself and stays here because of the rest of its batch is recorded as refused. `digest` is asked for that of the
 * bytes that go on, when they do.
 */
export function decisionEntries(
  source: EntrySource,
  decided: readonly DecidedCall[],
  digest: () => string | undefined,
): DecisionEntry[] {
  const goesOn = areOpen(decided)
  const body = goesOn ? digest() : undefined
  return decided.flatMap((one) => {
    const { method } = one.incoming
    const own =
      !goesOn && one.decision.outcome === 'open'
        ? { ...verdictEntry(source, method, one), outcome: 'refused' as const, reason: 'call.not-executed' }
        : { ...verdictEntry(source, method, one), ...(body === undefined ? {} : { body }) }
    return [own, ...one.subscribed.map((verdict) => verdictEntry(source, method, verdict))]
  })
}

/** What is recorded of a request that never got as far as the policy. */
export function refusedEntry(
  source: EntrySource,
  method: string | undefined,
  refusal: Refusal,
): DecisionEntry {
  const { detail } = refusal.notes
  return {
    outcome: 'refused',
    reason: refusal.reason,
    ...(detail === undefined ? {} : { because: detail }),
    ...commonEntry(source, method),
  }
}

function verdictEntry(source: EntrySource, method: string, { call, decision }: Verdict): DecisionEntry {
  return {
    outcome: decision.outcome,
    because: decision.because,
    ...(decision.outcome === 'locked' ? { reason: 'scope.insufficient' } : {}),
    ...(decision.outcome === 'hidden' ? { reason: 'call.unknown' } : {}),
    ...commonEntry(source, method),
    ...(call.kind === 'session' ? {} : { target: call.kind === 'resource' ? call.uri : call.name }),
    policy: source.route.guard.policyDigest(),
  }
}

function commonEntry(
  { route, head, principal }: EntrySource,
  method: string | undefined,
): Omit<DecisionEntry, 'outcome'> {
  const { user, client, grantId, tokenId, scopes } = principal
  const traceparent = readTraceparent(head.headers)
  return {
    server: route.guard.server,
    ...(method === undefined ? {} : { method }),
    issuer: user.issuer,
    subject: user.subject,
    client: client.id,
    clientClass: client.class,
    scopes: [...scopes],
    ...(grantId === undefined ? {} : { grantId }),
    tokenId,
    ...(head.peer === undefined ? {} : { peer: head.peer }),
    ...(traceparent === undefined ? {} : { traceparent }),
  }
}
