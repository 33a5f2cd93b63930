import type { AuthorizationServer } from '@warder/authorization-server'
import type { GuardOptions } from '@warder/guard'
import type { Principal } from '@warder/policy'

/** As much of our authorization server as answers requests. */
export type AnsweringServer = Pick<AuthorizationServer, 'answer'>

/** Who issues the tokens, and what the guard has to know of it. */
export interface Issuing {
  /** Issuer, keys, revocations and users, as the guard takes them. */
  readonly guard: Omit<GuardOptions, 'resource' | 'server' | 'policy'>
  /** Ours, or undefined where a foreign one issues the tokens. */
  readonly authorizationServer: AnsweringServer | undefined
  /** Whether somebody owns the server; where a foreign issuer has the users, nobody has to. */
  hasOwner(): Promise<boolean>
  /** A fresh owner link while nobody owns the server. */
  ownerLink(): Promise<string | undefined>
  /** Calls back for each grant or user that ends, with whom it concerns. */
  onEnded(listener: (concerns: (principal: Principal) => boolean) => void): void
  /** Whether what every call is checked against is fresh; otherwise calls get 503. */
  isFresh(): boolean
  stop(): Promise<void>
}
