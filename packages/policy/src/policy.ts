/** One scope of a server: the words on the consent page, what it includes, how dangerous it is. */
export interface ScopeRule {
  readonly name: string
  readonly title: string
  readonly description?: string
  /** Granted without `scope` in the request, and never switched off on the consent page. */
  readonly basic: boolean
  readonly implies: readonly string[]
  readonly risk: 'normal' | 'high'
}

/** One line of `tools`, `resources` or `prompts`: first match wins, what matches nothing is denied. */
export interface TargetRule {
  /** An exact name, or a pattern in which `*` stands for any run of characters. */
  readonly match: string
  /** All of them are needed. Empty: any signed-in caller that has an access row for this server. */
  readonly scopes: readonly string[]
  /** `never: true`: denied to everybody. */
  readonly never: boolean
}

export interface ServerPolicy {
  readonly name: string
  readonly run?: readonly string[]
  readonly url?: string
  /** Names of environment variables that a `run` command gets, besides PATH, HOME and the like. */
  readonly env: readonly string[]
  readonly scopes: ReadonlyMap<string, ScopeRule>
  readonly tools: readonly TargetRule[]
  readonly resources: readonly TargetRule[]
  readonly prompts: readonly TargetRule[]
  /** Whether tools that a wider grant would open are listed; default true. */
  readonly listLocked: boolean
}

/** Who a row is about. */
export type Who =
  | { readonly kind: 'user'; readonly name: string; readonly issuer?: string }
  | { readonly kind: 'group'; readonly name: string }
  | { readonly kind: 'service'; readonly name: string }
  | { readonly kind: 'anyone' }

/** One row of the matrix: who, with which client, may do what. Deny beats allow; no row, no access. */
export interface AccessRow {
  readonly who: Who
  /**
   * `any`, a class (`local`, `self-registered`, `document`, `pre-registered`), a client id, or a pattern of document URLs.
   * Absent: for `may` every client but self-registered ones, for `never` every client.
   */
  readonly client?: string
  readonly may: readonly string[]
  readonly never: readonly string[]
  /** Narrows the row to these tools (exact names or patterns). */
  readonly tools?: readonly string[]
  /** Narrows the row to these servers. */
  readonly servers?: readonly string[]
  /**
   * A condition in CEL over `args`, `user`, `client` and `time`. Where it cannot be evaluated, a `may` does not apply and a
   * `never` does; where arguments or time are not known yet, as in a list, what depends on it is locked.
   */
  readonly when?: string
}

/** The whole policy file, read and checked. */
export interface Policy {
  readonly version: 1
  readonly servers: ReadonlyMap<string, ServerPolicy>
  readonly access: readonly AccessRow[]
  /** Groups of the file, with the names of the users in them; groups of a token count besides. */
  readonly groups?: ReadonlyMap<string, readonly string[]>
  /** SHA-256 of the file's text, hex, first 12 characters: the policy version in the log. */
  readonly digest: string
}

/** What a caller wants to do, read from the message body. */
export type Call =
  /** Without `args` it is a question before any call, as for a list: a call without arguments has `args: {}`. */
  | { readonly kind: 'tool'; readonly name: string; readonly args?: Readonly<Record<string, unknown>> }
  | { readonly kind: 'resource'; readonly uri: string }
  | { readonly kind: 'prompt'; readonly name: string }
  /** Needs a valid token and an access row for the server, nothing more: lists, ping, initialize, discover, notifications. */
  | { readonly kind: 'session'; readonly method: string }

/**
 * One decision for lists and calls. `open`: allowed now. `locked`: the user could get the missing scopes. `hidden`: no scope
 * could help. `because` is for the log and `policy explain`.
 */
export type Decision =
  | { readonly outcome: 'open'; readonly because: string }
  | {
      readonly outcome: 'locked'
      readonly because: string
      readonly needed: readonly string[]
      readonly missing: readonly string[]
    }
  | { readonly outcome: 'hidden'; readonly because: string }
