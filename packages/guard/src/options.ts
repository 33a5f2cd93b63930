import type { ClientClass, Policy, Principal } from '@warder/policy'
import { isLoopbackHost, readResource } from '@warder/protocol'
import type { KeySource } from './load-jwks.ts'

/** What is known about tokens that ended before their time. Both answer from memory. */
export interface Revocations {
  /** `scopes` lets a grant be narrowed: tokens with more than it has left are dead. */
  isRevoked(token: {
    readonly grantId?: string
    readonly tokenId: string
    readonly subject: string
    readonly scopes: ReadonlySet<string>
  }): boolean
  /** Whether revocations of the last seconds have been heard; when not, every call is refused with 503. */
  isFresh(): boolean
}

/** What the policy file may call a user. */
export interface UserNames {
  readonly names: readonly string[]
  readonly groups: readonly string[]
}

/** What a guard needs to know. There is no default for `issuer`, `resource` and `keys`: a guard without them does not start. */
export interface GuardOptions {
  /** The MCP endpoint's URI as clients write it: https, or http on loopback. The audience that tokens must have, exactly. */
  readonly resource: string
  /** The server's name in the policy file. */
  readonly server: string
  /** The policy in force; asked on every request. While it throws, calls are answered with 503. */
  readonly policy: () => Policy
  /** The `iss` that tokens must have, exactly. */
  readonly issuer: string
  readonly keys: KeySource
  /** Issuers named in the protected resource metadata; default: `issuer` alone. */
  readonly authorizationServers?: readonly string[]
  /** The name of the server for people; default: `server`. */
  readonly title?: string
  /** Absent: a token lives until it expires. */
  readonly revocations?: Revocations
  /**
   * Undefined: not, or not any more, a user. Absent: everybody whom the issuer signs in is one, named by the subject, in the
   * groups of the token's `groups` claim.
   */
  readonly findUser?: (issuer: string, subject: string) => UserNames | undefined
  /**
   * Hears at once what `revocations` and `findUser` may not have heard yet, as from another node. Asked for before a caller is
   * refused for want of news, and waited for two seconds; what it throws leaves things as they are.
   */
  readonly catchUp?: () => Promise<void>
  /** For foreign issuers, and stronger than the token. Absent: `client_class` of the token, else `self-registered`. */
  readonly clientClass?: (clientId: string) => ClientClass
  /** Whether the user said no to one of these scopes of the resource, for this client, within a day; answers from memory. */
  readonly isDeclined?: (principal: Principal, scopes: readonly string[], resource: string) => boolean
  /**
   * Whether the grant of this token has all of these scopes by now, so that a refresh brings them; answers from memory. Absent:
   * it cannot be told, and a client may try it once.
   */
  readonly isWidened?: (principal: Principal, scopes: readonly string[]) => boolean
  /** Where the user can widen what was granted; shown to the model when asking again would be of no use. */
  readonly accountUrl?: string
  /**
   * Takes tokens whose header says `typ: JWT` or no type at all, as some foreign authorization servers issue them. An ID token
   * is then told from an access token only by its audience: use it only where the issuer never names this resource in one.
   */
  readonly dangerouslyAcceptPlainJwt?: boolean
  /** How many verified tokens are remembered; default 10,000. */
  readonly cacheSize?: number
  /** Milliseconds since the epoch; default: the clock. */
  readonly now?: () => number
}

/** Options that passed, with their defaults. */
export interface ResolvedOptions extends GuardOptions {
  readonly authorizationServers: readonly string[]
  readonly title: string
  readonly dangerouslyAcceptPlainJwt: boolean
  readonly cacheSize: number
  readonly catchUp: () => Promise<void>
  readonly now: () => number
}

/** Thrown when a guard must not start; names every problem of its options. */
export class GuardOptionsError extends Error {
  override readonly name = 'GuardOptionsError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The guard cannot start: ${problems.join('; ')}.`)
    this.problems = problems
  }
}

/** Checks the options once, at creation. Throws `GuardOptionsError` with all problems; does not fetch anything. */
export function resolveOptions(options: GuardOptions): ResolvedOptions {
  const given: Partial<GuardOptions> = options ?? {}
  const problems = [
    ...checkResource(given.resource),
    ...checkUrl('issuer', given.issuer),
    ...checkKeys(given.keys),
    ...checkPolicy(given.policy, given.server),
    ...checkAuthorizationServers(given.authorizationServers),
    ...checkOptional(given),
  ]
  if (problems.length > 0) throw new GuardOptionsError(problems)
  return {
    ...options,
    authorizationServers: options.authorizationServers ?? [options.issuer],
    title: options.title ?? options.server,
    dangerouslyAcceptPlainJwt: options.dangerouslyAcceptPlainJwt ?? false,
    cacheSize: options.cacheSize ?? 10_000,
    catchUp: options.catchUp ?? (async () => {}),
    now: options.now ?? Date.now,
  }
}

