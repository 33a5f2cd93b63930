import { Refusal } from '@warder/protocol'
import { loadTokenClient, type TokenClient } from '../grants/token-client.ts'
import { readFormBody } from '../read-body.ts'
import type { Endpoint, Services } from '../services.ts'
import { hashSecret } from '../tokens/secret.ts'
import { readOwnAccessToken } from '../tokens/sign.ts'

/**
 * The revocation endpoint (RFC 7009). Revoking a refresh token or an access token ends the whole grant: a client that gives a
 * token back is done. Unknown tokens, and those of another client, get the same empty 200 and change nothing; the hint is ignored.
 */
export const revoke: Endpoint = async (request, _visit, services) => {
  const form = await readFormBody(request)
  const client = await loadTokenClient(request, form, services.store)
  const token = form.get('token')
  if (token === undefined) throw new Refusal('parameter.missing', { detail: 'token' })
  const grantId = await findGrantOfToken(services, client, token)
  if (grantId !== undefined) await services.store.grants.revoke(grantId, 'by the client', services.now())
  return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: null }
}

async function findGrantOfToken(
  { store, issuer, loadKeys, now }: Pick<Services, 'store' | 'issuer' | 'loadKeys' | 'now'>,
  client: TokenClient,
  token: string,
): Promise<string | undefined> {
  const refreshToken = await store.grants.loadRefreshToken(hashSecret(token))
  if (refreshToken !== undefined) {
    return refreshToken.grant.clientId === client.id ? refreshToken.grant.id : undefined
  }
  const claims = await readOwnAccessToken(await loadKeys(), issuer.url, token, now())
  return claims?.client_id === client.id ? claims.grant_id : undefined
}
