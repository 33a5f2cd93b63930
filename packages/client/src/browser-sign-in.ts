import { Refusal } from '@warder/protocol'
import { checkCodeFlow } from './check-code-flow.ts'
import type { ClientParts } from './client-parts.ts'
import type { Discovery } from './discover.ts'
import { finishSignIn, type ProvenCode } from './finish-sign-in.ts'
import { isDeadClient } from './is-dead-client.ts'
import { obtainRegistration } from './obtain-registration.ts'
import type { UsableRegistration } from './pre-registered.ts'
import type { ServerMetadata } from './read-server-metadata.ts'
import type { TokenSet } from './records.ts'
import { boundBy, needOf, type SignInRequest, scopesOf, sendResourceOf } from './sign-in-request.ts'
import { type SignedIn, saveSignedIn } from './signed-in.ts'
import { type SignInRecord, startSignIn } from './start-sign-in.ts'
import { findRegistration, retireRegistration } from './stored-registrations.ts'
import type { DpopNeed } from './tokens/dpop/decide-dpop.ts'
import { requestToken } from './tokens/request-token.ts'
import type { BrowserWay } from './ways/sign-in-way.ts'
import { withLivingClient } from './with-living-client.ts'

/** A sign-in that has begun, as plain JSON, so that another process can finish it. It holds secrets. */
export interface PendingSignIn {
  readonly server: string
  readonly profile: string
  readonly record: SignInRecord
  /** As it was validated before the person was sent anywhere; nothing of it is looked up again. */
  readonly metadata: ServerMetadata
  readonly need: DpopNeed
  readonly metadataUrl?: string | undefined
  readonly legacy?: '2025-03-26' | undefined
}

/** Signs in by a browser. */
export async function signInByBrowser(
  parts: ClientParts,
  way: BrowserWay,
  request: SignInRequest,
): Promise<SignedIn> {
  try {
    return await withLivingClient(parts.trace, {
      begin: (dead) => beginSignIn(parts, way, { ...request, dead }),
      finish: (begun) => authorize(parts, way, begun, request.signal),
      replaceable: ({ how, pending }) => (how === 'pre-registered' ? undefined : pending.record.clientId),
    })
  } finally {
    await way.close()
  }
}

async function authorize(
  parts: ClientParts,
  way: BrowserWay,
  { url, pending }: BegunSignIn,
  signal: AbortSignal,
): Promise<SignedIn> {
  const { state, redirectUri } = pending.record
  return completeSignIn(parts, pending, await way.authorize({ url, state, redirectUri, signal }))
}

/** A sign-in that waits for a person. */
export interface BegunSignIn {
  readonly url: string
  readonly pending: PendingSignIn
  readonly how: UsableRegistration['how']
}

/** Everything up to the moment at which a person has to say yes. */
export async function beginSignIn(
  parts: ClientParts,
  way: Pick<BrowserWay, 'redirectUris'>,
  request: SignInRequest,
): Promise<BegunSignIn> {
  const { options, identity, outbound, trace, server: named, profile } = parts
  const { discovery, dead } = request
  const scopes = scopesOf(parts, request)
  const server = checkCodeFlow(discovery.metadata, trace, options.dangerouslyAllowMissingPkce)
  const { registration, redirectUri } = await registerFor(discovery, {
    discovery,
    identity,
    offered: (registered) => way.redirectUris(registered),
    dead,
    outbound,
    trace,
    now: Math.floor(parts.now() / 1000),
  })
  const { url, record } = startSignIn({
    server,
    clientId: registration.clientId,
    redirectUri,
    resource: discovery.resource,
    sendResource: sendResourceOf(parts, request),
    scopes,
    parameters: options.parameters,
  })
  const { metadataUrl, legacy } = discovery
  const data = { clientId: record.clientId, redirectUri, scopes: record.scopes, resource: record.sent }
  trace({ step: 'authorize', outcome: 'tried', url: server.authorizationEndpoint, data })
  const { metadata } = discovery
  const pending = {
    ...{ server: named, profile, record, metadata, metadataUrl, legacy },
    need: needOf(parts, discovery),
  }
  return { url, pending, how: registration.how }
}

/**
 * Where nothing announces an authorization server, its default paths are a guess; if the first of them does not exist, the truth
 * is that there is none.
 */
async function registerFor(
  discovery: Discovery,
  of: Parameters<typeof obtainRegistration>[0],
): ReturnType<typeof obtainRegistration> {
  try {
    return await obtainRegistration(of)
  } catch (error) {
    const isRefused = error instanceof Refusal && error.reason === 'registration.refused'
    const { status } = (isRefused ? error.notes.data : {}) as { readonly status?: number }
    if (discovery.legacy === undefined || (status !== 404 && status !== 405)) throw error
    throw new Refusal('resource-metadata.absent', { detail: discovery.server, cause: error })
  }
}

/**
 * Proves the answer, redeems the code and keeps the tokens. Throws as `finishSignIn` and `requestToken` do, and
 * `callback.malformed` for a sign-in that was begun for another server.
 */
export async function completeSignIn(
  parts: ClientParts,
  pending: PendingSignIn,
  callback: string,
): Promise<SignedIn> {
  const { trace, identity } = parts
  const { record, metadata, metadataUrl, legacy } = pending
  if (pending.server !== parts.server || pending.profile !== parts.profile) {
    throw new Refusal('callback.malformed', { detail: 'a sign-in to another server' })
  }
  const code = finishSignIn(record, callback, trace)
  const registration = await findRegistration(record, metadata, identity, trace)
  if (registration === undefined) throw new Refusal('client.unknown', { detail: record.issuer })
  const tokens = await redeem(parts, pending, registration, code)
  const { issuer, resource, clientId, scopes } = record
  return saveSignedIn(parts, {
    discovery: { issuer, resource, metadataUrl, legacy },
    clientId,
    preRegistered: registration.how === 'pre-registered' ? registration : undefined,
    sent: record.sent,
    scopes,
    tokens,
  })
}

/**
 * A registration that is dead is let go, since whoever begins the next sign-in may know nothing of this one.
 * Only the token endpoint can say that: what comes by a browser, its user can write himself.
 */
async function redeem(
  parts: ClientParts,
  { record, metadata, need }: PendingSignIn,
  registration: UsableRegistration,
  code: ProvenCode,
): Promise<TokenSet> {
  const { outbound, trace, now, identity } = parts
  try {
    return await requestToken({
      metadata,
      registration,
      fields: {
        grant_type: 'authorization_code',
        code,
        redirect_uri: record.redirectUri,
        code_verifier: record.verifier,
        ...(record.sent !== undefined && { resource: record.sent }),
      },
      outbound,
      dpop: boundBy(parts, need),
      trace,
      now,
    })
  } catch (error) {
    if (isDeadClient(error)) await retireRegistration(registration, identity)
    throw error
  }
}
