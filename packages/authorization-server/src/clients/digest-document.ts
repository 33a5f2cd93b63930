import { createHash } from 'node:crypto'

/** What a person goes by, and what the client proves itself or is answered with. A new version number is no other client. */
const counted =
  /^(?:(?:client_name|client_uri|logo_uri|tos_uri|policy_uri)(?:#.+)?|redirect_uris|jwks|jwks_uri|token_endpoint_auth_method)$/

/**
 * A digest over the members of a client id metadata document that make the client what the user said yes to (CIMD section
 * 6.3): names, links and logos in all languages, redirect URIs, keys. Their order does not count.
 */
export function digestDocument(document: Readonly<Record<string, unknown>>): string {
  const members = Object.entries(document)
    .filter(([name]) => counted.test(name))
    .map(([name, value]) => [
      name,
      name === 'redirect_uris' && Array.isArray(value) ? value.toSorted() : value,
    ])
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url')
}
