import { basicScopes, type Policy, type ServerPolicy } from '@warder/policy'
import { makeProtectedResourceMetadata, type ProtectedResourceMetadata, Refusal } from '@warder/protocol'
import type { ResolvedOptions } from './options.ts'

/** The policy in force and this guard's part of it. */
export interface PolicyInForce {
  readonly policy: Policy
  readonly server: ServerPolicy
}

/** Asks for the policy in force. Throws `policy.unavailable` while it cannot be read or does not know the server. */
export function loadPolicy(options: ResolvedOptions): PolicyInForce {
  let policy: Policy
  try {
    policy = options.policy()
  } catch (cause) {
    throw new Refusal('policy.unavailable', { detail: String(cause), cause })
  }
  const server = policy.servers.get(options.server)
  if (server === undefined) throw new Refusal('policy.unavailable', { detail: `no server ${options.server}` })
  return { policy, server }
}

/** The scopes that a client without any should ask for: the basic ones, never `offline_access` (MCP RS-08, RS-19). */
export function startScopes(options: ResolvedOptions): readonly string[] {
  return basicScopes(loadPolicy(options).server).filter((scope) => scope !== 'offline_access')
}

/** The protected resource metadata (RFC 9728 section 2). Throws `policy.unavailable`. */
export function describeResource(options: ResolvedOptions): ProtectedResourceMetadata {
  return makeProtectedResourceMetadata({
    resource: options.resource,
    issuers: options.authorizationServers,
    scopes: startScopes(options),
    name: options.title,
  })
}
