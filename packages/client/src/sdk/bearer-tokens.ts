import { Refusal } from '@warder/protocol'
import type { Client } from '../client.ts'
import type { TokenSet } from '../records.ts'

/** What of a client the providers for the SDKs need. */
export type SdkClient = Pick<Client, 'renew' | 'signIn' | 'token'>

/**
 * Tokens that a transport of the SDKs may send; signs in first where there are none. Throws `client-key.unusable` for a bound token:
 * the SDKs send all that a provider gives as `Bearer`, which is refused for those (RFC 9449 section 7.2).
 */
export async function bearerTokens(client: Pick<SdkClient, 'renew' | 'token'>): Promise<TokenSet> {
  const tokens = (await client.token()) ?? (await client.renew())
  if (tokens.tokenType === 'Bearer') return tokens
  const detail = 'the token is bound to a key: give the transport sdkFetch(client) instead of a provider'
  throw new Refusal('client-key.unusable', { detail })
}
