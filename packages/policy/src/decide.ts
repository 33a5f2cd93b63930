import type { Asker } from './clause-index.ts'
import { anywhere, type Clause, type Wanted } from './clause-list.ts'
import { type CompiledServer, compiledServer } from './compile-policy.ts'
import type { Call, Decision, Policy, ScopeRule, TargetRule } from './policy.ts'
import type { Principal } from './principal.ts'
import { type SettledClauses, settleClauses, type View } from './settle-clauses.ts'

/**
 * The one decision for lists and calls: open, locked or hidden (RS-22, RS-26, RS-31, RS-39). Pure; `readPolicy`, or the first
 * decision with a policy object made otherwise, compiles it, so a policy must not be changed afterwards. `now`, in
 * milliseconds since the epoch, is for conditions about time; without it they cannot be evaluated.
 *
 * Deny beats allow, whatever the order of rows. A scope of the token that the matrix does not allow any more counts for
 * nothing. `never` of a scope also denies every scope that implies it. Rows narrowed to tools say nothing about resources
 * and prompts. A tool whose arguments are not known yet is locked where they decide, and only open where they do not.
 *
 * Does not check the token itself, nor that the tool exists at the server.
 */
export function decide(
  policy: Policy,
  server: string,
  principal: Principal,
  call: Call,
  now?: number,
): Decision {
  const entry = compiledServer(policy, server)
  if (entry === undefined) return hidden('the policy has no such server')
  const settled = settleCall(entry, principal, call, now)
  return decideFrom({ entry, principal, settled, isGranted }, call)
}

/** Where a principal stands with calls of one kind, or with one call: what a decision starts from. */
export interface Standing {
  readonly entry: CompiledServer
  readonly principal: Principal
  readonly settled: SettledClauses
  readonly isGranted: typeof isGranted
}

/** The rows about the principal. Of a call without arguments they depend on nothing but its kind. */
export function settleCall(
  entry: CompiledServer,
  principal: Principal,
  call: Call,
  now: number | undefined,
): SettledClauses {
  return settleClauses(entry, principal, {
    args: 'args' in call ? call.args : undefined,
    now,
    unknown: isBeforeCall(call) ? beforeCall : nothing,
  })
}

/** The decision on a call that the principal stands like this with. */
export function decideFrom(standing: Standing, call: Call): Decision {
  const { entry, settled } = standing
  if (call.kind === 'session') {
    return isLetIn(settled) ? open('a row of access lets them in') : hidden(noRow(settled, anything))
  }
  const rule = findRule(entry, call)
  if (rule === undefined) return hidden(`no ${call.kind} line matches`)
  if (rule.never) return hidden(`the line ${rule.match} says never`)
  const asked: Question = { standing, rule, tool: call.kind === 'tool' ? call.name : undefined }
  const sure = decideWith('sure', asked)
  if (!settled.isUnsure() || sure.outcome === 'open') return sure
  const hoped = decideWith('hoped', asked)
  if (hoped.outcome === sure.outcome) return hoped
  if (hoped.outcome === 'locked') return hoped
  const missing = sure.outcome === 'locked' ? sure.missing : []
  return {
    outcome: 'locked',
    because: 'it depends on the arguments of the call',
    needed: rule.scopes,
    missing,
  }
}

/**
 * What the matrix allows this user with this client, in the order of the file: all that a consent page may offer, and all
 * that a token may carry. A scope that is allowed for some tools only, or under a condition about arguments or time, is offered;
 * the decision narrows it at each call.
 */
export function offeredScopes(policy: Policy, server: string, who: Asker): readonly ScopeRule[] {
  const entry = compiledServer(policy, server)
  if (entry === undefined) return []
  const settled = settleClauses(entry, who, { unknown: beforeConsent })
  return [...entry.policy.scopes.values()].filter((scope) => isOffered(settled, 'hoped', scope.name))
}

/** Whether any row lets this user with this client in at all; without one, not even a session is open. */
export function hasAccess(policy: Policy, server: string, who: Asker): boolean {
  const entry = compiledServer(policy, server)
  return entry !== undefined && isLetIn(settleClauses(entry, who, { unknown: beforeConsent }))
}

/** What is asked about one tool, resource or prompt. */
interface Question {
  readonly standing: Standing
  readonly rule: TargetRule
  readonly tool: string | undefined
}

