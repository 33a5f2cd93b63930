import type { Asker, Clause } from './clause-index.ts'
import { type CompiledServer, compiledServer } from './compile-policy.ts'
import type { Call, Decision, Policy, ScopeRule, TargetRule } from './policy.ts'
import type { Principal } from './principal.ts'
import { type Settled, type SettledClauses, settleClauses } from './settle-clauses.ts'

/**
 * The one decision for lists and calls: open, locked or hidden (RS-22, RS-26, RS-31, RS-39). Pure; the first decision with a
 * policy object compiles it, later ones reuse that, so a policy must not be changed after its first use. `now`, in milliseconds
 * since the epoch, is for conditions about time; without it they cannot be evaluated.
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
  const settled = settleClauses(entry, principal, {
    args: call.kind === 'tool' ? call.args : undefined,
    now,
    unknown: isBeforeCall(call) ? beforeCall : nothing,
  })
  if (call.kind === 'session') {
    return settled.hoped.may.length > 0 ? open('a row of access lets them in') : hidden(noRow(settled))
  }
  const rule = findRule(entry, call)
  if (rule === undefined) return hidden(`no ${call.kind} line matches`)
  if (rule.never) return hidden(`the line ${rule.match} says never`)
  const asked: Question = { entry, rule, principal, tool: call.kind === 'tool' ? call.name : undefined }
  const sure = decideWith(settled, settled.sure, asked)
  if (settled.hoped === settled.sure || sure.outcome === 'open') return sure
  const hoped = decideWith(settled, settled.hoped, asked)
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
  const { hoped } = settleClauses(entry, who, { unknown: beforeConsent })
  return [...entry.policy.scopes.values()].filter((scope) => isOffered(hoped, scope.name))
}

/** Whether any row lets this user with this client in at all; without one, not even a session is open. */
export function hasAccess(policy: Policy, server: string, who: Asker): boolean {
  const entry = compiledServer(policy, server)
  return entry !== undefined && settleClauses(entry, who, { unknown: beforeConsent }).hoped.may.length > 0
}

/** What is asked about one tool, resource or prompt. */
interface Question {
  readonly entry: CompiledServer
  readonly rule: TargetRule
  readonly principal: Principal
  readonly tool: string | undefined
}

const nothing: ReadonlySet<'args' | 'time'> = new Set()
const beforeCall: ReadonlySet<'args' | 'time'> = new Set(['args'])
const beforeConsent: ReadonlySet<'args' | 'time'> = new Set(['args', 'time'])
const isBeforeCall = (call: Call): boolean =>
  call.kind === 'session' || (call.kind === 'tool' && call.args === undefined)

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

function decideWith(settled: SettledClauses, clauses: Settled, asked: Question): Decision {
  const { rule, principal } = asked
  const needed = rule.scopes
  const refusal = whyNot(settled, clauses, needed, asked.tool)
  if (refusal !== undefined) return hidden(refusal)
  const missing = needed.filter((scope) => !isGranted(asked.entry, clauses, principal, scope))
  if (missing.length === 0)
    return open(`the line ${rule.match} needs ${needed.join(' ') || 'no scope'}; granted`)
  const because = `the line ${rule.match} needs ${needed.join(' ')}; the token lacks ${missing.join(' ')}`
  return { outcome: 'locked', because, needed, missing }
}

function coversTool(clause: Clause, tool: string | undefined): boolean {
  return clause.coversTool === undefined || (tool !== undefined && clause.coversTool(tool))
}

/** Why the matrix does not let them have all of these scopes for this call; undefined: it does. */
function whyNot(
  settled: SettledClauses,
  { may, never }: Settled,
  needed: readonly string[],
  tool: string | undefined,
): string | undefined {
  for (const clause of never) {
    const denied = needed.find((scope) => clause.scopes.has(scope))
    if (denied !== undefined && coversTool(clause, tool)) {
      const failed = settled.failed.has(clause) ? ', and its when cannot be evaluated' : ''
      return `access row ${clause.row} says never ${denied}${failed}`
    }
  }
  const covering = may.filter((clause) => coversTool(clause, tool))
  if (covering.length === 0)
    return noRow(settled, (clause) => coversTool(clause, tool) && gives(clause, needed))
  const lacking = needed.find((scope) => !covering.some((clause) => clause.scopes.has(scope)))
  if (lacking === undefined) return undefined
  const hint = wouldBe(settled, (clause) => coversTool(clause, tool) && clause.scopes.has(lacking))
  return `no row of access gives ${lacking} to this user and client${hint}`
}

const gives = (clause: Clause, needed: readonly string[]): boolean =>
  needed.length === 0 || needed.some((scope) => clause.scopes.has(scope))

function noRow(settled: SettledClauses, helps: (clause: Clause) => boolean = () => true): string {
  return `no row of access is for this user and client${wouldBe(settled, helps)}`
}

/** Names the rows that would have helped, had their condition held. */
function wouldBe({ without }: SettledClauses, helps: (clause: Clause) => boolean): string {
  const rows = new Map(
    without.filter(({ clause }) => helps(clause)).map(({ clause, why }) => [clause.row, why]),
  )
  return [...rows].map(([row, why]) => `; row ${row} would, but ${why}`).join('')
}

/** Whether the matrix lets them have the scope for anything at all. */
function isOffered({ may, never }: Settled, scope: string): boolean {
  const isDenied = never.some((clause) => clause.coversTool === undefined && clause.scopes.has(scope))
  return !isDenied && may.some((clause) => clause.scopes.has(scope))
}

/** Whether the token carries the scope, or a broader one that implies it, and the matrix still allows what it carries. */
function isGranted(entry: CompiledServer, clauses: Settled, principal: Principal, scope: string): boolean {
  for (const held of principal.scopes) {
    if (entry.implied.get(held)?.has(scope) === true && isOffered(clauses, held)) return true
  }
  return false
}
