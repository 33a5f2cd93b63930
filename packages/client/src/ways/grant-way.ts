import type { OutboundFetch } from '@warder/outbound'
import type { Discovery } from '../discover.ts'
import type { UsableRegistration } from '../pre-registered.ts'
import type { TokenSet } from '../records.ts'
import type { Trace } from '../trace.ts'

/** A way in which nobody has to click. */
export interface GrantWay {
  readonly kind: 'grant'
  /** A `grant_type` for which the client registers itself where it has no id; undefined: it has one already, or needs none. */
  readonly registersFor?: string | undefined
  /** Asks for tokens once. What it throws ends the sign-in; nothing is tried in its place. */
  obtain(context: GrantContext): Promise<TokenSet>
}

/** What a grant may use. */
export interface GrantContext {
  readonly discovery: Discovery
  readonly outbound: OutboundFetch
  /** The pre-registered credentials, where there are some, or what was registered for the way. */
  readonly registration?: UsableRegistration | undefined
  readonly scopes: readonly string[]
  /** What to send as `resource`; undefined: the parameter is left out. */
  readonly resource: string | undefined
  readonly trace: Trace
  /** Ends the sign-in. */
  readonly signal: AbortSignal
  /** Milliseconds. */
  readonly now: () => number
  /** Sends `fields` to the token endpoint, with the client's authentication unless `authenticate` is false. */
  readonly tokenRequest: (
    fields: Readonly<Record<string, string>>,
    options?: { readonly authenticate?: boolean },
  ) => Promise<TokenSet>
}