const nothing: ReadonlySet<'args' | 'time'> = new Set()
const beforeCall: ReadonlySet<'args' | 'time'> = new Set(['args'])
const beforeConsent: ReadonlySet<'args' | 'time'> = new Set(['args', 'time'])
const isBeforeCall = (call: Call): boolean =>
  call.kind === 'session' || (call.kind === 'tool' && call.args === undefined)

const anything: Wanted = { scope: undefined, tool: anywhere }
const isLetIn = (settled: SettledClauses): boolean => settled.has('may', 'hoped', anything)

const hidden = (because: string): Decision => ({ outcome: 'hidden', because })
const open = (because: string): Decision => ({ outcome: 'open', because })

function findRule(entry: CompiledServer, call: Call): TargetRule | undefined {
  switch (call.kind) {
    case 'tool':
      return entry.tools.find(call.name)
    case 'resource':
      return entry.resources.find(call.uri)
    case 'prompt':
      return entry.prompts.find(call.name)
    default:
      return undefined
  }
}

function decideWith(view: View, asked: Question): Decision {
  const { standing, rule } = asked
  const needed = rule.scopes
  const refusal = whyNot(view, asked)
  if (refusal !== undefined) return hidden(refusal)
  const missing = needed.filter((scope) => !standing.isGranted(view, standing, scope))
  if (missing.length === 0)
    return open(`the line ${rule.match} needs ${needed.join(' ') || 'no scope'}; granted`)
  const because = `the line ${rule.match} needs ${needed.join(' ')}; the token lacks ${missing.join(' ')}`
  return { outcome: 'locked', because, needed, missing }
}

/** Why the matrix does not let them have all of the scopes for this call; undefined: it does. */
function whyNot(view: View, { standing, rule, tool }: Question): string | undefined {
  const { settled } = standing
  const needed = rule.scopes
  const denial = firstDenial(view, settled, needed, tool)
  if (denial !== undefined) {
    const failed = settled.hasFailed(denial) ? ', and its when cannot be evaluated' : ''
    const denied = needed.find((scope) => denial.scopes.has(scope))
    return `access row ${denial.row} says never ${denied}${failed}`
  }
  const covering = { scope: undefined, tool }
  const lacking = needed.find((scope) => !settled.has('may', view, { scope, tool }))
  if (lacking === undefined && needed.length > 0) return undefined
  if (!settled.has('may', view, covering)) return noRow(settled, covering, needed)
  if (lacking === undefined) return undefined
  const hint = wouldBe(settled, { scope: lacking, tool })
  return `no row of access gives ${lacking} to this user and client${hint}`
}

/** The first row of the file that denies one of the scopes. */
function firstDenial(
  view: View,
  settled: SettledClauses,
  needed: readonly string[],
  tool: string | undefined,
): Clause | undefined {
  let first: Clause | undefined
  for (const scope of needed) {
    const denial = settled.first('never', view, { scope, tool })
    if (denial !== undefined && (first === undefined || denial.row < first.row)) first = denial
  }
  return first
}

function noRow(settled: SettledClauses, wanted: Wanted, needed: readonly string[] = []): string {
  return `no row of access is for this user and client${wouldBe(settled, wanted, needed)}`
}

/** Names the rows that would have helped, had their condition held: those that give one of the scopes, if any is needed. */
function wouldBe(settled: SettledClauses, wanted: Wanted, needed: readonly string[] = []): string {
  const helps = ({ scopes }: Clause): boolean =>
    needed.length === 0 || needed.some((scope) => scopes.has(scope))
  return settled
    .without(wanted)
    .filter(({ clause }) => helps(clause))
    .map(({ clause, why }) => `; row ${clause.row} would, but ${why}`)
    .join('')
}

/** Whether the matrix lets them have the scope for anything at all. */
function isOffered(settled: SettledClauses, view: View, scope: string): boolean {
  const isDenied = settled.has('never', view, { scope, tool: undefined })
  return !isDenied && settled.has('may', view, { scope, tool: anywhere })
}

/** Whether the token carries the scope, or a broader one that implies it, and the matrix still allows what it carries. */
export function isGranted(view: View, { entry, settled, principal }: Standing, scope: string): boolean {
  for (const held of principal.scopes) {
    if (entry.implied.get(held)?.has(scope) === true && isOffered(settled, view, held)) return true
  }
  return false
}
