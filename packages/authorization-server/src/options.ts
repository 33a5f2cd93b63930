import type { OutboundFetch } from '@warder/outbound'
import type { Policy, ToolFacts } from '@warder/policy'
import { isLoopbackHost } from '@warder/protocol'
import type { Store } from '@warder/store'

/** One MCP server that tokens are issued for. */
export interface ServedResource {
  /** The resource URL, exactly as it stands in tokens and in the protected resource metadata. */
  readonly resource: string
  /** Its name in the policy file. */
  readonly server: string
  /** For people. */
  readonly title: string
  /** For the words on the consent page. */
  readonly tools: readonly ToolFacts[]
}

/** One line for the operator; never holds a secret. */
export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error'
  readonly event: string
  readonly [key: string]: unknown
}

export interface AuthorizationServerOptions {
  /** `https://host[/path]`, or `http://localhost:PORT[/path]`; no trailing slash, no query, no fragment. */
  readonly issuer: string
  readonly store: Store
  /** The policy of this moment. It may throw: then nothing is granted. */
  readonly policy: () => Policy
  readonly resources: () => readonly ServedResource[]
  /** Fetches client id metadata documents; must be safe against SSRF. */
  readonly fetch: OutboundFetch
  /** 32 random bytes that seal the signing keys at rest. */
  readonly secret: Uint8Array
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  readonly log?: (entry: LogEntry) => void
}

/** The issuer, taken apart once. */
export interface Issuer {
  readonly url: string
  /** What browsers send as `Origin` from our own pages. */
  readonly origin: string
  /** Empty, or the path without trailing slash: every route stands below it. */
  readonly path: string
  /** https: `__Host-` cookies and sign-in that outlives a transaction. Otherwise http on loopback. */
  readonly secure: boolean
}

export interface Options extends Omit<AuthorizationServerOptions, 'issuer' | 'now' | 'log'> {
  readonly issuer: Issuer
  readonly now: () => number
  readonly log: (entry: LogEntry) => void
}

/**
 * Checks the options once, at creation, and reports everything that is wrong with them together. It does not look whether
 * the store, the policy or the network work.
 */
export function readOptions(options: AuthorizationServerOptions): Options {
  const problems: string[] = []
  const issuer = readIssuer(options.issuer, problems)
  for (const name of ['policy', 'resources', 'fetch'] as const) {
    if (typeof options[name] !== 'function') problems.push(`${name} must be a function`)
  }
  if (typeof options.store !== 'object' || options.store === null) problems.push('store is missing')
  if (!(options.secret instanceof Uint8Array) || options.secret.length !== 32) {
    problems.push('secret must be 32 bytes')
  }
  if (issuer === undefined || problems.length > 0) {
    throw new TypeError(`The authorization server cannot start:\n- ${problems.join('\n- ')}`)
  }
  return { ...options, issuer, now: options.now ?? Date.now, log: options.log ?? (() => {}) }
}

function readIssuer(raw: unknown, problems: string[]): Issuer | undefined {
  const problem = (says: string): undefined => {
    problems.push(`issuer ${says}`)
    return undefined
  }
  if (typeof raw !== 'string' || !URL.canParse(raw)) return problem('must be a URL')
  const url = new URL(raw)
  const path = url.pathname === '/' ? '' : url.pathname
  // Clients compare the issuer byte by byte with what they built the well-known URL from (RFC 8414 section 3.3).
  if (raw !== url.origin + path || path.endsWith('/')) {
    return problem('must be written in its normal form, without trailing slash, query, fragment or user info')
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHost(url.hostname))) {
    return problem('must be https, or http on a loopback host')
  }
  return { url: raw, origin: url.origin, path, secure: url.protocol === 'https:' }
}
