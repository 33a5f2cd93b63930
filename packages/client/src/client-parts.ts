import {
  createOutbound,
  createUserFetch,
  type Network,
  type OutboundFetch,
  reachOf,
  type UserFetch,
} from '@warder/outbound'
import { checkServerUrl } from './check-endpoint.ts'
import type { ClientOptions } from './client-options.ts'
import type { StepUpPolicy } from './decide-step-up.ts'
import { defaultProfile } from './records.ts'
import { checkParameters } from './start-sign-in.ts'
import type { CredentialStore } from './storage/credential-store.ts'
import type { Identity } from './stored-registrations.ts'
import { createDpopNonces } from './tokens/dpop/dpop-nonces.ts'
import { keysOf } from './tokens/dpop/keys-of-store.ts'
import type { DpopState } from './tokens/dpop/send-with-token.ts'
import { silent, type Trace } from './trace.ts'

/** The options with every default in its place. */
export interface ClientParts {
  readonly options: ClientOptions
  readonly server: string
  readonly profile: string
  readonly store: CredentialStore
  readonly identity: Identity
  readonly outbound: OutboundFetch
  readonly userFetch: UserFetch
  readonly stepUp: StepUpPolicy
  readonly dpop: DpopState
  readonly trace: Trace
  readonly now: () => number
}

/** Checks the options once, and composes what a client works with. Throws `server.url` and `parameter.repeated`. */
export function resolveParts(options: ClientOptions): ClientParts {
  const server = checkServerUrl(options.server)
  checkParameters(options.parameters ?? {})
  const { store, profile = defaultProfile, network } = options
  return {
    options,
    server,
    profile,
    store,
    identity: {
      preRegistered: options.registration,
      documentUrl: options.documentUrl,
      clientName: options.clientName ?? 'Warder',
      profile,
      store,
    },
    outbound: options.outbound ?? outboundFrom(server, network),
    userFetch: options.userFetch ?? createUserFetch(network),
    stepUp: options.stepUp ?? { mode: options.scopes === undefined ? 'auto' : 'deny' },
    dpop: { keys: keysOf(store), nonces: createDpopNonces() },
    trace: options.trace ?? silent,
    now: options.now ?? Date.now,
  }
}

/** Where the server is, and so how far it may lead, is looked up when it is needed first. */
function outboundFrom(server: string, network: Network | undefined): OutboundFetch {
  let made: Promise<OutboundFetch> | undefined
  return async (url, request) => {
    made ??= reachOf(server).then((reach) => createOutbound({ network, reach }))
    return (await made)(url, request)
  }
}
