import { type ClauseIndex, makeClauseIndex } from './clause-index.ts'
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
  const may = makeClauseIndex()
  const never = makeClauseIndex()
  policy.access.forEach((row, at) => {
    if (row.servers !== undefined && !row.servers.includes(server.name)) return
    const number = at + 1
    const tools = row.tools?.map((tool) => compilePattern(tool))
    const allowed = impliedScopes(server, row.may)
    const isBareAccess = row.servers !== undefined && row.never.length === 0
    if (allowed.size > 0 || isBareAccess) {
      const coversTool = tools && ((name: string) => tools.some((tool) => isMeant(tool, name)))
      may.add(row, { row: number, scopes: allowed, coversClient: allowsClient(row.client), coversTool })
    }
    const denied = new Set(
      [...server.scopes.keys()].filter((name) => row.never.some((no) => implied.get(name)?.has(no))),
    )
    if (denied.size > 0) {
      const coversTool = tools && ((name: string) => tools.some((tool) => tool.matches(name)))
      never.add(row, { row: number, scopes: denied, coversClient: deniesClient(row.client), coversTool })
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
  }
}

/** A pattern of a `may` never means odd names (M09); one of a `never` does. */
const isMeant = (tool: Pattern, name: string): boolean =>
  tool.matches(name) && (tool.isExact || isPlainName(name))
