import type { ClientParts } from './client-parts.ts'
import { obtainGrantRegistration } from './obtain-grant-registration.ts'
import { type UsableRegistration, usePreRegistered } from './pre-registered.ts'
import { boundBy, needOf, type SignInRequest, scopesOf, sendResourceOf } from './sign-in-request.ts'
import { type SignedIn, saveSignedIn } from './signed-in.ts'
import { sentResource } from './start-sign-in.ts'
import { requestToken } from './tokens/request-token.ts'
import type { GrantWay } from './ways/grant-way.ts'
import { withLivingClient } from './with-living-client.ts'

/** Signs in by a grant and keeps the tokens. A new client is of use only to a way that registers one. */
export async function signInByGrant(
  parts: ClientParts,
  way: GrantWay,
  request: SignInRequest,
): Promise<SignedIn> {
  return withLivingClient(parts.trace, {
    begin: (dead) => registrationFor(parts, way, { ...request, dead }),
    finish: (registration) => obtainByGrant(parts, way, request, registration),
    replaceable: (registration) =>
      way.registersFor !== undefined && registration?.how === 'dynamic' ? registration.clientId : undefined,
  })
}

async function registrationFor(
  parts: ClientParts,
  { registersFor: grantType }: GrantWay,
  { discovery, dead }: SignInRequest,
): Promise<UsableRegistration | undefined> {
  const { identity, outbound, trace } = parts
  const given = identity.preRegistered
  if (grantType === undefined) return given && usePreRegistered(given, discovery.metadata, [])
  const now = Math.floor(parts.now() / 1000)
  return obtainGrantRegistration({ discovery, identity, grantType, dead, outbound, trace, now })
}

async function obtainByGrant(
  parts: ClientParts,
  way: GrantWay,
  request: SignInRequest,
  registration: UsableRegistration | undefined,
): Promise<SignedIn> {
  const { outbound, trace, now } = parts
  const { discovery } = request
  const { metadata } = discovery
  const scopes = scopesOf(parts, request)
  const sent = sentResource(discovery.resource, sendResourceOf(parts, request))
  const tokens = await way.obtain({
    discovery,
    outbound,
    registration,
    scopes,
    resource: sent,
    trace,
    signal: request.signal,
    now,
    tokenRequest: (fields, { authenticate = true } = {}) =>
      requestToken({
        metadata,
        registration: authenticate ? registration : undefined,
        fields,
        outbound,
        dpop: boundBy(parts, needOf(parts, discovery)),
        trace,
        now,
      }),
  })
  const clientId = registration?.clientId ?? nobody
  const preRegistered = registration?.how === 'pre-registered' ? registration : undefined
  return saveSignedIn(parts, { discovery, clientId, preRegistered, sent, scopes, tokens })
}

/** Stands for the client id where a grant needs none. */
const nobody = 'none'
