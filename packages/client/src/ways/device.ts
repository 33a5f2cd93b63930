import { setTimeout as sleep } from 'node:timers/promises'
import { type JsonObject, ownValue, Refusal } from '@warder/protocol'
import { checkEndpoint, isLoopbackUrl } from '../check-endpoint.ts'
import type { TokenSet } from '../records.ts'
import { authenticateClient } from '../tokens/authenticate-client.ts'
import { postForm } from '../tokens/post-form.ts'
import { TokenEndpointError } from '../tokens/token-endpoint-error.ts'
import { askedFields } from './grant-fields.ts'
import type { GrantContext, GrantWay } from './grant-way.ts'

/** What the person has to see (RFC 8628 section 3.3): visible ASCII, and addresses that may be opened. */
export interface DeviceCode {
  readonly userCode: string
  readonly verificationUri: string
  /** The same address with the code in it, for a QR code. */
  readonly verificationUriComplete?: string | undefined
  /** Seconds since 1970. */
  readonly expiresAt: number
}

export interface DeviceOptions {
  /** Shows the code; the person signs in on any other device. */
  readonly show: (code: DeviceCode) => void | Promise<void>
  /** Waits; for tests. */
  readonly wait?: ((milliseconds: number, signal: AbortSignal) => Promise<void>) | undefined
}

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

/**
 * The person signs in on another device with a code (RFC 8628), where this one has no browser. Asks for the outcome as often as
 * the server allows, slower when it says so or does not answer, until the code ends or the client is closed.
 *
 * Throws `RegistrationNeeded` where no client id is to be had, `grant-type.unsupported` where the server has no device endpoint,
 * `device-answer.malformed`, and `TokenEndpointError` with `access_denied` or `expired_token`.
 */
export function deviceWay(options: DeviceOptions): GrantWay {
  return {
    kind: 'grant',
    registersFor: deviceGrant,
    async obtain(context) {
      const { deviceCode, interval, ...shown } = await askForCode(context)
      await options.show(shown)
      return poll(options, context, { deviceCode, interval, expiresAt: shown.expiresAt })
    },
  }
}

interface Waiting {
  readonly deviceCode: string
  /** Seconds. */
  readonly interval: number
  readonly expiresAt: number
}

async function askForCode(context: GrantContext): Promise<DeviceCode & Waiting> {
  const { registration, outbound, trace, now, discovery } = context
  const { metadata } = discovery
  const url = metadata.deviceAuthorizationEndpoint
  if (url === undefined) throw new Refusal('grant-type.unsupported', { detail: 'no device endpoint' })
  if (registration === undefined)
    throw new Refusal('client.unknown', { detail: 'the device flow needs a client id' })
  trace({ step: 'authorize', outcome: 'tried', url, data: { scopes: context.scopes } })
  const server = {
    issuer: metadata.issuer,
    methods: metadata.tokenEndpointAuthMethods,
    algorithms: metadata.tokenEndpointAuthSigningAlgs,
  }
  const seconds = Math.floor(now() / 1000)
  const who = await authenticateClient(registration, server, seconds)
  // RFC 8628 section 3.1: client_id is required, also where an assertion says it again.
  const fields = { client_id: registration.clientId, ...askedFields(context), ...who.fields }
  const { json } = await postForm({ url, outbound, headers: who.headers, fields })
  return readCode(json ?? {}, seconds, isLoopbackUrl(discovery.server))
}

function readCode(json: JsonObject, now: number, onLoopback: boolean): DeviceCode & Waiting {
  const complete = ownValue(json, 'verification_uri_complete') ?? ''
  return {
    deviceCode: readText(json, 'device_code', 4096),
    userCode: readText(json, 'user_code', 64),
    // Some servers still write it as a draft did.
    verificationUri: readPlace(
      json,
      Object.hasOwn(json, 'verification_uri') ? 'verification_uri' : 'verification_url',
      onLoopback,
    ),
    ...(complete !== '' && {
      verificationUriComplete: readPlace(json, 'verification_uri_complete', onLoopback),
    }),
    expiresAt: now + readSeconds(json, 'expires_in', { least: 1, most: 3600, without: 600 }),
    interval: readSeconds(json, 'interval', { least: 1, most: 60, without: 5 }),
  }
}

function readText(json: JsonObject, name: string, maxLength: number): string {
  const value = ownValue(json, name)
  if (typeof value === 'string' && /^[\x20-\x7e]+$/.test(value) && value.length <= maxLength) return value
  throw new Refusal('device-answer.malformed', { detail: name })
}

/** A person will open it, so the rules of an authorization endpoint hold (CL-69, CL-70). */
function readPlace(json: JsonObject, name: string, onLoopback: boolean): string {
  return checkEndpoint(readText(json, name, 2048), name, onLoopback)
}

function readSeconds(
  json: JsonObject,
  name: string,
  { least, most, without }: { readonly least: number; readonly most: number; readonly without: number },
): number {
  const value = ownValue(json, name) ?? without
  const isNumber = typeof value === 'number' || (typeof value === 'string' && /^[0-9]{1,9}$/.test(value))
  if (!isNumber) throw new Refusal('device-answer.malformed', { detail: name })
  return Math.min(Math.max(Math.ceil(Number(value)), least), most)
}

async function poll(options: DeviceOptions, context: GrantContext, waiting: Waiting): Promise<TokenSet> {
  const { wait = defaultWait } = options
  const { resource, signal } = context
  const fields = {
    grant_type: deviceGrant,
    device_code: waiting.deviceCode,
    ...(resource !== undefined && { resource }),
  }
  let { interval } = waiting
  for (;;) {
    await wait(interval * 1000, signal)
    signal.throwIfAborted()
    if (context.now() / 1000 >= waiting.expiresAt) {
      throw new TokenEndpointError({ error: 'expired_token', transient: false })
    }
    try {
      return await context.tokenRequest(fields)
    } catch (error) {
      interval += slowerBy(error)
    }
  }
}

/** Seconds to wait longer from now on (RFC 8628 section 3.5); throws what ends the waiting. */
function slowerBy(error: unknown): number {
  if (!(error instanceof TokenEndpointError)) throw error
  if (error.error === 'authorization_pending') return 0
  if (error.error === 'slow_down' || error.transient) return 5
  throw error
}

async function defaultWait(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal })
}
