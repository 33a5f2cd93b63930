import type { OutboundFetch } from '@warder/outbound'
import type { Discovery } from './discover.ts'
import { readableUrl } from './obtain-registration.ts'
import { type UsableRegistration, usePreRegistered } from './pre-registered.ts'
import { type Registration, readStoredRegistration, registrationName, writeRegistration } from './records.ts'
import { registerDynamically } from './register-dynamically.ts'
import { RegistrationNeeded } from './registration-needed.ts'
import { type Identity, nameById } from './stored-registrations.ts'
import type { Trace } from './trace.ts'

/**
 * The client id for a grant without redirects, in the order of CL-44: pre-registered, registered here before for this grant, our
 * document where the server reads documents, registered now. `dead` is one that the server does not know any more.
 *
 * Throws `RegistrationNeeded` where nothing of this is to be had, and what `registerDynamically` throws.
 */
export async function obtainGrantRegistration(of: {
  readonly discovery: Discovery
  readonly identity: Identity
  /** The `grant_type`. */
  readonly grantType: string
  readonly dead?: string | undefined
  readonly outbound: OutboundFetch
  readonly trace: Trace
  /** Seconds since 1970. */
  readonly now: number
}): Promise<UsableRegistration> {
  const { discovery, identity, grantType, dead, outbound, trace, now } = of
  const { metadata } = discovery
  const { issuer } = metadata
  const { preRegistered, documentUrl, store, profile, clientName } = identity
  if (preRegistered !== undefined) return usePreRegistered(preRegistered, metadata, [])
  const nameByGrant = registrationName({ issuer, profile, redirectClass: `grant ${grantType}` })
  /** Under its client id too: that is where a refresh looks, and where a client that seemed dead was forgotten. */
  const keepById = async (registration: Registration): Promise<void> =>
    writeRegistration(store, nameById({ ...registration, profile }), registration)
  const stored = await readStoredRegistration(store, nameByGrant, trace)
  if (stored?.issuer === issuer && stored.clientId !== dead) {
    await keepById(stored)
    return stored
  }
  if (documentUrl !== undefined && metadata.readsDocuments && documentUrl !== dead) {
    const about = { issuer, authMethod: 'none', redirectUris: [], registeredAt: 0 }
    return { ...about, clientId: documentUrl, how: 'document' }
  }
  const endpoint = metadata.registrationEndpoint
  if (endpoint === undefined) {
    const documentation = readableUrl(metadata.serviceDocumentation)
    throw new RegistrationNeeded({
      server: discovery.server,
      issuer,
      redirectUris: [],
      grantType,
      documentation,
    })
  }
  const asked = { metadata, endpoint, redirectUris: [], grantType, clientName, outbound, trace, now }
  const registration = await registerDynamically(asked)
  await keepById(registration)
  await writeRegistration(store, nameByGrant, registration)
  return registration
}
