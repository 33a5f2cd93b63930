import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import { type Configuration, errors, Provider } from 'oidc-provider'

/** The one user of the foreign provider, who signs in and allows whatever is asked. */
export const subject = 'alice'

/**
 * A real `oidc-provider`, set up as near to MCP as its options go: PKCE for everybody, dynamic registration of public clients,
 * one resource whose access tokens are JWTs (RFC 9068), rotated refresh tokens. Its login and consent pages are replaced by a
 * person who says yes, through its own interaction interface.
 */
export async function startOidcProvider(
  resources: () => readonly string[],
  scopes: readonly string[],
): Promise<{ readonly issuer: string; stop(): Promise<void> }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'one' }

  const provider = new Provider(issuer, {
    jwks: { keys: [jwk] },
    cookies: { keys: [crypto.randomUUID()] },
    scopes: ['openid', 'offline_access', ...scopes],
    responseTypes: ['code'],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: { AccessToken: 600, RefreshToken: 3600, Grant: 3600, Session: 3600, Interaction: 600, IdToken: 600 },
    renderError(context, { error }) {
      context.body = error
    },
    issueRefreshToken: async () => true,
    clientDefaults: {
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      id_token_signed_response_alg: 'ES256',
    },
    findAccount: (_context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      revocation: {
        enabled: true,
        allowedPolicy: async (_context, client, token) => token.clientId === client.clientId,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resources()[0] ?? '',
        useGrantedResource: () => true,
        getResourceServerInfo(_context, indicator) {
          if (!resources().includes(indicator)) throw new errors.InvalidTarget()
          return {
            scope: scopes.join(' '),
            audience: indicator,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256' } },
          }
        },
      },
    },
  } satisfies Configuration)

  const answer = provider.callback()
  server.on('request', (req, res) => {
    if (req.url?.startsWith('/interaction/') === true) {
      sayYes(provider, req, res).catch(() => res.destroy())
    } else void answer(req, res)
  })
  return {
    issuer,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

type Exchange = Parameters<Provider['interactionDetails']>

async function sayYes(provider: Provider, req: Exchange[0], res: Exchange[1]): Promise<void> {
  const { prompt, params, grantId } = await provider.interactionDetails(req, res)
  if (prompt.name === 'login') {
    await provider.interactionFinished(req, res, { login: { accountId: subject } })
    return
  }
  const earlier = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  const grant = earlier ?? new provider.Grant({ accountId: subject, clientId: String(params['client_id']) })
  const { missingOIDCScope, missingResourceScopes } = prompt.details as {
    readonly missingOIDCScope?: readonly string[]
    readonly missingResourceScopes?: Readonly<Record<string, readonly string[]>>
  }
  if (missingOIDCScope !== undefined) grant.addOIDCScope(missingOIDCScope.join(' '))
  for (const [indicator, names] of Object.entries(missingResourceScopes ?? {}))
    grant.addResourceScope(indicator, names.join(' '))
  const consent = { grantId: await grant.save() }
  await provider.interactionFinished(req, res, { consent }, { mergeWithLastSubmission: true })
}
