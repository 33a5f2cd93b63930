import { isLoopbackRedirect } from '@warder/protocol'
import { type PreRegistered, type UsableRegistration, usePreRegistered } from './pre-registered.ts'
import type { ServerMetadata } from './read-server-metadata.ts'
import { type Registration, readStoredRegistration, registrationName, writeRegistration } from './records.ts'
import type { CredentialStore } from './storage/credential-store.ts'
import type { Trace } from './trace.ts'

/** By what this client may be known to authorization servers, and where that is kept. */
export interface Identity {
  readonly preRegistered?: PreRegistered | undefined
  /** Of our client id metadata document, if somebody hosts one. */
  readonly documentUrl?: string | undefined
  readonly clientName: string
  readonly profile: string
  readonly store: CredentialStore
}

/**
 * What was registered here before for the redirect URIs that are offered now. A loopback one is looked for first, since a way
 * that listens chooses its port by it.
 */
export async function findStored({
  discovery,
  identity,
  offered,
  trace,
}: {
  readonly discovery: { readonly issuer: string }
  readonly identity: Identity
  readonly offered: (registered?: readonly string[]) => Promise<readonly string[]>
  readonly trace: Trace
}): Promise<{
  readonly stored: Registration | undefined
  readonly redirectUris: readonly string[]
}> {
  const { issuer } = discovery
  const { store, profile } = identity
  const read = async (redirectClass: string): Promise<Registration | undefined> => {
    const found = await readStoredRegistration(
      store,
      registrationName({ issuer, profile, redirectClass }),
      trace,
    )
    return found?.issuer === issuer ? found : undefined
  }
  const local = await read('loopback')
  const redirectUris = await offered(local?.redirectUris)
  const redirectClass = redirectClassOf(redirectUris)
  return { stored: redirectClass === 'loopback' ? local : await read(redirectClass), redirectUris }
}

/** One registration serves all loopback addresses and ports; other redirect URIs have each set its own. */
function redirectClassOf(redirectUris: readonly string[]): string {
  return redirectUris.every(isLoopbackRedirect) ? 'loopback' : redirectUris.toSorted().join(' ')
}

/** Also under its client id: tokens are refreshed by the client that got them, though a later one has taken its place. */
export async function keepRegistration(identity: Identity, registration: Registration): Promise<void> {
  for (const name of namesOf(identity, registration)) {
    await writeRegistration(identity.store, name, registration)
  }
}

/**
 * No sign-in begins with this client any more. What it has got already can still be refreshed and revoked: it
 * may be shared by many users, and one failed sign-in says little. Credentials that a user brought stay.
 */
export async function retireRegistration(
  { issuer, clientId, redirectUris }: Registration,
  { store, profile }: Identity,
): Promise<void> {
  const name = registrationName({ issuer, profile, redirectClass: redirectClassOf(redirectUris) })
  if ((await readStoredRegistration(store, name))?.clientId === clientId) await store.remove(name)
}

/** Forgets a client that the authorization server does not know any more, so that the next sign-in does not begin with it. */
export async function forgetRegistration(
  entry: { readonly issuer: string; readonly clientId: string },
  identity: Identity,
): Promise<void> {
  const { store, profile } = identity
  const { issuer, clientId } = entry
  const known = await readStoredRegistration(store, nameById({ issuer, clientId, profile }))
  if (known === undefined) return
  for (const name of namesOf(identity, known)) {
    if ((await readStoredRegistration(store, name))?.clientId === clientId) await store.remove(name)
  }
}

export function nameById(of: {
  readonly issuer: string
  readonly clientId: string
  readonly profile: string
}): string {
  const { issuer, clientId, profile } = of
  return registrationName({ issuer, profile, redirectClass: `client ${clientId}` })
}

function namesOf({ profile }: Identity, { issuer, clientId, redirectUris }: Registration): readonly string[] {
  const redirectClass = redirectClassOf(redirectUris)
  // By its own name last: as long as that is there, the other one is found.
  return [registrationName({ issuer, profile, redirectClass }), nameById({ issuer, clientId, profile })]
}

/**
 * The registration that got the tokens of an entry, for their refresh and revocation: only ever at its own issuer (CL-37).
 * Undefined where nothing is known of it any more.
 */
export async function findRegistration(
  entry: { readonly issuer: string; readonly clientId: string },
  metadata: ServerMetadata,
  { preRegistered, store, profile }: Identity,
  trace: Trace,
): Promise<UsableRegistration | undefined> {
  const { issuer, clientId } = entry
  if (issuer !== metadata.issuer) return undefined
  if (preRegistered !== undefined && preRegistered.clientId === clientId) {
    return usePreRegistered(preRegistered, metadata, [])
  }
  const stored = await readStoredRegistration(store, nameById({ issuer, clientId, profile }), trace)
  if (stored?.issuer === issuer && stored.clientId === clientId) return stored
  if (!clientId.startsWith('https://')) return undefined
  return { issuer, clientId, authMethod: 'none', redirectUris: [], how: 'document', registeredAt: 0 }
}

/**
 * The issuer that pre-registered credentials without one of their own belong to: that with which they were used first for this
 * server (CL-59). It outlives a sign-out.
 */
export async function readBoundIssuer(
  { preRegistered, store, profile }: Identity,
  server: string,
  trace: Trace,
): Promise<string | undefined> {
  if (preRegistered === undefined || preRegistered.issuer !== undefined) return preRegistered?.issuer
  const { clientId } = preRegistered
  const bound = await readStoredRegistration(store, boundName({ server, clientId, profile }), trace)
  return bound?.clientId === clientId ? bound.issuer : undefined
}

/** Keeps credentials that the user brought, now that they have worked: for a refresh elsewhere, and for `readBoundIssuer`. */
export async function keepPreRegistered(
  { store, profile }: Pick<Identity, 'store' | 'profile'>,
  server: string,
  registration: UsableRegistration,
): Promise<void> {
  // A private key stays where the user has it.
  const { assertionKey: _, ...kept } = registration
  const { issuer, clientId } = kept
  await writeRegistration(store, nameById({ issuer, clientId, profile }), kept)
  const { clientSecret: __, ...bound } = kept
  await writeRegistration(store, boundName({ server, clientId, profile }), bound)
}

/** By the server, since that is all that is known before the issuer is. */
function boundName(of: {
  readonly server: string
  readonly clientId: string
  readonly profile: string
}): string {
  const { server, clientId, profile } = of
  return registrationName({ issuer: server, profile, redirectClass: `pre-registered ${clientId}` })
}
