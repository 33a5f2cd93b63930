import type { OutboundFetch } from '@warder/outbound'
import { checkClientDocumentUrl } from '@warder/protocol'
import type { Discovery } from './discover.ts'
import { type UsableRegistration, usePreRegistered } from './pre-registered.ts'
import { registerDynamically } from './register-dynamically.ts'
import { RegistrationNeeded } from './registration-needed.ts'
import { findStored, type Identity, keepRegistration } from './stored-registrations.ts'
import type { Trace } from './trace.ts'

/**
 * The client id for a sign-in (CL-05), in the order of CL-44: pre-registered, registered here before, our document where the
 * server reads documents (CL-51), registered now. Each belongs to one issuer and is never shown to another (CL-36, CL-57, CL-58).
 *
 * `offered` says where answers can arrive, given what a registration has. `dead` is a client id that the server does not know any
 * more. Throws `RegistrationNeeded` where nothing of this is to be had, and what `registerDynamically` throws.
 */
export async function obtainRegistration(of: {
  readonly discovery: Discovery
  readonly identity: Identity
  readonly offered: (registered?: readonly string[]) => Promise<readonly string[]>
  readonly dead?: string | undefined
  readonly outbound: OutboundFetch
  readonly trace: Trace
  /** Seconds since 1970. */
  readonly now: number
}): Promise<{ readonly registration: UsableRegistration; readonly redirectUri: string }> {
  const { discovery, identity, offered, outbound, trace, now } = of
  const { metadata } = discovery
  const chosen = (
    registration: UsableRegistration,
    uris: readonly string[],
  ): { registration: UsableRegistration; redirectUri: string } => {
    const data = { how: registration.how, clientId: registration.clientId, issuer: registration.issuer }
    trace({ step: 'registration', outcome: 'chosen', data })
    return { registration, redirectUri: uris[0] ?? '' }
  }
  const { preRegistered, documentUrl } = identity
  if (preRegistered !== undefined) {
    const redirectUris = await offered()
    return chosen(usePreRegistered(preRegistered, metadata, redirectUris), redirectUris)
  }
  const { stored, redirectUris } = await findStored(of)
  if (stored !== undefined && stored.clientId !== of.dead) {
    const fitting = redirectUris.filter((uri) => stored.redirectUris.includes(uri))
    if (fitting.length > 0) return chosen(stored, fitting)
    const why = 'answers cannot arrive any more where this registration has them sent'
    trace({ step: 'registration', outcome: 'refused', why })
  }
  if (documentUrl !== undefined && metadata.readsDocuments && documentUrl !== of.dead) {
    const clientId = checkClientDocumentUrl(documentUrl)
    const about = { issuer: metadata.issuer, authMethod: 'none', redirectUris, registeredAt: 0 }
    return chosen({ ...about, clientId, how: 'document' }, redirectUris)
  }
  const endpoint = metadata.registrationEndpoint
  if (endpoint === undefined) {
    const documentation = readableUrl(metadata.serviceDocumentation)
    const { server, issuer } = discovery
    throw new RegistrationNeeded({ server, issuer, redirectUris, documentation })
  }
  const { clientName } = identity
  const asked = { metadata, endpoint, redirectUris, clientName, outbound, trace, now }
  const registration = await registerDynamically(asked)
  await keepRegistration(identity, registration)
  return chosen(registration, registration.redirectUris)
}

/** A URL that may be shown as text. */
export function readableUrl(url: string | undefined): string | undefined {
  return url !== undefined && /^https:\/\/[\x21-\x7e]{1,500}$/.test(url) ? url : undefined
}
