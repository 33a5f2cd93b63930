import type { OutboundFetch } from '@warder/outbound'
import { ownValue, Refusal } from '@warder/protocol'
import { isLoopbackUrl } from '../check-endpoint.ts'
import { loadServerMetadata } from '../load-server-metadata.ts'
import { authenticateClient, type TokenClient } from '../tokens/authenticate-client.ts'
import { postForm } from '../tokens/post-form.ts'
import { readToken } from '../tokens/read-token-answer.ts'
import type { Trace } from '../trace.ts'
import { type ExchangedToken, tokenExchange, tokenFields, tokenType } from './exchange.ts'
import { askedFields, withoutRefresh } from './grant-fields.ts'
import type { GrantContext, GrantWay } from './grant-way.ts'
import { jwtBearer } from './workload.ts'

/** The identity provider at which the user has signed in, as the user's organisation names it. */
export interface IdentityProvider {
  readonly issuer: string
  /** Default: what its metadata names. */
  readonly tokenEndpoint?: string | undefined
  /** This client as the provider knows it (EM-04): the one for which the ID token was issued (EM-05). */
  readonly client: TokenClient
  /** `token_endpoint_auth_methods_supported`, where `tokenEndpoint` is given and `client` does not say how it authenticates. */
  readonly authMethods?: readonly string[] | undefined
}

export interface EnterpriseOptions {
  readonly provider: IdentityProvider
  /** What the sign-in at the provider left: an ID token, a SAML assertion, or a refresh token of the provider. Asked for each time. */
  readonly subject: ExchangedToken & { readonly type: 'id_token' | 'saml2' | 'refresh_token' }
  /** For the provider, where it is elsewhere than the MCP server may lead to. Default: as for the authorization server. */
  readonly outbound?: OutboundFetch | undefined
}

/**
 * Enterprise-managed authorization: the identity provider says whether this user may use this MCP server with this client, by an
 * ID-JAG for the server's authorization server (EM-01 to EM-04), which is redeemed there (EM-11). Nobody clicks, and the MCP
 * server's authorization endpoint is not used (EM-30).
 *
 * The subject goes to the provider of the options alone, the ID-JAG to the authorization server that it names alone. Throws
 * `TokenEndpointError` of either, and `token-answer.exchanged` for a provider that answers something else.
 */
export function enterpriseWay(options: EnterpriseOptions): GrantWay {
  return {
    kind: 'grant',
    async obtain(context) {
      const assertion = await obtainIdJag(options, context)
      const fields = { grant_type: jwtBearer, assertion, ...askedFields(context) }
      return withoutRefresh(await context.tokenRequest(fields))
    },
  }
}

async function obtainIdJag(options: EnterpriseOptions, context: GrantContext): Promise<string> {
  const { provider, subject, outbound = context.outbound } = options
  const { trace, now, discovery } = context
  const { url, ...server } = await findEndpoint(provider, outbound, trace)
  trace({ step: 'token', outcome: 'tried', url, why: 'the identity provider is asked for an ID-JAG' })
  const who = await authenticateClient(provider.client, server, Math.floor(now() / 1000))
  const { json } = await postForm({
    url,
    outbound,
    headers: who.headers,
    fields: {
      grant_type: tokenExchange,
      requested_token_type: tokenType('id-jag'),
      audience: discovery.metadata.issuer,
      ...askedFields(context),
      ...(await tokenFields('subject', subject)),
      ...who.fields,
    },
  })
  const isIdJag = json !== undefined && ownValue(json, 'issued_token_type') === tokenType('id-jag')
  const idJag = isIdJag ? readToken(json, 'access_token') : undefined
  if (idJag === undefined) throw new Refusal('token-answer.exchanged')
  trace({ step: 'token', outcome: 'done', url, why: 'the identity provider allowed the access' })
  return idJag
}

async function findEndpoint(
  { issuer, tokenEndpoint, authMethods }: IdentityProvider,
  outbound: OutboundFetch,
  trace: Trace,
): Promise<{
  readonly url: string
  readonly issuer: string
  readonly methods?: readonly string[] | undefined
}> {
  if (tokenEndpoint !== undefined) return { url: tokenEndpoint, issuer, methods: authMethods }
  const metadata = await loadServerMetadata({ issuer, outbound, trace, onLoopback: isLoopbackUrl(issuer) })
  return { url: metadata.tokenEndpoint, issuer, methods: metadata.tokenEndpointAuthMethods }
}
