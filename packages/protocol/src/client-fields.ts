import { type ClientMetadata, metadataValue } from './client-metadata.ts'
import { withoutInvisible } from './invisible.ts'
import { isLoopbackRedirect, readRegisteredRedirectUri } from './redirect-uri.ts'
import { Refusal } from './refusals.ts'
import { formatScope, readScope } from './scope.ts'
import type { JsonObject } from './strict-json.ts'
import { splitWebUri } from './web-uri.ts'

const maxRedirectUris = 32
const maxNameLength = 200

/**
 * The metadata that a registration and a client document have in common (RFC 7591 section 2).
 *
 * Throws `registration.redirect-uri` and `registration.metadata`. Grants that Warder lacks are dropped while
 * `authorization_code` remains. Unknown members, localized ones (`client_name#ja`) and software statements are ignored: nothing of
 * them is ever kept or shown.
 */
export function readClientFields(json: JsonObject): ClientMetadata {
  const redirectUris = readRedirectUris(metadataValue(json, 'redirect_uris'))
  const applicationType = readApplicationType(metadataValue(json, 'application_type'), redirectUris)
  const grantTypes = readGrantTypes(metadataValue(json, 'grant_types'))
  checkResponseTypes(metadataValue(json, 'response_types'))
  const clientName = readClientName(metadataValue(json, 'client_name'))
  const clientUri = readWebPage(json, 'client_uri')
  const logoUri = readWebPage(json, 'logo_uri')
  readWebPage(json, 'tos_uri')
  readWebPage(json, 'policy_uri')
  const scope = readRequestedScope(metadataValue(json, 'scope'))
  return {
    ...(clientName !== undefined && { clientName }),
    redirectUris,
    native: applicationType === 'native',
    applicationType,
    grantTypes,
    tokenEndpointAuthMethod: 'none',
    ...(clientUri !== undefined && { clientUri }),
    ...(logoUri !== undefined && { logoUri }),
    ...(scope !== undefined && { scope }),
  }
}

function refused(detail: string): Refusal {
  return new Refusal('registration.metadata', { detail })
}

function readRedirectUris(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > maxRedirectUris) {
    throw new Refusal('registration.redirect-uri', { detail: 'redirect_uris: a list of 1 to 32 is needed' })
  }
  return [...new Set(value.map((uri) => readRegisteredRedirectUri(uri)))]
}

/**
 * Most clients in use listen on loopback and do not know `application_type`; the default of OpenID Connect would make them
 * web clients and refuse them. So without a word, a client that can only be a program is one.
 */
function readApplicationType(value: unknown, redirectUris: readonly string[]): 'native' | 'web' {
  const ofPrograms = redirectUris.filter((uri) => splitWebUri(uri)?.scheme !== 'https')
  if (value === undefined) return ofPrograms.length > 0 ? 'native' : 'web'
  if (value === 'native') return 'native'
  if (value !== 'web') throw refused('application_type')
  if (ofPrograms.length > 0) {
    const detail = ofPrograms.some(isLoopbackRedirect) ? 'web with loopback' : 'web with a native scheme'
    throw new Refusal('registration.redirect-uri', { detail })
  }
  return 'web'
}

function readGrantTypes(value: unknown): ClientMetadata['grantTypes'] {
  const asked = readNames(value, 'grant_types')
  if (asked.length === 0) return ['authorization_code', 'refresh_token']
  if (!asked.includes('authorization_code')) throw refused('grant_types without authorization_code')
  return asked.includes('refresh_token') ? ['authorization_code', 'refresh_token'] : ['authorization_code']
}

function checkResponseTypes(value: unknown): void {
  const asked = readNames(value, 'response_types')
  if (asked.length > 0 && !asked.includes('code')) throw refused('response_types without code')
}

function readNames(value: unknown, field: string): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value) || value.length > 32 || !value.every((item) => typeof item === 'string')) {
    throw refused(field)
  }
  return value
}

function readClientName(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw refused('client_name')
  const visible = withoutInvisible(value.replace(/\s+/gu, ' ')).replace(/\s+/gu, ' ').trim()
  const cut = [...visible].slice(0, maxNameLength).join('').trim()
  return cut === '' ? undefined : cut
}

/** Refuses any scheme that does something when clicked; a web address that cannot be shown safely is left out. */
function readWebPage(json: JsonObject, field: string): string | undefined {
  const value = metadataValue(json, field)
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !/^https?:\/\//i.test(value)) throw refused(field)
  return splitWebUri(value) === undefined ? undefined : value
}

function readRequestedScope(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw refused('scope')
  try {
    return formatScope(readScope(value))
  } catch (cause) {
    throw new Refusal('registration.metadata', { detail: 'scope', cause })
  }
}
