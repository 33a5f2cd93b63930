import type { ServerPolicy } from '@warder/policy'
import { isStatelessVersion, type Refusal } from '@warder/protocol'
import type { RefusalContext } from './refuse.ts'

/**
 * The scopes that the challenge of a 403 names: all of this operation, at once (MCP RS-22, RS-23). For clients of 2025-11-25
 * and before also those of this server that the token has, since there the challenge replaces what was granted (O11-06).
 */
export function challengeScopes(
  refusal: Refusal,
  context: RefusalContext,
  server: ServerPolicy,
): readonly string[] {
  const needed = refusal.notes.scopes ?? []
  if (context.era !== undefined && isStatelessVersion(context.era)) return needed
  const granted = [...(context.principal?.scopes ?? [])].filter((scope) => server.scopes.has(scope))
  return [...new Set([...granted, ...needed])]
}
