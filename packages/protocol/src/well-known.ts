import { Refusal } from './refusals.ts'
import { splitWebUri } from './web-uri.ts'

/** The documents that stand under `/.well-known/`. */
export type WellKnown = 'oauth-protected-resource' | 'oauth-authorization-server' | 'openid-configuration'

/** The path-inserted place of a document (RFC 8414 section 3, RFC 9728 section 3.1): `/.well-known/KIND` before the path. */
export function wellKnownPath(kind: WellKnown, path = ''): string {
  return `/.well-known/${kind}${path === '/' ? '' : path}`
}

/** Where the metadata of a protected resource stands (RFC 9728 section 3.1). Throws `resource.unknown` for anything but a web URL. */
export function protectedResourceMetadataUrl(resource: string): string {
  const { origin, rest } = split(resource)
  // RFC 9728: a slash that ends the resource directly behind the host goes; one that ends a path stays.
  return origin + wellKnownPath('oauth-protected-resource', rest.startsWith('/?') ? rest.slice(1) : rest)
}

/**
 * Where the metadata of an authorization server may stand, in the order that MCP wants them tried (authorization server metadata
 * discovery). Throws `resource.unknown` for anything but a web URL.
 */
export function authorizationServerMetadataUrls(issuer: string): readonly string[] {
  const { origin, rest } = split(issuer)
  const path = rest.replace(/\/$/, '')
  const inserted = [
    origin + wellKnownPath('oauth-authorization-server', path),
    origin + wellKnownPath('openid-configuration', path),
  ]
  return path === '' ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`]
}

function split(raw: string): { readonly origin: string; readonly rest: string } {
  const uri = splitWebUri(raw)
  if (uri === undefined) throw new Refusal('resource.unknown', { detail: 'form' })
  return { origin: `${uri.scheme}://${uri.authority}`, rest: uri.rest }
}
