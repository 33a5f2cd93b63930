import type { HostNode } from './documents/host-node.ts'
import type { Finding } from './finding.ts'

/** The programs whose server lists Warder reads. `warder` is its own list. */
export const hosts = [
  'warder',
  'claude-code',
  'claude-desktop',
  'vscode',
  'cursor',
  'codex',
  'gemini',
] as const
export type Host = (typeof hosts)[number]

/** Where in a host an entry stands, from the strongest to the weakest. */
export const scopes = ['managed', 'local', 'project', 'user', 'plugin', 'connector'] as const
export type Scope = (typeof scopes)[number]

export const transports = ['http', 'sse', 'stdio', 'ws'] as const
export type Transport = (typeof transports)[number]

/** Texts by name; without a prototype, so that `constructor` is there only when a file has it. */
export type Texts = Readonly<Record<string, string>>

/** The OAuth fields of an entry. No host's field for a client secret is read into it: see `findings`. */
export interface OAuthPins {
  readonly clientId?: string
  readonly callbackPort?: number
  /** These and no others are asked for. */
  readonly scopes?: readonly string[]
  /** Replaces discovery; https only. */
  readonly metadataUrl?: string
}

/** A header whose value stands in an environment variable, with what goes before it (`Bearer `). */
export interface HeaderVariable {
  readonly variable: string
  readonly prefix: string
}

/** One entry of one file, as it stands there: variables are not expanded. */
export interface ServerConfig {
  readonly name: string
  readonly transport: Transport
  readonly url?: string
  readonly headers?: Texts
  /** Codex: headers whose values are in environment variables. */
  readonly headersFromEnv?: Readonly<Record<string, HeaderVariable>>
  /**
   * A list is a program and its arguments, run without a shell (Warder). A text is a shell line (Claude
   * Code).
   */
  readonly headersHelper?: string | readonly string[]
  readonly oauth?: OAuthPins
  readonly command?: string
  readonly args?: readonly string[]
  readonly env?: Texts
  readonly timeoutMs?: number
  /** The host lets through only these tools, or all but these. */
  readonly tools?: { readonly only?: readonly string[]; readonly without?: readonly string[] }
  /** The entry itself says that the host must not start it. */
  readonly isDisabled?: boolean
  /** The host asks nobody before it calls a tool of this server (Gemini's `trust`). */
  readonly isTrusted?: boolean
  readonly source: ServerSource
  /** The whole entry with the place of every value; fields that Warder does not know are in it too. */
  readonly node: HostNode
  /** Why nothing can be done with this entry. It still hides weaker entries of its name. */
  readonly broken?: Finding
}

export interface ServerSource {
  readonly host: Host
  readonly scope: Scope
  readonly file: string
  readonly line: number
  readonly column: number
  /** The keys that lead to the entry in its file. */
  readonly path: readonly string[]
  /** Claude Code: the plugin that brings it, and where that plugin is installed. */
  readonly plugin?: { readonly name: string; readonly root: string }
}
