import { readClientFields } from './client-fields.ts'
import { type ClientMetadata, metadataValue } from './client-metadata.ts'
import { Refusal } from './refusals.ts'
import { isJsonObject, ownValue } from './strict-json.ts'
import { hasDotSegment, splitWebUri } from './web-uri.ts'

/**
 * A client id that is the URL of a client id metadata document (CIMD section 2, CI-01): https with a path, without fragment,
 * user info and dot segments, at most 2,048 characters. Judged on the raw string; throws `client.document-url`. Does not resolve
 * the host: that it is public is the business of the fetch.
 */
export function checkClientDocumentUrl(raw: string): string {
  const uri = splitWebUri(raw)
  if (uri === undefined) throw refusedUrl('form')
  if (uri.scheme !== 'https') throw refusedUrl('scheme')
  if (!/^\/[^?]/.test(uri.rest)) throw refusedUrl('no path')
  if (hasDotSegment(uri.rest)) throw refusedUrl('dot segment')
  return raw
}

/**
 * The client metadata of a document that was fetched from `url` (CIMD section 3, MCP AS-21 and AS-22). Its `client_id` must be
 * that URL, character by character; name and redirect URIs must be there, shared secrets must not. Documents with key-based
 * authentication are refused too, since such a client must not be taken without its proof (CI-10). Throws
 * `client.document-invalid`.
 */
export function readClientDocument(json: unknown, url: string): ClientMetadata {
  if (!isJsonObject(json)) throw refusedDocument('not an object')
  if (ownValue(json, 'client_id') !== url) throw refusedDocument('client_id is not the URL')
  for (const name of ['client_secret', 'client_secret_expires_at']) {
    if (Object.hasOwn(json, name)) throw refusedDocument(name)
  }
  const method = metadataValue(json, 'token_endpoint_auth_method')
  if (method !== undefined && method !== 'none') throw refusedDocument('token_endpoint_auth_method')
  const metadata = readFields()
  if (metadata.clientName === undefined) throw refusedDocument('client_name')
  return metadata

  function readFields(): ClientMetadata {
    try {
      return readClientFields(json as Readonly<Record<string, unknown>>)
    } catch (cause) {
      throw new Refusal('client.document-invalid', { detail: String(cause), cause })
    }
  }
}

function refusedUrl(detail: string): Refusal {
  return new Refusal('client.document-url', { detail })
}

function refusedDocument(detail: string): Refusal {
  return new Refusal('client.document-invalid', { detail })
}
