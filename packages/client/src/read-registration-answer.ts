import { isJsonObject, ownValue, Refusal } from '@warder/protocol'
import type { Registration } from './records.ts'

/** What was asked for, as far as the answer has to fit it. */
export interface AskedRegistration {
  readonly issuer: string
  readonly redirectUris: readonly string[]
  readonly authMethod: string
  /** Methods that the metadata lists, if it does. */
  readonly listedMethods?: readonly string[] | undefined
  /** Seconds since 1970. */
  readonly now: number
}

const withSecret: ReadonlySet<string> = new Set(['client_secret_basic', 'client_secret_post'])

/**
 * The answer of a dynamic registration (RFC 7591 section 3.2.1). Throws `registration.answer` (Q21): no client id, other redirect
 * URIs than were sent, or another way to authenticate than one that the metadata lists and that this client can do. What the
 * answer leaves out counts as registered as asked. Does not look at names and grants, which a server may well cut.
 */
export function readRegistrationAnswer(json: unknown, asked: AskedRegistration): Registration {
  if (!isJsonObject(json)) throw refused('not an object')
  const value = (name: string): unknown => ownValue(json, name) ?? undefined
  const text = (name: string): string | undefined => {
    const found = value(name)
    if (found === undefined || found === '') return undefined
    if (typeof found !== 'string' || !/^[\x20-\x7e]{1,4096}$/.test(found)) throw refused(name)
    return found
  }
  const clientId = text('client_id')
  if (clientId === undefined) throw refused('client_id')
  const clientSecret = text('client_secret')
  const redirectUris = value('redirect_uris')
  if (redirectUris !== undefined && !isSameSet(redirectUris, asked.redirectUris))
    throw refused('redirect_uris')
  const authMethod = text('token_endpoint_auth_method') ?? asked.authMethod
  if (authMethod !== asked.authMethod) checkOtherMethod(authMethod, asked.listedMethods)
  if (withSecret.has(authMethod) && clientSecret === undefined) throw refused('client_secret')
  return {
    issuer: asked.issuer,
    clientId,
    ...(withSecret.has(authMethod) && { clientSecret }),
    authMethod,
    redirectUris: asked.redirectUris,
    how: 'dynamic',
    registeredAt: asked.now,
    registrationAccessToken: text('registration_access_token'),
    registrationClientUri: text('registration_client_uri'),
  }
}

/**
 * RFC 7591 lets a server replace what was asked for. A method that it publishes, and that needs no more than it gave, is its to
 * choose; anything else would only fail later.
 */
function checkOtherMethod(method: string, listed: readonly string[] | undefined): void {
  const isKnown = method === 'none' || withSecret.has(method)
  if (!isKnown || listed?.includes(method) === false) throw refused('token_endpoint_auth_method')
}

function isSameSet(value: unknown, asked: readonly string[]): boolean {
  if (!Array.isArray(value)) return false
  const found = new Set<unknown>(value)
  return found.size === new Set(asked).size && asked.every((uri) => found.has(uri))
}

function refused(detail: string): Refusal {
  return new Refusal('registration.answer', { detail })
}
