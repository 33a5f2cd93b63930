import { offeredScopes, type Policy, type ScopeRule } from '@warder/policy'
import type { Grant, User } from '@warder/store'
import { findServerPolicy, loadPolicy } from '../load-policy.ts'
import type { ServedResource } from '../options.ts'
import type { ClientView, GrantView, ScopeView } from '../pages/index.ts'
import type { Services } from '../services.ts'
import { describeServer } from '../steps/describe-request.ts'
import { describeScopes } from '../steps/describe-scopes.ts'
import { userIdentity } from '../stored-request.ts'

type Needs = Pick<Services, 'store' | 'issuer' | 'policy' | 'resources' | 'now'>

/**
 * What the user has granted, as the account page shows it. A grant that the rules say nothing about any more, or whose rules
 * cannot be read right now, is shown without switches: it can be revoked at any time.
 */
export async function describeGrants(services: Needs, user: User): Promise<GrantView[]> {
  const policy = orUndefined(() => loadPolicy(services))
  const grants = await services.store.grants.listInUse(user.id, services.now())
  return grants.map((grant) => {
    const { id, resource, createdAt, lastRefreshedAt } = grant
    const served = services.resources().find((each) => each.resource === resource)
    return {
      id,
      client: describeClient(grant),
      server: served === undefined ? { title: resource, resource } : describeServer(served),
      since: createdAt,
      ...(lastRefreshedAt === undefined ? {} : { lastRefreshed: lastRefreshedAt }),
      ...describeScopesOf(services, user, grant, policy, served),
    }
  })
}

/** The scopes that the access rules offer this user and the client of the grant. */
export function offeredFor(
  { issuer }: Pick<Services, 'issuer'>,
  user: User,
  grant: Grant,
  { policy, server }: { readonly policy: Policy; readonly server: string },
): readonly ScopeRule[] {
  const { clientId, clientClass } = grant
  const client = { id: clientId, class: clientClass as ClientView['class'] }
  return offeredScopes(policy, server, { user: userIdentity(issuer, user), client })
}

function describeScopesOf(
  services: Needs,
  user: User,
  grant: Grant,
  policy: Policy | undefined,
  served: ServedResource | undefined,
): {
  readonly scopes: readonly ScopeView[]
  readonly on: readonly string[]
  readonly gone: readonly string[]
} {
  if (policy === undefined || served === undefined || !policy.servers.has(served.server)) {
    return { scopes: [], on: [], gone: grant.scopes }
  }
  const offered = offeredFor(services, user, grant, { policy, server: served.server })
  const views = describeScopes(offered, findServerPolicy(policy, served), served, new Map())
  return {
    // A basic scope that came into the policy later is not part of the grant: it can be switched on.
    scopes: views.map((view) => ({ ...view, basic: view.basic && grant.scopes.includes(view.name) })),
    on: grant.scopes,
    gone: grant.scopes.filter((name) => !offered.some((scope) => scope.name === name)),
  }
}

function describeClient({ clientId, clientClass, clientName }: Grant): ClientView {
  return {
    id: clientId,
    class: clientClass as ClientView['class'],
    name: clientName,
    ...(URL.canParse(clientId) && clientId.startsWith('https://')
      ? { documentHost: new URL(clientId).host }
      : {}),
  }
}

function orUndefined<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
