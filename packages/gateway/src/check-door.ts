import { Refusal } from '@warder/protocol'
import { type Head, only } from './read-head.ts'

/** Who may come in at all, before anybody looks at a token. */
export interface Door {
  /** `host[:port]` as clients write it, lower case; compared exactly. */
  readonly hosts: ReadonlySet<string>
  /** Serialized web origins; compared exactly. */
  readonly origins: ReadonlySet<string>
}

/**
 * The allow-lists as sets. Throws one error that names everything wrong with them: no host at all, and origins that no
 * browser sends or that would stand for more than one (`*`, `null`).
 */
export function readDoor(lists: {
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
}): Door {
  const { allowedHosts, allowedOrigins } = lists
  const problems = allowedOrigins
    .filter((origin) => !webOrigin.test(origin))
    .map((origin) => `${origin} is not a web origin`)
  if (allowedHosts.length === 0) problems.push('no host is allowed')
  if (problems.length > 0) throw new Error(`The gateway cannot start: ${problems.join('; ')}.`)
  return {
    hosts: new Set(allowedHosts.map((host) => host.toLowerCase())),
    origins: new Set(allowedOrigins),
  }
}

const webOrigin = /^[a-z][a-z0-9+.-]*:\/\/[^/*?#@\sA-Z]+$/
const methods: ReadonlySet<string> = new Set(['POST', 'GET', 'DELETE', 'OPTIONS'])

/**
 * Host and origin against their allow-lists (DNS rebinding, GW-02; no Origin is fine, browsers always send one), the HTTP
 * method, and the things that would make this connection something else.
 */
export function checkDoor(head: Head, door: Door): void {
  checkHost(head, door)
  const origin = only(head, 'origin')
  if (origin !== undefined && !door.origins.has(origin)) throw new Refusal('http.origin')
  if (head.headers.has('upgrade')) throw new Refusal('http.upgrade')
  if (head.headers.has('expect')) throw new Refusal('http.expectation')
  if (!methods.has(head.method)) throw new Refusal('http.method')
}

/** The Host header against the allow-list alone, for what every origin may read. */
export function checkHost(head: Head, door: Door): void {
  const host = only(head, 'host')
  if (host === undefined || !door.hosts.has(host.toLowerCase())) throw new Refusal('http.host')
}
