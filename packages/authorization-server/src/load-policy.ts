import type { Policy, ServerPolicy } from '@warder/policy'
import { Refusal } from '@warder/protocol'
import type { Options, ServedResource } from './options.ts'

/** The policy of this moment, or `policy.unavailable`: without rules nothing is granted. */
export function loadPolicy({ policy }: Pick<Options, 'policy'>): Policy {
  try {
    return policy()
  } catch (cause) {
    throw new Refusal('policy.unavailable', { detail: String(cause), cause })
  }
}

/** The part of the policy that is about one served resource. */
export function findServerPolicy(policy: Policy, served: ServedResource): ServerPolicy {
  const server = policy.servers.get(served.server)
  if (server === undefined) throw new Refusal('policy.unavailable', { detail: `no server ${served.server}` })
  return server
}