function checkResource(resource: unknown): string[] {
  const problems = checkUrl('resource', resource)
  if (problems.length > 0) return problems
  try {
    readResource(resource as string)
    return []
  } catch {
    return ['resource is not a resource indicator']
  }
}

/** https, or http where the network cannot listen (OAuth 2.1 section 1.5); without query, fragment and user info. */
function checkUrl(name: string, value: unknown): string[] {
  if (typeof value !== 'string' || value === '') return [`${name} is missing`]
  if (!URL.canParse(value)) return [`${name} is not a URL`]
  const url = new URL(value)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHost(url.hostname))) {
    return [`${name} must be https, or http on loopback`]
  }
  if (url.username !== '' || url.password !== '' || /[?#]/.test(value)) {
    return [`${name} must have no query, fragment or user info`]
  }
  return []
}

function checkKeys(keys: unknown): string[] {
  if (typeof keys !== 'object' || keys === null) return ['keys is missing']
  if ('jwks' in keys) return typeof keys.jwks === 'function' ? [] : ['keys.jwks is not a function']
  if (!('jwksUri' in keys)) return ['keys has neither jwks nor jwksUri']
  const noQuery = typeof keys.jwksUri === 'string' ? keys.jwksUri.replace(/\?[^#]*$/, '') : keys.jwksUri
  return [
    ...checkUrl('keys.jwksUri', noQuery),
    ...checkKeyFetch('fetch' in keys ? keys.fetch : undefined, noQuery),
  ]
}

/** Of the runtime's own fetch, name servers are asked where a name below `localhost` is; whoever answers would give us the keys. */
function checkKeyFetch(fetch: unknown, jwksUri: unknown): string[] {
  if (fetch !== undefined) return typeof fetch === 'function' ? [] : ['keys.fetch is not a function']
  const url = typeof jwksUri === 'string' ? URL.parse(jwksUri) : null
  if (url?.protocol !== 'http:' || !url.hostname.endsWith('.localhost')) return []
  return ['keys.jwksUri over http must be on localhost itself, or come with keys.fetch']
}

function checkPolicy(policy: unknown, server: unknown): string[] {
  const problems = typeof policy === 'function' ? [] : ['policy is not a function']
  if (typeof server !== 'string' || server === '') return [...problems, 'server is missing']
  if (typeof policy !== 'function') return problems
  try {
    return (policy() as Policy).servers.has(server) ? [] : [`the policy has no server ${server}`]
  } catch {
    // A policy that cannot be read yet is not a mistake of the options: calls get 503 until it can.
    return []
  }
}

function checkAuthorizationServers(issuers: unknown): string[] {
  if (issuers === undefined) return []
  if (!Array.isArray(issuers) || issuers.length === 0) return ['authorizationServers is empty']
  return issuers.flatMap((issuer, at) => checkUrl(`authorizationServers[${at}]`, issuer))
}

function checkOptional(given: Partial<GuardOptions>): string[] {
  const problems: string[] = []
  for (const name of ['findUser', 'catchUp', 'clientClass', 'isDeclined', 'isWidened', 'now'] as const) {
    if (given[name] !== undefined && typeof given[name] !== 'function') {
      problems.push(`${name} is not a function`)
    }
  }
  const { revocations, cacheSize, dangerouslyAcceptPlainJwt, accountUrl, title } = given
  if (accountUrl !== undefined) problems.push(...checkUrl('accountUrl', accountUrl))
  if (title !== undefined && (typeof title !== 'string' || title === '')) problems.push('title is empty')
  if (
    revocations !== undefined &&
    (typeof revocations?.isRevoked !== 'function' || typeof revocations.isFresh !== 'function')
  ) {
    problems.push('revocations needs isRevoked and isFresh')
  }
  if (cacheSize !== undefined && !(Number.isInteger(cacheSize) && cacheSize > 0)) {
    problems.push('cacheSize is not a positive integer')
  }
  if (dangerouslyAcceptPlainJwt !== undefined && typeof dangerouslyAcceptPlainJwt !== 'boolean') {
    problems.push('dangerouslyAcceptPlainJwt is not a boolean')
  }
  return problems
}
