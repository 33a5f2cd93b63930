import { isSameResource, Refusal, readResource } from '@warder/protocol'
import type { ServedResource } from '../options.ts'

/**
 * The one served resource that a request is about (RFC 8707 section 2): equal values count as one, different ones throw
 * `resource.several`, none is fine only where exactly one resource is served.
 */
export function checkResource(asked: readonly string[], served: readonly ServedResource[]): ServedResource {
  const [first, ...others] = asked.map((raw) => readResource(raw))
  if (first === undefined) {
    const [only, second] = served
    if (only === undefined || second !== undefined) throw new Refusal('resource.missing')
    return only
  }
  if (others.some((other) => !isSameResource(other, first))) throw new Refusal('resource.several')
  const found = served.find(({ resource }) => isSameResource(resource, first))
  if (found === undefined) throw new Refusal('resource.unknown')
  return found
}

/** At the token endpoint: every resource asked for must be the grant's, else `resource.outside-grant`. */
export function checkResourceWithinGrant(asked: readonly string[], granted: string): void {
  if (!asked.every((resource) => resource === granted || isSameResource(resource, granted)))
    throw new Refusal('resource.outside-grant')
}
