import { Refusal } from './refusals.ts'
import { splitWebUri } from './web-uri.ts'

declare const resourceBrand: unique symbol

/** A resource indicator of the right form; that somebody serves it is not said. */
export type Resource = string & { readonly [resourceBrand]: true }

/**
 * A resource indicator (RFC 8707 section 2): an absolute http or https URI of at most 2,048 characters, without fragment and
 * user info. Throws `resource.unknown`. Does not check that the resource is served, nor that http stays on loopback.
 */
export function readResource(raw: string): Resource {
  if (splitWebUri(raw) === undefined) throw new Refusal('resource.unknown', { detail: 'form' })
  return raw as Resource
}

/**
 * Whether two resource indicators name the same resource: scheme and host without regard to case (MCP ALL-11), all else byte
 * by byte. A trailing slash, a default port or another spelling of the path make a difference; malformed ones are never the same.
 */
export function isSameResource(a: string, b: string): boolean {
  const left = splitWebUri(a)
  const right = splitWebUri(b)
  if (left === undefined || right === undefined) return false
  return (
    left.scheme.toLowerCase() === right.scheme.toLowerCase() &&
    left.authority.toLowerCase() === right.authority.toLowerCase() &&
    left.rest === right.rest
  )
}
