import { type ClauseIndex, makeClauseIndex } from './clause-index.ts'
import { brokenCondition, type Condition, compileCondition } from './condition.ts'
import { allowsClient, deniesClient } from './covers-client.ts'
import { compilePattern, type Pattern } from './pattern.ts'
import type { AccessRow, Policy, ServerPolicy } from './policy.ts'
import { impliedScopes } from './scopes.ts'
import { isPlainName, isPlainUri, makeTargetIndex, type TargetIndex } from './target-index.ts'

/** One server of a policy, ready for decisions. */
export interface CompiledServer {
  readonly policy: ServerPolicy
  readonly tools: TargetIndex
  readonly resources: TargetIndex
  readonly prompts: TargetIndex
  readonly may: ClauseIndex
  readonly never: ClauseIndex
  /** A scope with everything that it implies. */
  readonly implied: ReadonlyMap<string, ReadonlySet<string>>
  /** The groups of the file in which one of the names is, in the order of the file. */
  groupsOf(names: readonly string[]): readonly string[]
}

const compiled = new WeakMap<Policy, ReadonlyMap<string, CompiledServer>>()

/** The server of the policy, compiled once a policy object; undefined when the policy does not know it. */
export function compiledServer(policy: Policy, server: string): CompiledServer | undefined {
  return compilePolicy(policy).get(server)
}

/** Makes the policy ready for decisions, unless it is already, so that no call waits for that. */
export function compilePolicy(policy: Policy): ReadonlyMap<string, CompiledServer> {
  const known = compiled.get(policy)
  if (known !== undefined) return known
  const servers = compileServers(policy)
  compiled.set(policy, servers)
  return servers
}

/** One walk over the rows: each goes to the servers that it can be about, and to no others. */
function compileServers(policy: Policy): ReadonlyMap<string, CompiledServer> {
  const groupsOf = compileGroups(policy.groups ?? new Map())
  const servers = new Map([...policy.servers].map(([name, entry]) => [name, compileServer(entry, groupsOf)]))
  const definedBy = new Map<string, GrowingServer[]>()
  for (const entry of servers.values()) {
    for (const scope of entry.policy.scopes.keys())
      definedBy.set(scope, [...(definedBy.get(scope) ?? []), entry])
  }
  const conditions = new Map<string, Condition>()
  policy.access.forEach((row, at) => {
    const named = row.servers?.map((name) => servers.get(name))
    const about = named ?? [...row.may, ...row.never].flatMap((scope) => definedBy.get(scope) ?? [])
    const ready = { ...row, number: at + 1, condition: conditionOf(row.when, conditions) }
    for (const entry of new Set(about)) if (entry !== undefined) addRow(entry, ready)
  })
  return servers
}

/** A server whose rows are still to come, with which scopes imply one. */
interface GrowingServer extends CompiledServer {
  readonly impliedBy: ReadonlyMap<string, readonly string[]>
}

function compileServer(server: ServerPolicy, groupsOf: CompiledServer['groupsOf']): GrowingServer {
  const implied = new Map<string, ReadonlySet<string>>()
  const impliedBy = new Map<string, string[]>()
  for (const name of server.scopes.keys()) {
    const closure = impliedScopes(server, [name])
    implied.set(name, closure)
    for (const scope of closure) impliedBy.set(scope, [...(impliedBy.get(scope) ?? []), name])
  }
  return {
    policy: server,
    tools: makeTargetIndex(server.tools, isPlainName),
    resources: makeTargetIndex(server.resources, isPlainUri),
    prompts: makeTargetIndex(server.prompts, isPlainName),
    may: makeClauseIndex(),
    never: makeClauseIndex(),
    implied,
    impliedBy,
    groupsOf,
  }
}

/** A row with its place in the file and its condition. */
interface ReadyRow extends AccessRow {
  readonly number: number
  readonly condition: Condition | undefined
}

function addRow(entry: GrowingServer, row: ReadyRow): void {
  const { who, client, condition } = row
  const tools = row.tools?.map((tool) => compilePattern(tool))
  const common = { row: row.number, client, tools, condition }
  const allowed = impliedScopes(entry.policy, row.may)
  const isBareAccess = row.servers !== undefined && row.never.length === 0
  if (allowed.size > 0 || isBareAccess) {
    const coversTool = toolRule(tools, isMeant)
    entry.may.add(who, { ...common, scopes: allowed, coversClient: allowsClient(client), coversTool })
  }
  const denied = new Set(row.never.flatMap((scope) => entry.impliedBy.get(scope) ?? []))
  if (denied.size > 0) {
    const coversTool = toolRule(tools, (tool, name) => tool.matches(name))
    entry.never.add(who, { ...common, scopes: denied, coversClient: deniesClient(client), coversTool })
  }
}

/** Rows narrowed to tools say nothing about what is no tool. */
function toolRule(
  tools: readonly Pattern[] | undefined,
  isCovered: (tool: Pattern, name: string) => boolean,
): (name: string | undefined) => boolean {
  if (tools === undefined) return always
  return (name) => name !== undefined && tools.some((tool) => isCovered(tool, name))
}

const always = (): boolean => true

/** A pattern of a `may` never means odd names (M09); one of a `never` does. */
const isMeant = (tool: Pattern, name: string): boolean =>
  tool.matches(name) && (tool.isExact || isPlainName(name))

/** Many rows say the same `when`: compiled once, and evaluated once a decision. */
function conditionOf(when: string | undefined, known: Map<string, Condition>): Condition | undefined {
  if (when === undefined) return undefined
  const condition = known.get(when) ?? compileWhen(when)
  known.set(when, condition)
  return condition
}

function compileWhen(when: string): Condition {
  const read = compileCondition(when)
  return 'message' in read ? brokenCondition : read
}

function compileGroups(groups: ReadonlyMap<string, readonly string[]>): CompiledServer['groupsOf'] {
  const places = new Map([...groups.keys()].map((group, at) => [group, at]))
  const byMember = new Map<string, string[]>()
  for (const [group, members] of groups) {
    for (const member of members) {
      const known = byMember.get(member)
      if (known === undefined) byMember.set(member, [group])
      else known.push(group)
    }
  }
  return (names) => {
    const found = names.flatMap((name) => byMember.get(name) ?? none)
    if (found.length < 2) return found
    return [...new Set(found)].sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0))
  }
}

const none: readonly string[] = []
