import type { OutboundFetch } from '@warder/outbound'
import { isJsonObject, isLoopbackRedirect, ownValue, Refusal, splitWebUri } from '@warder/protocol'
import { readJson } from './read-json.ts'
import { readRegistrationAnswer } from './read-registration-answer.ts'
import type { ServerMetadata } from './read-server-metadata.ts'
import type { Registration } from './records.ts'
import { hideSecrets } from './tokens/hide-secrets.ts'
import type { Trace } from './trace.ts'

const maxBytes = 262_144
const timeoutMs = 30_000

/**
 * Registers this client (RFC 7591): public where the server allows it, native where its answers come to this computer (CL-53 to
 * CL-55), and with refresh tokens (CL-30). A server that does not like the redirect URIs is asked once more, with the last of them
 * alone (CL-56): some take `localhost` and no addresses.
 *
 * Throws `registration.refused` with the server's own words, `registration.answer`, and `outbound.…`.
 */
export async function registerDynamically(of: {
  readonly metadata: ServerMetadata
  readonly endpoint: string
  readonly redirectUris: readonly string[]
  /** A grant without redirects. Default: the authorization code. */
  readonly grantType?: string | undefined
  readonly clientName: string
  readonly outbound: OutboundFetch
  readonly trace: Trace
  /** Seconds since 1970. */
  readonly now: number
}): Promise<Registration> {
  const { redirectUris, trace, endpoint: url } = of
  try {
    return await registerOnce(of, redirectUris)
  } catch (error) {
    const last = redirectUris.at(-1)
    if (!isAboutRedirects(error) || redirectUris.length < 2 || last === undefined) throw error
    const why = `the redirect URIs were refused; once more with ${last} alone`
    trace({ step: 'registration', outcome: 'refused', url, why, refusal: error.reason })
    return await registerOnce(of, [last])
  }
}

async function registerOnce(
  of: Parameters<typeof registerDynamically>[0],
  redirectUris: readonly string[],
): Promise<Registration> {
  const { metadata, endpoint: url, grantType = 'authorization_code', outbound, trace, now } = of
  const listedMethods = metadata.tokenEndpointAuthMethods
  const authMethod = chooseMethod(listedMethods)
  trace({ step: 'registration', outcome: 'tried', url, data: { redirectUris, authMethod } })
  const answer = await outbound(url, {
    method: 'POST',
    accept: 'application/json',
    statuses: 'any',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: of.clientName,
      redirect_uris: redirectUris,
      application_type: redirectUris.length > 0 && redirectUris.every(isOfWebsite) ? 'web' : 'native',
      grant_types: [grantType, 'refresh_token'],
      response_types: grantType === 'authorization_code' ? ['code'] : [],
      token_endpoint_auth_method: authMethod,
    }),
    maxBytes,
    timeoutMs,
  })
  const json = readJson(answer.body)
  if (answer.status !== 201 && answer.status !== 200) throw readError(answer.status, json)
  const asked = { issuer: metadata.issuer, redirectUris, authMethod, listedMethods, now }
  const registration = readRegistrationAnswer(json, asked)
  trace({ step: 'registration', outcome: 'done', url, data: { clientId: registration.clientId } })
  return registration
}

/** An answer that goes anywhere but to a web site goes to a program of the user's. */
function isOfWebsite(uri: string): boolean {
  return splitWebUri(uri)?.scheme.toLowerCase() === 'https' && !isLoopbackRedirect(uri)
}

const methods = ['none', 'client_secret_basic', 'client_secret_post']

function chooseMethod(listed: readonly string[] | undefined): string {
  return methods.find((method) => listed?.includes(method)) ?? 'none'
}

function readError(status: number, json: unknown): Refusal {
  const said = (name: string): string => {
    const value = isJsonObject(json) ? ownValue(json, name) : undefined
    return typeof value === 'string' ? hideSecrets(value, []) : ''
  }
  const [error, description] = [said('error'), said('error_description')]
  const detail = [`status ${status}`, error, description].filter((words) => words !== '').join(', ')
  return new Refusal('registration.refused', { detail, data: { error, status } })
}

function isAboutRedirects(error: unknown): error is Refusal {
  if (!(error instanceof Refusal) || error.reason !== 'registration.refused') return false
  return /invalid_redirect_uri|redirect/i.test(error.message)
}
