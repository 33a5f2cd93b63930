import type { Asker, Clause } from './clause-index.ts'
import { type CompiledServer, compiledServer } from './compile-policy.ts'
import type { Call, Decision, Policy, ScopeRule, TargetRule } from './policy.ts'
import type { Principal } from './principal.ts'

/**
 * The one decision for lists and calls: open, locked or hidden (RS-22, RS-26, RS-31, RS-39). Pure; the first decision with a
 * policy object compiles it, later ones reuse that, so a policy must not be changed after its first use.
 *
 * Deny beats allow, whatever the order of rows. A scope of the token that the matrix does not allow any more counts for
 * nothing. `never` of a scope also denies every scope that implies it. Rows narrowed to tools say nothing about resources
 * and prompts.
 *
 * Does not check the token itself, nor that the tool exists at the server.
 */
export function decide(policy: Policy, server: string, principal: Principal, call: Call): Decision {
  const entry = compiledServer(policy, server)
  if (entry === undefined) return hidden('the policy has no such server')
  const may = entry.may.about(principal)
  if (call.kind === 'session') return may.length > 0 ? open('a row of access lets them in') : hidden(noRow)
  const rule = findRule(entry, call)
  if (rule === undefined) return hidden(`no ${call.kind} line matches`)
  if (rule.never) return hidden(`the line ${rule.match} says never`)
  const never = entry.never.about(principal)
  const tool = call.kind === 'tool' ? call.name : undefined
  const needed = rule.scopes
  const refusal = whyNot(may, never, needed, tool)
  if (refusal !== undefined) return hidden(refusal)
  const missing = needed.filter((scope) => !isGranted(entry, may, never, principal, scope))
  if (missing.length === 0)
    return open(`the line ${rule.match} needs ${needed.join(' ') || 'no scope'}; granted`)
  const because = `the line ${rule.match} needs ${needed.join(' ')}; the token lacks ${missing.join(' ')}`
  return { outcome: 'locked', because, needed, missing }
}

/**
 * What the matrix allows this user with this client, in the order of the file: all that a consent page may offer, and all
 * that a token may carry. A scope that is allowed for some tools only is offered; the decision narrows it at each call.
 */
export function offeredScopes(policy: Policy, server: string, who: Asker): readonly ScopeRule[] {
  const entry = compiledServer(policy, server)
  if (entry === undefined) return []
  const may = entry.may.about(who)
  const never = entry.never.about(who)
  return [...entry.policy.scopes.values()].filter((scope) => isOffered(may, never, scope.name))
}

/** Whether any row lets this user with this client in at all; without one, not even a session is open. */
export function hasAccess(policy: Policy, server: string, who: Asker): boolean {
  const entry = compiledServer(policy, server)
  return entry !== undefined && entry.may.about(who).length > 0
}

const noRow = 'no row of access is for this user and client'
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

function coversTool(clause: Clause, tool: string | undefined): boolean {
  return clause.coversTool === undefined || (tool !== undefined && clause.coversTool(tool))
}

/** Why the matrix does not let them have all of these scopes for this call; undefined: it does. */
function whyNot(
  may: readonly Clause[],
  never: readonly Clause[],
  needed: readonly string[],
  tool: string | undefined,
): string | undefined {
  for (const clause of never) {
    const denied = needed.find((scope) => clause.scopes.has(scope))
    if (denied !== undefined && coversTool(clause, tool))
      return `access row ${clause.row} says never ${denied}`
  }
  const covering = may.filter((clause) => coversTool(clause, tool))
  if (covering.length === 0) return noRow
  const lacking = needed.find((scope) => !covering.some((clause) => clause.scopes.has(scope)))
  return lacking === undefined ? undefined : `no row of access gives ${lacking} to this user and client`
}

/** Whether the matrix lets them have the scope for anything at all. */
function isOffered(may: readonly Clause[], never: readonly Clause[], scope: string): boolean {
  const isDenied = never.some((clause) => clause.coversTool === undefined && clause.scopes.has(scope))
  return !isDenied && may.some((clause) => clause.scopes.has(scope))
}

/** Whether the token carries the scope, or a broader one that implies it, and the matrix still allows what it carries. */
function isGranted(
  entry: CompiledServer,
  may: readonly Clause[],
  never: readonly Clause[],
  principal: Principal,
  scope: string,
): boolean {
  for (const held of principal.scopes) {
    if (entry.implied.get(held)?.has(scope) === true && isOffered(may, never, held)) return true
  }
  return false
}
