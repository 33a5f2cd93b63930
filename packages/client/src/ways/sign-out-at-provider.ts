import type { OutboundFetch } from '@warder/outbound'
import { Refusal } from '@warder/protocol'
import { isLoopbackUrl } from '../check-endpoint.ts'
import { loadServerMetadata } from '../load-server-metadata.ts'
import type { TokenSet } from '../records.ts'
import { failed, takeTokens, unreadable } from '../sign-out.ts'
import { type Revocation, revokeTokens } from '../tokens/revoke-tokens.ts'
import { silent } from '../trace.ts'
import { type ProviderSignIn, providerTokenName } from './sign-in-at-provider.ts'

/**
 * Ends what `signInAtProvider` has kept: forgets it in any case, and revokes it where the provider can do that; what cannot be read
 * any more is `failed`. Undefined where there was nothing. The person's session in the browser is the provider's, and goes on.
 * Throws what the store throws, but not for a record that cannot be read.
 */
export async function signOutAtProvider(
  options: Pick<ProviderSignIn, 'issuer' | 'client' | 'store' | 'profile' | 'trace'> & {
    readonly outbound: OutboundFetch
  },
): Promise<Revocation | undefined> {
  const { store, trace = silent } = options
  const held = await takeTokens({ store, trace }, providerTokenName(options))
  return held === unreadable ? failed : held && revoke(options, held)
}

async function revoke(
  { issuer, client, outbound, trace = silent }: Parameters<typeof signOutAtProvider>[0],
  tokens: TokenSet,
): Promise<Revocation> {
  try {
    const metadata = await loadServerMetadata({ issuer, outbound, trace, onLoopback: isLoopbackUrl(issuer) })
    return await revokeTokens({ issuer, metadata, registration: client, tokens, outbound, trace })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    trace({ step: 'revoke', outcome: 'failed', why: error.message, refusal: error.reason })
    return failed
  }
}
