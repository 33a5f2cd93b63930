import { readClientFields } from './client-fields.ts'
import { type ClientMetadata, metadataValue } from './client-metadata.ts'
import { Refusal } from './refusals.ts'
import { isJsonObject } from './strict-json.ts'

// Asked for by clients that take what they get; the answer says `none`, and PKCE does the work.
const downgraded: readonly unknown[] = [undefined, 'none', 'client_secret_basic', 'client_secret_post']

/**
 * The client metadata of a dynamic registration (RFC 7591 section 2), read so that the clients in use get through: loopback
 * redirects without `application_type` make a native client, secret-based authentication becomes `none`, grants that Warder
 * lacks are dropped.
 *
 * Throws `registration.not-json`, `registration.redirect-uri` or `registration.metadata`: no usable redirect URI, a `web` client on
 * loopback, only grants that Warder lacks, key-based authentication. Verifies nothing about who the client is.
 */
export function readRegistration(json: unknown): ClientMetadata {
  if (!isJsonObject(json)) throw new Refusal('registration.not-json')
  const metadata = readClientFields(json)
  if (!downgraded.includes(metadataValue(json, 'token_endpoint_auth_method'))) {
    throw new Refusal('registration.metadata', { detail: 'token_endpoint_auth_method' })
  }
  if (Object.hasOwn(json, 'jwks') && Object.hasOwn(json, 'jwks_uri')) {
    throw new Refusal('registration.metadata', { detail: 'jwks and jwks_uri' })
  }
  return metadata
}
