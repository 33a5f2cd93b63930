import type { Principal, UserIdentity } from '@warder/policy'
import type { Change, DeclinedConsent, Grant, Store, User } from '@warder/store'

/** What every call is checked against without touching the store: revocations and users, at most a poll old. */
export interface LiveFacts {
  isRevoked(token: {
    readonly grantId?: string
    readonly tokenId: string
    readonly scopes: ReadonlySet<string>
  }): boolean
  /** Whether the store was heard within the last five seconds. */
  isFresh(): boolean
  /** Whether the user said no to a scope that is missing, for this client and resource, within a day. */
  isDeclined(principal: Principal, scopes: readonly string[], resource: string): boolean
  /** Whether the grant has these scopes by now, though the token has not. */
  isWidened(principal: Principal, scopes: readonly string[]): boolean
  findUser(issuer: string, subject: string): Pick<UserIdentity, 'names' | 'groups'> | undefined
  /** Hears at once what has changed up to now; throws when the store does. */
  catchUp(): Promise<void>
  stop(): void
}

const pollMs = 250
const freshMs = 5_000
const pageSize = 500
const declineCountsMs = 24 * 60 * 60_000

/**
 * Follows the store's numbered changes, from a snapshot on. Other processes (`warder user disable`) write the same
 * database, so this polls; a revocation counts within one poll.
 */
export async function followChanges(
  store: Store,
  options: {
    readonly issuer: string
    readonly now: () => number
    /** A grant's scopes with everything that they imply. */
    readonly coveredScopes: (grant: Grant) => ReadonlySet<string>
    readonly onEnded: (concerns: (principal: Principal) => boolean) => void
  },
): Promise<LiveFacts> {
  const { issuer, now, coveredScopes, onEnded } = options
  const users = new Map<string, User>()
  const revokedGrants = new Map<string, number>()
  const revokedTokens = new Map<string, number>()
  /** Grants whose scopes changed while tokens with the earlier ones may live. */
  const changedGrants = new Map<string, { readonly covered: ReadonlySet<string>; readonly until: number }>()
  const declined = new Map<string, readonly DeclinedConsent[]>()
  let heardAt = 0
  let lastNumber = 0
  let stopped = false

  const loadUser = async (id: string): Promise<void> => {
    const user = await store.users.loadById(id)
    if (user !== undefined) users.set(id, user)
  }

  const hasTooMuch = (grantId: string, scopes: ReadonlySet<string>): boolean => {
    const changed = changedGrants.get(grantId)
    return changed !== undefined && ![...scopes].every((scope) => changed.covered.has(scope))
  }

  const loadDeclined = async (userId: string): Promise<void> => {
    const consents = await store.transactions.listDeclined({ since: now() - declineCountsMs, userId })
    if (consents.length > 0) declined.set(userId, consents)
    else declined.delete(userId)
  }

  const apply: Readonly<Record<Change['kind'], (change: Change) => Promise<void> | void>> = {
    'grant-revoked'({ subject, until }) {
      revokedGrants.set(subject, until)
      onEnded(({ grantId }) => grantId === subject)
    },
    async 'grant-changed'({ subject, until }) {
      const grant = await store.grants.load(subject)
      if (grant !== undefined) changedGrants.set(subject, { covered: coveredScopes(grant), until })
      onEnded(({ grantId, scopes }) => grantId === subject && hasTooMuch(subject, scopes))
    },
    'consents-changed': ({ subject }) => loadDeclined(subject),
    'token-revoked'({ subject, until }) {
      revokedTokens.set(subject, until)
      onEnded(({ tokenId }) => tokenId === subject)
    },
    async 'user-disabled'({ subject }) {
      await loadUser(subject)
      onEnded(({ user }) => user.subject === subject)
    },
    'user-enabled': ({ subject }) => loadUser(subject),
    'user-added': ({ subject }) => loadUser(subject),
  }

  const hearAll = async (): Promise<void> => {
    let changes: readonly Change[]
    do {
      changes = await store.changes.listAfter(lastNumber, pageSize)
      for (const change of changes) {
        await apply[change.kind](change)
        lastNumber = change.number
      }
    } while (changes.length === pageSize)
    heardAt = now()
  }

  // One after the other: two at once would apply a change twice, in any order.
  let hearing: Promise<void> = Promise.resolve()
  const catchUp = (): Promise<void> => {
    hearing = hearing.catch(() => {}).then(hearAll)
    return hearing
  }

  const counts = ({ at }: DeclinedConsent): boolean => now() - at < declineCountsMs

  const forgetPast = (): void => {
    for (const revoked of [revokedGrants, revokedTokens]) {
      for (const [subject, until] of revoked) if (until < now()) revoked.delete(subject)
    }
    for (const [grantId, { until }] of changedGrants) if (until < now()) changedGrants.delete(grantId)
    for (const [userId, consents] of declined) if (!consents.some(counts)) declined.delete(userId)
  }

  // The snapshot is read after the changes: a user who changed in between is then read twice, never missed.
  await catchUp()
  for (const user of await store.users.list()) users.set(user.id, user)

  const poll = async (): Promise<void> => {
    try {
      await catchUp()
      forgetPast()
    } catch {
      // Not heard: isFresh turns false after five seconds, and the guard answers 503.
    }
    if (!stopped) timer = setTimeout(poll, pollMs)
  }
  let timer = setTimeout(poll, pollMs)

  return {
    isRevoked: ({ grantId, tokenId, scopes }) =>
      revokedTokens.has(tokenId) ||
      (grantId !== undefined && (revokedGrants.has(grantId) || hasTooMuch(grantId, scopes))),
    isDeclined: ({ user, client, scopes: held }, scopes, resource) =>
      (declined.get(user.subject) ?? []).some(
        (consent) =>
          consent.clientId === client.id &&
          consent.resource === resource &&
          scopes.includes(consent.scope) &&
          !held.has(consent.scope) &&
          counts(consent),
      ),
    isWidened({ grantId }, scopes) {
      const changed = grantId === undefined ? undefined : changedGrants.get(grantId)
      return changed !== undefined && scopes.every((scope) => changed.covered.has(scope))
    },
    isFresh: () => now() - heardAt < freshMs,
    findUser(ofIssuer, subject) {
      const user = ofIssuer === issuer ? users.get(subject) : undefined
      if (user === undefined || user.disabledAt !== undefined) return undefined
      return {
        names: user.role === 'owner' ? [user.id, user.email, 'owner'] : [user.id, user.email],
        groups: [],
      }
    },
    catchUp,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
