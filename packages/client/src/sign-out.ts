import { Refusal } from '@warder/protocol'
import type { ClientParts } from './client-parts.ts'
import { serverName, tokenName } from './records.ts'
import { forgetTokens, loadEntry, loadMetadataOf, loadSignedIn, type SignedIn } from './signed-in.ts'
import { StoreUnavailable } from './storage/store-unavailable.ts'
import { findRegistration } from './stored-registrations.ts'
import { type Revocation, revokeTokens } from './tokens/revoke-tokens.ts'

/** What became of a sign-in that was ended. */
export interface SignedOut {
  /** Undefined where nobody was signed in. */
  readonly revocation: Revocation | undefined
}

/**
 * Revokes the tokens at the authorization server that issued them, and forgets them whatever it answers. Throws what the store
 * throws, but not for a record that cannot be read any more: to get rid of it is what signing out is for.
 */
export async function signOut(parts: ClientParts): Promise<SignedOut> {
  const { store, server, profile } = parts
  const entry = await readable(loadEntry(parts), parts)
  const held = entry && (await readable(loadSignedIn(parts), parts))
  const revocation = held && (await revoke(parts, held))
  if (entry !== undefined) await forgetTokens(store, tokenName(entry))
  await store.remove(serverName({ server, profile }))
  return { revocation }
}

/** Undefined for what was damaged, or sealed with another key. */
async function readable<Value>(
  reading: Promise<Value | undefined>,
  { trace }: ClientParts,
): Promise<Value | undefined> {
  try {
    return await reading
  } catch (error) {
    if (!(error instanceof StoreUnavailable && error.reason === 'denied')) throw error
    trace({
      step: 'store',
      outcome: 'failed',
      why: 'it cannot be read, so it is deleted without being revoked',
    })
    return undefined
  }
}

const failed: Revocation = { refreshToken: 'failed', accessToken: 'failed' }

async function revoke(parts: ClientParts, { entry, tokens }: SignedIn): Promise<Revocation> {
  const { outbound, trace, now, identity } = parts
  try {
    const metadata = await loadMetadataOf(entry, parts)
    const registration = await findRegistration(entry, metadata, identity, trace)
    if (registration === undefined) return failed
    return await revokeTokens({ issuer: entry.issuer, metadata, registration, tokens, outbound, trace, now })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    trace({ step: 'revoke', outcome: 'failed', why: error.message, refusal: error.reason })
    return failed
  }
}
