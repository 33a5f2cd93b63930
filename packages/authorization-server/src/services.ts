import type { Store } from '@warder/store'
import type { LoadClient } from './clients/resolve-client.ts'
import type { KnownDevices } from './known-devices.ts'
import type { Answer, WebRequest } from './message.ts'
import type { Options } from './options.ts'
import type { Passwords } from './passwords.ts'
import type { TakeBudget } from './request-budget.ts'
import type { LoadKeys } from './tokens/keys.ts'

/** What endpoints are made of. Each takes only the parts that it names with `Pick`. */
export interface Services extends Pick<Options, 'issuer' | 'policy' | 'resources' | 'now' | 'log'> {
  /** Fails closed: whatever the database throws arrives as `store.unavailable`. */
  readonly store: Store
  readonly hasOwner: () => Promise<boolean>
  readonly loadClient: LoadClient
  readonly loadKeys: LoadKeys
  readonly passwords: Passwords
  readonly devices: KnownDevices
  readonly takeRegistration: TakeBudget
}

/** Who is at the other end of the connection. */
export interface Peer {
  /** IP address, as text. */
  readonly address: string
}

/** What the route and the connection say about a request. */
export interface Visit {
  readonly peer: Peer
  /** The variable part of the path: a transaction id or an owner token; empty elsewhere. */
  readonly id: string
}

/** One endpoint: a linear function that answers, or throws a `Refusal`. */
export type Endpoint = (request: WebRequest, visit: Visit, services: Services) => Promise<Answer>
