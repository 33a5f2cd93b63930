import type { ClientParts } from './client-parts.ts'
import { isDeadClient } from './is-dead-client.ts'
import { type ServerEntry, type TokenSet, tokenName } from './records.ts'
import { loadEntry, loadMetadataOf, type SignedIn } from './signed-in.ts'
import { sentResource } from './start-sign-in.ts'
import { findRegistration, forgetRegistration } from './stored-registrations.ts'
import { canSend } from './tokens/dpop/send-with-token.ts'
import { useTokens } from './tokens/keep-tokens.ts'
import { refreshTokens } from './tokens/refresh-tokens.ts'
import { TokenEndpointError } from './tokens/token-endpoint-error.ts'

/**
 * The tokens for the server, refreshed when they are due (or when the server has `rejected` this one); undefined when only a sign-in
 * helps. Throws what a refresh throws that failed for another reason, and what the store throws.
 */
export async function currentTokens(parts: ClientParts, rejected?: string): Promise<SignedIn | undefined> {
  const entry = await loadEntry(parts)
  if (entry === undefined) return undefined
  const { store, trace, now, dpop } = parts
  const canUse = (tokens: TokenSet): Promise<boolean> => canSend(tokens, dpop)
  const refresh = (tokens: TokenSet): Promise<TokenSet> => refreshOf(parts, entry, tokens)
  try {
    const tokens = await useTokens({ store, name: tokenName(entry), refresh, canUse, rejected, trace, now })
    return tokens && { entry, tokens }
  } catch (error) {
    if (!isDeadClient(error)) throw error
    const why = 'the authorization server does not know the client any more that got these tokens'
    trace({ step: 'refresh', outcome: 'refused', url: entry.issuer, why })
    await forgetRegistration(entry, parts.identity)
    return undefined
  }
}

async function refreshOf(parts: ClientParts, entry: ServerEntry, tokens: TokenSet): Promise<TokenSet> {
  const { options, outbound, trace, now, dpop, identity } = parts
  const { refreshToken } = tokens
  const metadata = await loadMetadataOf(entry, parts)
  const registration = await findRegistration(entry, metadata, identity, trace)
  // CL-37: without the client that got it, or at another issuer, a refresh token is shown to nobody.
  if (refreshToken === undefined || registration === undefined) {
    throw new TokenEndpointError({ error: 'invalid_client', transient: false })
  }
  return refreshTokens({
    metadata,
    registration,
    tokens: { ...tokens, refreshToken },
    resource: sentResource(entry.resource, options.sendResource ?? entry.sendResource),
    repeatScopes: options.repeatScopes,
    outbound,
    dpop,
    trace,
    now,
  })
}
