import { isRiskyTool, type ScopeRule, type ServerPolicy, toolsOpenedBy } from '@warder/policy'
import type { ServedResource } from '../options.ts'
import type { ScopeView } from '../pages/index.ts'

/** Scopes as the pages show them, with what the user said about them before. */
export function describeScopes(
  scopes: readonly ScopeRule[],
  server: ServerPolicy,
  served: ServedResource,
  earlier: ReadonlyMap<string, 'granted' | 'declined'>,
): ScopeView[] {
  const risky = new Set(served.tools.filter(isRiskyTool).map(({ name }) => name))
  const names = served.tools.map(({ name }) => name)
  return scopes.map((scope) => {
    const before = earlier.get(scope.name)
    return {
      name: scope.name,
      title: scope.title,
      ...(scope.description === undefined ? {} : { description: scope.description }),
      basic: scope.basic,
      highRisk: scope.risk === 'high',
      tools: toolsAdded(server, scope, names).map((name) => ({ name, risky: risky.has(name) })),
      // A policy in which a scope implies one that does not exist is not read.
      includes: scope.implies.map((name) => server.scopes.get(name)!.title),
      ...(before === undefined ? {} : { earlier: before }),
    }
  })
}

/** What a scope opens beyond the scopes that it includes: those stand on the page themselves. */
function toolsAdded(server: ServerPolicy, scope: ScopeRule, names: readonly string[]): readonly string[] {
  const included = new Set(scope.implies.flatMap((implied) => toolsOpenedBy(server, implied, names)))
  return toolsOpenedBy(server, scope.name, names).filter((name) => !included.has(name))
}
