import { createAuthorizationServer, type LogEntry, type ServedResource } from '@warder/authorization-server'
import type { OutboundFetch } from '@warder/outbound'
import type { Policy, Principal } from '@warder/policy'
import type { Store } from '@warder/store'
import { followChanges } from './follow-changes.ts'
import type { Issuing } from './issuing.ts'

const sweepMs = 60_000

/** Our own authorization server issues the tokens; the guard hears of each change through the store. */
export async function issueTokens(options: {
  readonly issuer: string
  readonly store: Store
  readonly policy: () => Policy
  readonly served: ServedResource
  readonly fetch: OutboundFetch
  readonly secret: Uint8Array
  readonly log: (entry: LogEntry) => void
}): Promise<Issuing> {
  const { issuer, store, policy, served, fetch, secret, log } = options
  const authorizationServer = await createAuthorizationServer({
    issuer,
    store,
    policy,
    resources: () => [served],
    fetch,
    secret,
    log,
  })
  const listeners: ((ended: (principal: Principal) => boolean) => void)[] = []
  const facts = await followChanges(store, {
    issuer,
    now: Date.now,
    onEnded: (ended) => {
      for (const listener of listeners) listener(ended)
    },
  })
  const sweeper = setInterval(() => {
    store
      .sweep(Date.now())
      .catch((error) => log({ level: 'warn', event: 'sweep failed', error: String(error) }))
  }, sweepMs)
  return {
    guard: { issuer, keys: { jwks: authorizationServer.jwks }, revocations: facts, findUser: facts.findUser },
    authorizationServer,
    async ownerLink() {
      return (await store.users.hasOwner()) ? undefined : authorizationServer.createOwnerLink()
    },
    onEnded: (listener) => listeners.push(listener),
    async stop() {
      clearInterval(sweeper)
      facts.stop()
    },
  }
}
