import { isLoopbackUrl } from './check-endpoint.ts'
import type { ClientParts } from './client-parts.ts'
import type { Discovery } from './discover.ts'
import { loadLegacyMetadata, loadNamedMetadata, loadServerMetadata } from './load-server-metadata.ts'
import type { UsableRegistration } from './pre-registered.ts'
import type { ServerMetadata } from './read-server-metadata.ts'
import {
  readServerEntry,
  readTokens,
  type ServerEntry,
  serverName,
  type TokenSet,
  tokenName,
  writeServerEntry,
} from './records.ts'
import type { CredentialStore } from './storage/credential-store.ts'
import { keepPreRegistered } from './stored-registrations.ts'
import { keepTokens } from './tokens/keep-tokens.ts'

/** A server that somebody is signed in to. */
export interface SignedIn {
  readonly entry: ServerEntry
  readonly tokens: TokenSet
}

/** What the store knows of the server, whether or not it has tokens for it. */
export async function loadEntry({
  store,
  server,
  profile,
  trace,
}: ClientParts): Promise<ServerEntry | undefined> {
  return readServerEntry(store, serverName({ server, profile }), trace)
}

/** What the store has, as it is: nothing is refreshed. */
export async function loadSignedIn(parts: ClientParts): Promise<SignedIn | undefined> {
  const entry = await loadEntry(parts)
  const tokens = entry && (await readTokens(parts.store, tokenName(entry), parts.trace))
  return entry !== undefined && tokens !== undefined ? { entry, tokens } : undefined
}

/**
 * Keeps the tokens of a finished sign-in, and only then lets go of those that they replace: until here the old ones were in force.
 */
export async function saveSignedIn(
  parts: ClientParts,
  of: {
    readonly discovery: Pick<Discovery, 'issuer' | 'resource' | 'metadataUrl' | 'legacy'>
    readonly clientId: string
    /** The credentials that the user brought: kept now that they have worked, for a refresh by another process. */
    readonly preRegistered?: UsableRegistration | undefined
    /** What was sent as `resource`. */
    readonly sent: string | undefined
    readonly scopes: readonly string[]
    readonly tokens: TokenSet
  },
): Promise<SignedIn> {
  const { store, server, profile } = parts
  const { issuer, resource, metadataUrl, legacy } = of.discovery
  const { clientId, scopes, preRegistered } = of
  const sendResource: ServerEntry['sendResource'] = of.sent === resource ? undefined : (of.sent ?? false)
  const about = { issuer, resource, clientId, metadataUrl, legacy, sendResource, scopes }
  const entry: ServerEntry = { server, profile, ...about }
  if (preRegistered !== undefined) await keepPreRegistered(parts, server, preRegistered)
  const name = tokenName(entry)
  const before = await loadEntry(parts)
  // RFC 6749 section 5.1: where the answer names no scopes, those that were asked for were granted.
  const granted = of.tokens.scopes ?? (scopes.length > 0 ? scopes : undefined)
  const tokens = await keepTokens(store, name, { ...of.tokens, asked: scopes, scopes: granted })
  await writeServerEntry(store, serverName({ server, profile }), entry)
  if (before !== undefined && tokenName(before) !== name) await forgetTokens(store, tokenName(before))
  return { entry, tokens }
}

/** The metadata of the authorization server of an entry, found as it was found at the sign-in. */
export async function loadMetadataOf(
  entry: Pick<ServerEntry, 'issuer' | 'metadataUrl' | 'legacy'>,
  { server, outbound, trace }: ClientParts,
): Promise<ServerMetadata> {
  const { issuer, metadataUrl, legacy } = entry
  const of = { outbound, trace, onLoopback: isLoopbackUrl(server) }
  if (metadataUrl !== undefined) return loadNamedMetadata({ ...of, url: metadataUrl })
  if (legacy !== undefined) return loadLegacyMetadata({ ...of, server })
  return loadServerMetadata({ ...of, issuer })
}

/** Not into the middle of a refresh, whose answer would come back to life. */
async function forgetTokens(store: CredentialStore, name: string): Promise<void> {
  await store.locked(name, async () => store.remove(name))
}
