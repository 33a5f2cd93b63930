import { type Form, Refusal } from '@warder/protocol'
import type { RefreshToken } from '@warder/store'
import { checkResourceWithinGrant } from '../checks/check-resource.ts'
import { checkScopeWithinGrant } from '../checks/check-scope.ts'
import type { Services } from '../services.ts'
import { issueTokens, refreshGraceMs, refreshIdleMs, type TokenAnswer } from '../tokens/issue.ts'
import { seal, unseal } from '../tokens/seal.ts'
import { hashSecret, makeSecret } from '../tokens/secret.ts'
import type { TokenClient } from './token-client.ts'

type Needs = Pick<Services, 'store' | 'issuer' | 'loadKeys' | 'now' | 'policy' | 'resources' | 'log'>

const purpose = 'successor'

/**
 * Rotates a refresh token (OAuth 2.1 section 4.3). Client, resource and scope are checked before anything changes. The
 * successor is kept sealed under the token that earned it, so that a retry after a lost answer gets the same one for 30 s,
 * although only hashes are stored. Any other reuse ends the grant with all its tokens.
 */
export async function rotateRefreshToken(
  form: Form,
  client: TokenClient,
  services: Needs,
): Promise<TokenAnswer> {
  const { store, loadKeys, now } = services
  if (!client.mayRefresh) throw new Refusal('grant-type.unauthorized')
  const presented = form.get('refresh_token')
  if (presented === undefined) throw new Refusal('parameter.missing', { detail: 'refresh_token' })
  const token = await loadRefreshToken(services, presented, client)
  checkResourceWithinGrant(form.all('resource'), token.grant.resource)
  const scopes = checkScopeWithinGrant(form.get('scope'), token.grant.scopes, findServer(services, token))
  // Before the token is spent: without a key there would be nothing to give for it.
  await loadKeys()
  const successor = makeSecret('wrt_')
  const rotation = await store.grants.rotateRefreshToken({
    hash: token.hash,
    successor: {
      hash: hashSecret(successor),
      sealed: seal(presented, purpose, successor),
      expiresAt: now() + refreshIdleMs,
    },
    graceMs: refreshGraceMs,
    now: now(),
  })
  switch (rotation.outcome) {
    case 'rotated':
      return await issueTokens(services, { grant: rotation.grant, scopes, refreshToken: successor })
    case 'retried': {
      const refreshToken = unseal(presented, purpose, rotation.sealedSuccessor)
      return await issueTokens(services, { grant: rotation.grant, scopes, refreshToken })
    }
    case 'replayed':
      services.log({ level: 'warn', event: 'refresh_reuse', grant: rotation.grant.id, client: client.id })
      throw new Refusal('refresh.replayed', { detail: rotation.grant.id })
    case 'revoked':
      throw new Refusal('grant.revoked')
    case 'expired':
    case 'unknown':
      throw new Refusal(`refresh.${rotation.outcome}`)
  }
}

async function loadRefreshToken(
  { store, now, log }: Needs,
  presented: string,
  client: TokenClient,
): Promise<RefreshToken> {
  const token = await store.grants.loadRefreshToken(hashSecret(presented))
  if (token === undefined) throw new Refusal('refresh.unknown')
  if (token.grant.clientId === client.id) return token
  // Whoever holds another client's refresh token has stolen it (RFC 6749 section 10.4).
  await store.grants.revoke(token.grant.id, 'refresh token used by another client', now())
  log({ level: 'warn', event: 'refresh_other_client', grant: token.grant.id, client: client.id })
  throw new Refusal('refresh.other-client', { detail: token.grant.id })
}

/** For implied scopes; without a readable policy nothing is implied, and the grant's own scopes still stand. */
function findServer({ policy, resources }: Needs, { grant }: RefreshToken) {
  const name = resources().find(({ resource }) => resource === grant.resource)?.server ?? ''
  try {
    return policy().servers.get(name)
  } catch {
    return undefined
  }
}
