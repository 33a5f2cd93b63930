import { hasDotSegment, Refusal, splitWebUri } from '@warder/protocol'
import { originOf } from './check-endpoint.ts'

/**
 * Whether `resource` of the metadata stands for the server that the user named (RFC 9728 section 3.3, Q05): the same origin, and
 * its path, or one above it by whole segments, as the document at the root names the whole origin. Throws
 * `resource-metadata.resource`; returns the raw string, which is what goes out.
 */
export function checkResource(resource: string, server: string): string {
  const named = splitWebUri(resource)
  if (named === undefined || hasDotSegment(named.rest)) throw refused('no plain web URL')
  if (originOf(resource) !== originOf(server)) throw refused('another origin')
  const rest = splitWebUri(server)?.rest ?? ''
  if (!isWithin(rest, named.rest)) throw refused('another path')
  return resource
}

/**
 * Whether a path with its query is the other one or below it, by whole segments; a slash at the end of the upper one makes no
 * difference. A query is part of a name: what has one stands for itself alone.
 */
export function isWithin(rest: string, upper: string): boolean {
  if (rest === upper) return true
  if (upper.includes('?')) return false
  const path = rest.split('?', 1)[0] ?? ''
  const above = upper.replace(/\/$/, '')
  return path === above || path.startsWith(`${above}/`)
}

function refused(detail: string): Refusal {
  return new Refusal('resource-metadata.resource', { detail })
}
