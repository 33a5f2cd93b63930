import { type Call, type Decision, decide, type Principal, prepareDecisions } from '@warder/policy'
import { type ProtectedResourceMetadata, protectedResourceMetadataUrl, Refusal } from '@warder/protocol'
import { type Credentials, provePrincipal, readToken } from './authenticate.ts'
import { challengeScopes } from './challenge-scopes.ts'
import { type FilterParts, filterResult } from './filter-list.ts'
import { hiddenNames } from './hidden-names.ts'
import { createKeySet } from './key-set.ts'
import { describeResource, loadPolicy, startScopes } from './metadata.ts'
import { type GuardOptions, type ResolvedOptions, resolveOptions } from './options.ts'
import { type RefusalAnswer, type RefusalContext, writeRefusal } from './refuse.ts'
import { writeDenial } from './refuse-decision.ts'
import { createRepeatedChallenges } from './repeated-challenges.ts'
import { createVerifiedTokens } from './verified-tokens.ts'

/** Stands in front of one MCP server; knows nothing about HTTP but header values. */
export interface Guard {
  /** The audience that tokens must have, exactly. */
  readonly resource: string
  /** The server's name in the policy file. */
  readonly server: string
  /** Where the protected resource metadata stands (RFC 9728 section 3.1). */
  readonly metadataUrl: string
  /** The protected resource metadata. Throws `policy.unavailable`. */
  metadata(): ProtectedResourceMetadata
  /** The digest of the policy in force, for logs. Throws `policy.unavailable`. */
  policyDigest(): string
  /** Who calls, proven anew on every request. Throws `token.*`, `user.disabled`, and 503 reasons when that cannot be told. */
  authenticate(credentials: Credentials): Promise<Principal>
  /** What the policy says to a call. Throws `policy.unavailable`, also when deciding itself fails. */
  decide(principal: Principal, call: Call): Decision
  /** The result of a method as the principal may see it. Throws `upstream.answer` for shapes that are not known. */
  filter(principal: Principal, method: string, result: unknown): unknown
  /** The names that the policy spells out and hides from the principal. */
  hiddenNames(principal: Principal): readonly string[]
  /** The answer to a refusal, for an MCP client. */
  refuse(refusal: Refusal, context?: RefusalContext): RefusalAnswer
  /** The answer to a call that was decided as locked or hidden. Throws `internal` for an open one. */
  refuseDecision(decision: Decision, call: Call, context: RefusalContext): RefusalAnswer
}

/** Makes a guard from its parts. Throws `GuardOptionsError` with every problem of the options; loads nothing yet. */
export function createGuard(options: GuardOptions): Guard {
  const resolved = resolveOptions(options)
  const { resource, server, issuer, now } = resolved
  const metadataUrl = protectedResourceMetadataUrl(resource)
  const keys = createKeySet(resolved.keys, now)
  const rules = { issuer, resource, keys, acceptPlainJwt: resolved.dangerouslyAcceptPlainJwt, now }
  const verify = createVerifiedTokens(rules, resolved.cacheSize)
  const repeated = createRepeatedChallenges(now)

  const decideNow = (principal: Principal, call: Call): Decision => {
    const { policy } = loadPolicy(resolved)
    return orUnavailable(() => decide(policy, server, principal, call, now()))
  }

  const filterParts = (principal: Principal): FilterParts => {
    const { policy, server: part } = loadPolicy(resolved)
    const decisions = orUnavailable(() => prepareDecisions(policy, server, principal, now()))
    return { server: part, decide: (call) => orUnavailable(() => decisions(call)) }
  }

  const refuse = (refusal: Refusal, context: RefusalContext = {}): RefusalAnswer =>
    writeRefusal(refusal, context, {
      metadataUrl,
      startScopes: orUndefined(() => startScopes(resolved)),
      neededScopes:
        orUndefined(() => challengeScopes(refusal, context, loadPolicy(resolved).server)) ??
        refusal.notes.scopes ??
        [],
    })

  return {
    resource,
    server,
    metadataUrl,
    metadata: () => describeResource(resolved),
    policyDigest: () => loadPolicy(resolved).policy.digest,
    authenticate: async (credentials) => provePrincipal(await verify(readToken(credentials)), resolved),
    decide: decideNow,
    filter: (principal, method, result) => filterResult(method, result, filterParts(principal)),
    hiddenNames: (principal) => {
      const parts = filterParts(principal)
      return hiddenNames(parts.server, parts.decide)
    },
    refuse,
    refuseDecision: (decision, call, context) => {
      if (decision.outcome === 'open') throw new Refusal('internal', { detail: 'an open call was refused' })
      return writeDenial(decision, call, context, {
        accountUrl: resolved.accountUrl,
        refuse,
        isListed: (principal, name) => isListed(resolved, decideNow(principal, { kind: 'tool', name })),
        nextChallenge: (principal, scopes) =>
          repeated(principal, scopes, {
            declined: resolved.isDeclined?.(principal, scopes, resource) ?? false,
            widened: resolved.isWidened?.(principal, scopes),
          }),
      })
    },
  }
}

function isListed(options: ResolvedOptions, decision: Decision): boolean {
  if (decision.outcome === 'locked') return loadPolicy(options).server.listLocked
  return decision.outcome === 'open'
}

function orUnavailable<T>(decide: () => T): T {
  try {
    return decide()
  } catch (cause) {
    throw new Refusal('policy.unavailable', { detail: String(cause), cause })
  }
}

/** A refusal is written even while the policy cannot be read: the challenge then names no scopes. */
function orUndefined<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
