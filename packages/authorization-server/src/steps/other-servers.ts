import { basicScopes, offeredScopes, type ScopeRule } from '@warder/policy'
import { loadPolicy } from '../load-policy.ts'
import type { ServedResource } from '../options.ts'
import type { Services } from '../services.ts'
import { type StoredRequest, userIdentity } from '../stored-request.ts'
import { isRememberable } from './decide-consent.ts'
import { consentKey } from './finish.ts'
import type { SignIn } from './load-sign-in.ts'

/** Another server that the user may allow the same client on the same page: its basic scopes, and nothing more. */
export interface OtherServer {
  readonly served: ServedResource
  readonly scopes: readonly ScopeRule[]
}

/**
 * The other servers whose basic scopes the access rules offer this user and client. Only for clients whose yes may be
 * remembered: for every other one the yes given here could be used up by another program, without anybody looking. A server
 * that the user has said anything about before is left out: the first answer stays, until its own page is shown.
 */
export async function loadOtherServers(
  services: Pick<Services, 'store' | 'policy' | 'resources' | 'issuer'>,
  asked: StoredRequest,
  { user }: Pick<SignIn, 'user'>,
): Promise<readonly OtherServer[]> {
  if (!isRememberable(asked)) return []
  const policy = loadPolicy(services)
  const { id, class: clientClass } = asked.client
  const who = { user: userIdentity(services.issuer, user), client: { id, class: clientClass } }
  const others: OtherServer[] = []
  for (const served of services.resources()) {
    const server = policy.servers.get(served.server)
    if (served.resource === asked.resource || server === undefined) continue
    const basic = basicScopes(server)
    const scopes = offeredScopes(policy, served.server, who).filter(({ name }) => basic.includes(name))
    // All of them or none: with a part missing, the request that follows would be asked about anyway.
    if (scopes.length === 0 || scopes.length < basic.length) continue
    const key = { ...consentKey(user, asked), resource: served.resource }
    if ((await services.store.transactions.loadConsents(key)).length === 0) others.push({ served, scopes })
  }
  return others
}
