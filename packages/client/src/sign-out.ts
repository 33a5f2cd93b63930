import { Refusal } from '@warder/protocol'
import type { ClientParts } from './client-parts.ts'
import { readTokens, serverName, type TokenSet, tokenName } from './records.ts'
import { loadEntry, loadMetadataOf, type SignedIn } from './signed-in.ts'
import { forgetTries } from './step-up-tries.ts'
import { isDamaged, StoreUnavailable } from './storage/store-unavailable.ts'
import { findRegistration } from './stored-registrations.ts'
import { type Revocation, revokeTokens } from './tokens/revoke-tokens.ts'

/** What became of a sign-in that was ended. */
export interface SignedOut {
  /** Undefined where nobody was signed in; `failed` also for tokens that could not be read, and so not be shown to their issuer. */
  readonly revocation: Revocation | undefined
  /** Tokens may be left in the store: what said under which name they are could not be read, and is deleted. */
  readonly tokensMayRemain?: true
}

/**
 * Takes the tokens out of the store, so that nobody who shares it finds them from then on, and revokes them at the authorization
 * server that issued them; whatever that answers, they are gone here. Throws what the store throws, but not for a record that
 * cannot be read any more: to get rid of it is what signing out is for.
 */
export async function signOut(parts: ClientParts): Promise<SignedOut> {
  const { store, server, profile } = parts
  const name = serverName({ server, profile })
  const entry = await readOrAdmit(parts, name, () => loadEntry(parts))
  const tokens = isKnown(entry) ? await takeTokens(parts, tokenName(entry)) : undefined
  await store.remove(name)
  await forgetTries(parts)
  if (entry === undefined) return { revocation: undefined }
  if (entry === unreadable) return { revocation: failed, tokensMayRemain: true }
  if (tokens === unreadable) return { revocation: failed }
  return { revocation: tokens && (await revoke(parts, { entry, tokens })) }
}

export const failed: Revocation = { refreshToken: 'failed', accessToken: 'failed' }

export const unreadable: unique symbol = Symbol('unreadable')
type Unreadable = typeof unreadable

const isKnown = <Value>(value: Value | Unreadable | undefined): value is Value =>
  value !== undefined && value !== unreadable

/** Not in the middle of a refresh: what that brings is taken, too, instead of what it takes the place of. */
export async function takeTokens(
  parts: Pick<ClientParts, 'store' | 'trace'>,
  name: string,
): Promise<TokenSet | Unreadable | undefined> {
  const { store, trace } = parts
  return store.locked(name, async () => {
    const tokens = await readOrAdmit(parts, name, () => readTokens(store, name, trace))
    await store.remove(name)
    return tokens
  })
}

/** Undefined where there is nothing; `unreadable` for what was damaged, sealed with another key or written by a newer version. */
async function readOrAdmit<Value>(
  { store, trace }: Pick<ClientParts, 'store' | 'trace'>,
  name: string,
  read: () => Promise<Value | undefined>,
): Promise<Value | Unreadable | undefined> {
  try {
    const value = await read()
    if (value !== undefined || (await store.read(name)) === undefined) return value
  } catch (error) {
    if (!isDamaged(error)) throw error
  }
  const why = 'it cannot be read, so it is deleted without being revoked'
  trace({ step: 'store', outcome: 'failed', why, data: { name } })
  return unreadable
}

async function revoke(parts: ClientParts, { entry, tokens }: SignedIn): Promise<Revocation> {
  const { outbound, trace, now, identity } = parts
  try {
    const metadata = await loadMetadataOf(entry, parts)
    const registration = await findRegistration(entry, metadata, identity, trace)
    if (registration === undefined) return failed
    return await revokeTokens({ issuer: entry.issuer, metadata, registration, tokens, outbound, trace, now })
  } catch (error) {
    // Also for a registration that cannot be read: the tokens are out of the store, so the caller has to hear of them.
    if (!(error instanceof Refusal || error instanceof StoreUnavailable)) throw error
    const why = { why: error.message, ...(error instanceof Refusal && { refusal: error.reason }) }
    trace({ step: 'revoke', outcome: 'failed', ...why })
    return failed
  }
}
