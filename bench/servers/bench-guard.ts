import { createGuard, type Guard } from '@warder/guard'
import { readPolicy } from '@warder/policy'
import { policyText } from './policy.ts'

/** The guard in front of the servers of the bench: asks everything that a guard can be told to ask. */
export function makeBenchGuard(resource: string, issuer: string, jwks: string): Guard {
  const policy = readPolicy(policyText)
  return createGuard({
    resource,
    server: 'echo',
    policy: () => policy,
    issuer,
    keys: { jwks: async () => JSON.parse(jwks) },
    revocations: { isRevoked: () => false, isFresh: () => true },
  })
}
