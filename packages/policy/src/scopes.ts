import type { ServerPolicy } from './policy.ts'
import { isPlainName, makeTargetIndex } from './target-index.ts'

/** Scopes of a server that a request without `scope` gets, in the order of the file. */
export function basicScopes(server: ServerPolicy): readonly string[] {
  return [...server.scopes.values()].filter((scope) => scope.basic).map((scope) => scope.name)
}

/**
 * The scopes given and everything they imply, directly or through others (RS-26). A scope that the server does not define
 * counts for nothing and is left out.
 */
export function impliedScopes(server: ServerPolicy, scopes: Iterable<string>): ReadonlySet<string> {
  const closure = new Set<string>()
  const open = [...scopes]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const scope = server.scopes.get(name)
    if (scope === undefined || closure.has(name)) continue
    closure.add(name)
    open.push(...scope.implies)
  }
  return closure
}

/**
 * Those of the tool names that need this scope or one that it implies: what the consent page shows under a scope. A tool
 * that needs several scopes is shown under each of them, so the list may promise more than one scope alone opens, never
 * less. Tools that need no scope, and those that nobody may call, are under none.
 */
export function toolsOpenedBy(
  server: ServerPolicy,
  scope: string,
  tools: readonly string[],
): readonly string[] {
  const closure = impliedScopes(server, [scope])
  const index = makeTargetIndex(server.tools, isPlainName)
  return tools.filter((tool) => {
    const rule = index.find(tool)
    return rule !== undefined && !rule.never && rule.scopes.some((needed) => closure.has(needed))
  })
}
