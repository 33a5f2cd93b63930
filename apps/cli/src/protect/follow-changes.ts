import type { Principal, UserIdentity } from '@warder/policy'
import type { Change, Store, User } from '@warder/store'

/** What every call is checked against without touching the store: revocations and users, at most a poll old. */
export interface LiveFacts {
  isRevoked(token: { readonly grantId?: string; readonly tokenId: string; readonly subject: string }): boolean
  /** Whether the store was heard within the last five seconds. */
  isFresh(): boolean
  findUser(issuer: string, subject: string): Pick<UserIdentity, 'names' | 'groups'> | undefined
  stop(): void
}

const pollMs = 250
const freshMs = 5_000
const pageSize = 500

/**
 * Follows the store's numbered changes, from a snapshot on. Other processes (`warder user disable`) write the same
 * database, so this polls; a revocation counts within one poll.
 */
export async function followChanges(
  store: Store,
  options: {
    readonly issuer: string
    readonly now: () => number
    readonly onEnded: (concerns: (principal: Principal) => boolean) => void
  },
): Promise<LiveFacts> {
  const { issuer, now, onEnded } = options
  const users = new Map<string, User>()
  const revokedGrants = new Map<string, number>()
  const revokedTokens = new Map<string, number>()
  let heardAt = 0
  let lastNumber = 0
  let stopped = false

  const loadUser = async (id: string): Promise<void> => {
    const user = await store.users.loadById(id)
    if (user !== undefined) users.set(id, user)
  }

  const apply: Readonly<Record<Change['kind'], (change: Change) => Promise<void> | void>> = {
    'grant-revoked'({ subject, until }) {
      revokedGrants.set(subject, until)
      onEnded(({ grantId }) => grantId === subject)
    },
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

  const catchUp = async (): Promise<void> => {
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

  const forgetPast = (): void => {
    for (const revoked of [revokedGrants, revokedTokens]) {
      for (const [subject, until] of revoked) if (until < now()) revoked.delete(subject)
    }
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
    isRevoked: ({ grantId, tokenId }) =>
      revokedTokens.has(tokenId) || (grantId !== undefined && revokedGrants.has(grantId)),
    isFresh: () => now() - heardAt < freshMs,
    findUser(ofIssuer, subject) {
      const user = ofIssuer === issuer ? users.get(subject) : undefined
      if (user === undefined || user.disabledAt !== undefined) return undefined
      return {
        names: user.role === 'owner' ? [user.id, user.email, 'owner'] : [user.id, user.email],
        groups: [],
      }
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
