import type { ClientParts } from './client-parts.ts'
import { isDeadClient } from './is-dead-client.ts'
import { obtainGrantRegistration } from './obtain-grant-registration.ts'
import { type UsableRegistration, usePreRegistered } from './pre-registered.ts'
import { boundBy, needOf, type SignInRequest, scopesOf, sendResourceOf } from './sign-in-request.ts'
import { type SignedIn, saveSignedIn } from './signed-in.ts'
import { sentResource } from './start-sign-in.ts'
import { requestToken } from './tokens/request-token.ts'
import type { GrantWay } from './ways/grant-way.ts'

/**
 * Signs in by a grant, once, and keeps the tokens. As by a browser, a registration that has died is replaced once, where the way can
 * do with a new one; there is no other second attempt.
 */
export async function signInByGrant(
  parts: ClientParts,
  way: GrantWay,
  request: SignInRequest,
): Promise<SignedIn> {
  const first = await registrationFor(parts, way, request)
  try {
    return await obtainByGrant(parts, way, request, first)
  } catch (error) {
    const dead = first?.clientId
    if (way.registersFor === undefined || first?.how !== 'dynamic' || !isDeadClient(error)) throw error
    const why = 'the authorization server does not know this client any more; it is registered anew'
    parts.trace({ step: 'registration', outcome: 'refused', why, data: { clientId: dead } })
    const second = await registrationFor(parts, way, { ...request, dead })
    return await obtainByGrant(parts, way, request, second)
  }
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
