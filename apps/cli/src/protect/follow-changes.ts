import type { Principal, UserIdentity } from '@warder/policy'
import {
  type Change,
  type DeclinedConsent,
  declineCountsMs,
  type Grant,
  type Store,
  type User,
} from '@warder/store'

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
/** From the hearing on; longer than any access token lives. */
const endedCountsMs = 65 * 60_000

/**
 * Follows the store's numbered changes, from a snapshot on. Other processes (`warder user disable`) write the same
 * database, so this polls; a revocation counts within one poll.
 */
export async function followChanges(
  store: Store,
  options: {
    readonly issuer: string
    readonly now: () => number
    /** Milliseconds since some moment, by a clock that nobody can set; the process's own by default. */
    readonly uptime?: () => number
    /** A grant's scopes with everything that they imply. */
    readonly coveredScopes: (grant: Grant) => ReadonlySet<string>
    readonly onEnded: (concerns: (principal: Principal) => boolean) => void
    /** Another policy may be in force; a throw is a change that was not heard, and comes again. */
    readonly onPolicy: () => Promise<void>
    /** Called when the store is no longer heard, with the reason, and without one when it is again. */
    readonly onHearing: (trouble?: unknown) => void
  },
): Promise<LiveFacts> {
  const {
    issuer,
    now,
    uptime = () => performance.now(),
    coveredScopes,
    onEnded,
    onPolicy,
    onHearing,
  } = options
  const users = new Map<string, User>()
  // Until when each counts, by the clock that nobody can set: one that jumps forward and back would bring the dead to life.
  const revokedGrants = new Map<string, number>()
  const revokedTokens = new Map<string, number>()
  /** Grants whose scopes changed while tokens with the earlier ones may live. */
  const changedGrants = new Map<string, { readonly covered: ReadonlySet<string>; readonly until: number }>()
  const declined = new Map<string, readonly DeclinedConsent[]>()
  let heardAt = Number.NEGATIVE_INFINITY
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
    'grant-revoked'({ subject }) {
      revokedGrants.set(subject, uptime() + endedCountsMs)
      onEnded(({ grantId }) => grantId === subject)
    },
    async 'grant-changed'({ subject }) {
      const grant = await store.grants.load(subject)
      const until = uptime() + endedCountsMs
      if (grant !== undefined) changedGrants.set(subject, { covered: coveredScopes(grant), until })
      onEnded(({ grantId, scopes }) => grantId === subject && hasTooMuch(subject, scopes))
    },
    'consents-changed': ({ subject }) => loadDeclined(subject),
    'token-revoked'({ subject }) {
      revokedTokens.set(subject, uptime() + endedCountsMs)
      onEnded(({ tokenId }) => tokenId === subject)
    },
    async 'user-disabled'({ subject }) {
      await loadUser(subject)
      onEnded(({ user }) => user.subject === subject)
    },
    'user-enabled': ({ subject }) => loadUser(subject),
    'user-added': ({ subject }) => loadUser(subject),
    'policy-published': onPolicy,
  }

  /** What changes cannot tell: how things stood before the oldest of them that is kept. */
  const loadSnapshot = async (): Promise<void> => {
    const found = await store.users.list()
    users.clear()
    for (const user of found) users.set(user.id, user)
    await onPolicy()
  }

  /** Hears what comes after the last number that was heard; with `strictly`, not beyond a number that is missing. */
  const hearOn = async (strictly: boolean): Promise<void> => {
    let changes: readonly Change[]
    do {
      changes = await store.changes.listAfter(lastNumber, pageSize)
      for (const change of changes) {
        if (strictly && change.number !== lastNumber + 1) return
        await apply[change.kind](change)
        lastNumber = change.number
      }
    } while (changes.length === pageSize)
  }

  const hearAll = async (): Promise<void> => {
    // An answer says how things stood when it was asked for, however long it took.
    const askedAt = uptime()
    const newest = await store.changes.lastNumber()
    const isOther = newest < lastNumber
    if (newest > lastNumber) await hearOn(lastNumber > 0)
    const isBroken = isOther || lastNumber < newest
    if (isBroken) {
      // Lost on the way, or counted anew by a restored database. What is missing from the start on was swept: it ended long ago.
      lastNumber = 0
      await hearOn(false)
      lastNumber = Math.max(lastNumber, newest)
    }
    // Read after the changes: a user who changed in between is then read twice, never missed.
    if (isBroken || askedAt - heardAt >= freshMs) await loadSnapshot()
    heardAt = askedAt
    forgetPast()
  }

  let isHeard = true
  const hear = async (): Promise<void> => {
    try {
      await hearAll()
    } catch (error) {
      // Not heard: isFresh turns false after five seconds, and the guard answers 503.
      if (isHeard && !stopped) onHearing(error)
      isHeard = false
      throw error
    }
    if (!isHeard && !stopped) onHearing()
    isHeard = true
  }

  // One after the other: two at once would apply a change twice, in any order. Whoever asks while one is running gets the
  // next one, together with all others who ask: a slow store must not make a queue.
  let running: Promise<void> = Promise.resolve()
  let waiting: Promise<void> | undefined
  const catchUp = (): Promise<void> => {
    if (waiting !== undefined) return waiting
    waiting = running
      .catch(() => {})
      .then(() => {
        waiting = undefined
        return hear()
      })
    running = waiting
    return waiting
  }

  const counts = ({ at }: DeclinedConsent): boolean => now() - at < declineCountsMs

  const forgetPast = (): void => {
    for (const revoked of [revokedGrants, revokedTokens]) {
      for (const [subject, until] of revoked) if (until < uptime()) revoked.delete(subject)
    }
    for (const [grantId, { until }] of changedGrants) if (until < uptime()) changedGrants.delete(grantId)
    for (const [userId, consents] of declined) if (!consents.some(counts)) declined.delete(userId)
  }

  await hearAll()

  const poll = async (): Promise<void> => {
    await catchUp().catch(() => {})
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
    isFresh: () => uptime() - heardAt < freshMs,
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
