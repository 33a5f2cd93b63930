import type { ServerConfig } from '../server-config.ts'

/** What some host has, and what is read of it. `trust` only spares questions, and no other host has such a field. */
const readFields: ReadonlySet<string> = new Set([
  ...['type', 'url', 'httpUrl', 'headers', 'http_headers', 'env_http_headers', 'bearer_token_env_var'],
  ...['headersHelper', 'oauth', 'auth', 'scopes', 'command', 'args', 'env', 'timeout', 'tool_timeout_sec'],
  ...['enabled_tools', 'disabled_tools', 'includeTools', 'excludeTools', 'disabled', 'enabled', 'trust'],
])

/** The fields of an entry that Warder knows nothing of, and so takes to no other host: `cwd` for one. */
export function unreadFields({ node }: Pick<ServerConfig, 'node'>): readonly string[] {
  if (node.kind !== 'object') return []
  return node.members.map(({ key }) => key).filter((key) => !readFields.has(key))
}
