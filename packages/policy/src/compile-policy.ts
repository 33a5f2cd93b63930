import { type ClauseIndex, makeClauseIndex } from './clause-index.ts'
import { brokenCondition, type Condition, compileCondition } from './condition.ts'
import { allowsClient, deniesClient } from './covers-client.ts'
import { compilePattern, type Pattern } from './pattern.ts'
import type { Policy, ServerPolicy } from './policy.ts'
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
  /** The groups of the file in which one of the names is. */
  groupsOf(names: readonly string[]): readonly string[]
}

const compiled = new WeakMap<Policy, ReadonlyMap<string, CompiledServer>>()

/** The server of the policy, compiled once a policy object; undefined when the policy does not know it. */
export function compiledServer(policy: Policy, server: string): CompiledServer | undefined {
  let servers = compiled.get(policy)
  if (servers === undefined) {
    servers = new Map([...policy.servers].map(([name, entry]) => [name, compileServer(policy, entry)]))
    compiled.set(policy, servers)
  }
  return servers.get(server)
}

function compileServer(policy: Policy, server: ServerPolicy): CompiledServer {
  const implied = new Map<string, ReadonlySet<string>>()
  for (const name of server.scopes.keys()) implied.set(name, impliedScopes(server, [name]))
  const groups = policy.groups ?? new Map<string, readonly string[]>()
  const may = makeClauseIndex(groups)
  const never = makeClauseIndex(groups)
  policy.access.forEach((row, at) => {
    if (row.servers !== undefined && !row.servers.includes(server.name)) return
    const number = at + 1
    const condition = row.when === undefined ? undefined : compileWhen(row.when)
    const tools = row.tools?.map((tool) => compilePattern(tool))
    const allowed = impliedScopes(server, row.may)
    const isBareAccess = row.servers !== undefined && row.never.length === 0
    if (allowed.size > 0 || isBareAccess) {
      const coversTool = tools && ((name: string) => tools.some((tool) => isMeant(tool, name)))
      may.add(row, {
        row: number,
        scopes: allowed,
        coversClient: allowsClient(row.client),
        coversTool,
        condition,
      })
    }
    const denied = new Set(
      [...server.scopes.keys()].filter((name) => row.never.some((no) => implied.get(name)?.has(no))),
    )
    if (denied.size > 0) {
      const coversTool = tools && ((name: string) => tools.some((tool) => tool.matches(name)))
      never.add(row, {
        row: number,
        scopes: denied,
        coversClient: deniesClient(row.client),
        coversTool,
        condition,
      })
    }
  })
  return {
    policy: server,
    tools: makeTargetIndex(server.tools, isPlainName),
    resources: makeTargetIndex(server.resources, isPlainUri),
    prompts: makeTargetIndex(server.prompts, isPlainName),
    may,
    never,
    implied,
    groupsOf: (names) =>
      [...groups].flatMap(([group, members]) =>
        members.some((member) => names.includes(member)) ? [group] : [],
      ),
  }
}

function compileWhen(when: string): Condition {
  const read = compileCondition(when)
  return 'message' in read ? brokenCondition : read
}

/** A pattern of a `may` never means odd names (M09); one of a `never` does. */
const isMeant = (tool: Pattern, name: string): boolean =>
  tool.matches(name) && (tool.isExact || isPlainName(name))
