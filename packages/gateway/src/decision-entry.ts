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

type Draft = { -readonly [Key in keyof DecisionEntry]: DecisionEntry[Key] }

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
  const entries: DecisionEntry[] = []
  for (const one of decided) {
    const { method } = one.incoming
    const own = verdictEntry(source, method, one)
    if (!goesOn && one.decision.outcome === 'open') {
      own.outcome = 'refused'
      own.reason = 'call.not-executed'
    } else if (body !== undefined) {
      own.body = body
    }
    entries.push(own)
    for (const verdict of one.subscribed) entries.push(verdictEntry(source, method, verdict))
  }
  return entries
}

/** What is recorded of a request that never got as far as the policy. */
export function refusedEntry(
  source: EntrySource,
  method: string | undefined,
  refusal: Refusal,
): DecisionEntry {
  const { detail } = refusal.notes
  const entry: Draft = { outcome: 'refused', reason: refusal.reason, server: source.route.guard.server }
  if (detail !== undefined) entry.because = detail
  return addCommon(entry, source, method)
}

function verdictEntry(source: EntrySource, method: string, { call, decision }: Verdict): Draft {
  const { guard } = source.route
  const entry: Draft = { outcome: decision.outcome, because: decision.because, server: guard.server }
  if (decision.outcome === 'locked') entry.reason = 'scope.insufficient'
  if (decision.outcome === 'hidden') entry.reason = 'call.unknown'
  if (call.kind !== 'session') entry.target = call.kind === 'resource' ? call.uri : call.name
  entry.policy = guard.policyDigest()
  return addCommon(entry, source, method)
}

/** Member by member: an object that is spread into another is made anew each time, for every call. */
function addCommon(entry: Draft, { head, principal }: EntrySource, method: string | undefined): Draft {
  const { user, client, grantId, tokenId, scopes } = principal
  if (method !== undefined) entry.method = method
  entry.issuer = user.issuer
  entry.subject = user.subject
  entry.client = client.id
  entry.clientClass = client.class
  entry.scopes = [...scopes]
  if (grantId !== undefined) entry.grantId = grantId
  entry.tokenId = tokenId
  if (head.peer !== undefined) entry.peer = head.peer
  const traceparent = readTraceparent(head.headers)
  if (traceparent !== undefined) entry.traceparent = traceparent
  return entry
}
