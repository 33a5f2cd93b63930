import type { Network, OutboundFetch, UserFetch } from '@warder/outbound'
import type { AllowMissingPkce } from './check-code-flow.ts'
import type { StepUpPolicy } from './decide-step-up.ts'
import type { PreRegistered } from './pre-registered.ts'
import type { AuthorizationParameters } from './start-sign-in.ts'
import type { CredentialStore } from './storage/credential-store.ts'
import type { DpopMode } from './tokens/dpop/decide-dpop.ts'
import type { Trace } from './trace.ts'
import type { SignInWay } from './ways/sign-in-way.ts'

/** What a client is made of. */
export interface ClientOptions {
  /** The MCP server as the user wrote it: https, or http on this computer. */
  readonly server: string
  /** Accounts at one server are told apart by it. Default `default`. */
  readonly profile?: string | undefined
  readonly store: CredentialStore
  readonly way: SignInWay
  /** Proxies and certificates for everything that is sent. */
  readonly network?: Network | undefined
  /** For URLs that servers choose. Default: what the place of the server lets it lead to. */
  readonly outbound?: OutboundFetch | undefined
  /** For the MCP server itself. */
  readonly userFetch?: UserFetch | undefined
  readonly registration?: PreRegistered | undefined
  /** Of our client id metadata document, if somebody hosts one. */
  readonly documentUrl?: string | undefined
  /** What the authorization server shows its users. Default `Warder`. */
  readonly clientName?: string | undefined
  /** Pins: these scopes are asked for, whatever the server says. */
  readonly scopes?: readonly string[] | undefined
  /** Default: `auto`, and `deny` where scopes are pinned. */
  readonly stepUp?: StepUpPolicy | undefined
  /** Where the metadata of the authorization server is, if the user knows better than the server. */
  readonly metadataUrl?: string | undefined
  /** Another value for the parameter `resource`, or false for none. Changes what is sent, and nothing that is checked. */
  readonly sendResource?: string | false | undefined
  /** Sends the scopes with each refresh, for servers that forget them otherwise. */
  readonly repeatScopes?: boolean | undefined
  /** More parameters of the authorization request. */
  readonly parameters?: AuthorizationParameters | undefined
  readonly dpop?: DpopMode | undefined
  readonly dangerouslyAllowMissingPkce?: AllowMissingPkce | undefined
  readonly trace?: Trace | undefined
  /** Milliseconds. */
  readonly now?: (() => number) | undefined
}
