import { createAuthorizationServer, type LogEntry, type ServedResource } from '@warder/authorization-server'
import type { OutboundFetch } from '@warder/outbound'
import { impliedScopes, type Policy, type Principal } from '@warder/policy'
import type { Store } from '@warder/store'
import { followChanges } from './follow-changes.ts'
import type { AnsweringServer, Issuing } from './issuing.ts'

const sweepMs = 60_000

/** Our own authorization server issues the tokens; the guard hears of each change through the store. */
export async function issueTokens(options: {
  readonly issuer: string
  readonly store: Store
  readonly policy: () => Policy
  readonly served: readonly ServedResource[]
  readonly fetch: OutboundFetch
  readonly secret: Uint8Array
  readonly log: (entry: LogEntry) => void
  /** Milliseconds since the epoch, for what is issued; default: the clock. */
  readonly now?: () => number
  /** Called when another policy may be in force for all nodes of the store. */
  readonly onPolicy?: () => Promise<void>
  /** Called when the store is no longer heard, with the reason, and without one when it is again. */
  readonly onHearing?: (trouble?: unknown) => void
}): Promise<Issuing> {
  const { issuer, store, policy, served, fetch, secret, log } = options
  const authorizationServer = await createAuthorizationServer({
    issuer,
    store,
    policy,
    resources: () => served,
    fetch,
    secret,
    log,
    ...(options.now === undefined ? {} : { now: options.now }),
  })
  /** What a grant opens: its scopes and, while the policy can be read, what they imply. */
  const coveredScopes = (resource: string, scopes: readonly string[]): ReadonlySet<string> => {
    const server = served.find((each) => each.resource === resource)?.server ?? ''
    try {
      const rules = policy().servers.get(server)
      return new Set([...scopes, ...(rules === undefined ? [] : impliedScopes(rules, scopes))])
    } catch {
      return new Set(scopes)
    }
  }
  const listeners: ((ended: (principal: Principal) => boolean) => void)[] = []
  const facts = await followChanges(store, {
    issuer,
    now: Date.now,
    coveredScopes: ({ resource, scopes }) => coveredScopes(resource, scopes),
    onEnded: (ended) => {
      for (const listener of listeners) listener(ended)
    },
    onPolicy: options.onPolicy ?? (async () => {}),
    onHearing: options.onHearing ?? (() => {}),
  })
  let isSweeping = false
  const sweeper = setInterval(async () => {
    // Two at once would only wait for each other, and keep others from the write lock.
    if (isSweeping) return
    isSweeping = true
    await store
      .sweep(Date.now())
      .catch((error) => log({ level: 'warn', event: 'sweep failed', error: String(error) }))
    isSweeping = false
  }, sweepMs)
  // What an answer says must be true for the guard as well: a new owner may call a moment after the first token came.
  const answer: AnsweringServer['answer'] = async (request, peer) => {
    const answered = await authorizationServer.answer(request, peer)
    await facts.catchUp().catch(() => {})
    return answered
  }
  return {
    guard: {
      issuer,
      keys: { jwks: authorizationServer.jwks },
      revocations: facts,
      findUser: facts.findUser,
      catchUp: facts.catchUp,
      isDeclined: facts.isDeclined,
      isWidened: facts.isWidened,
      accountUrl: `${issuer}/account`,
    },
    authorizationServer: { answer },
    hasOwner: () => store.users.hasOwner(),
    async ownerLink() {
      return (await store.users.hasOwner()) ? undefined : authorizationServer.createOwnerLink()
    },
    onEnded: (listener) => listeners.push(listener),
    isFresh: facts.isFresh,
    async stop() {
      clearInterval(sweeper)
      facts.stop()
    },
  }
}
