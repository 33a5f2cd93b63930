import { tables } from '../schema.ts'
import { all, statement, type Values, type Work } from '../statement.ts'
import { recordChanges } from './changes.ts'
import { recordEvents } from './events.ts'
import { inChunks } from './in-chunks.ts'

interface Revocation {
  readonly because: string
  readonly now: number
}

/** Ends a grant as part of an operation. `false` when it was not alive. */
export function* revokeGrant({ id, ...revocation }: Revocation & { readonly id: string }): Work<boolean> {
  return (yield* revokeGrants([id], revocation)) > 0
}

/**
 * Ends those of these grants that are alive, as part of an operation, and answers how many. Their codes and refresh tokens are dead
 * with them, since each use of one asks for a live grant; guards hear of it by the changes. A few statements for very many
 * grants: a database may be far, and all of them stand in one transaction that must be done within its deadline.
 */
export function* revokeGrants(ids: readonly string[], revocation: Revocation): Work<number> {
  let count = 0
  for (const some of inChunks(ids)) count += yield* revokeSome(some, revocation)
  return count
}

function* revokeSome(some: readonly string[], { because, now }: Revocation): Work<number> {
  const ended = yield* all(
    statement(() =>
      tables
        .updateTable('grants')
        .set({ revoked_at: now, revoked_because: because })
        .where('id', 'in', some)
        .where('revoked_at', 'is', null)
        .returning(['id', 'user_id', 'client_id']),
    ),
    {},
  )
  if (ended.length === 0) return 0
  const ids = ended.map(({ id }) => id)
  yield* all(
    statement(() =>
      tables
        .updateTable('refresh_tokens')
        .set({ sealed_successor: null, sealed_until: null })
        .where('grant_id', 'in', ids)
        .where('sealed_successor', 'is not', null),
    ),
    {},
  )
  yield* recordChanges('grant-revoked', ids, now)
  const details = ended.map(({ id, user_id, client_id }) => ({
    grant: id,
    user: user_id,
    client: client_id,
    because,
  }))
  yield* recordEvents('grant.revoked', details, now)
  return ended.length
}

const liveGrantsOfUser = statement((slot: Values<{ userId: string }>) =>
  tables
    .selectFrom('grants')
    .select('id')
    .where('user_id', '=', slot('userId'))
    .where('revoked_at', 'is', null),
)

/** Ends every live grant of a user as part of an operation. */
export function* revokeGrantsOfUser(userId: string, because: string, now: number): Work<number> {
  const live = yield* all(liveGrantsOfUser, { userId })
  return yield* revokeGrants(live.map(idOf), { because, now })
}

const liveGrantsOfClient = statement((slot: Values<{ clientId: string }>) =>
  tables
    .selectFrom('grants')
    .select('id')
    .where('client_id', '=', slot('clientId'))
    .where('revoked_at', 'is', null),
)

/** Ends every live grant of a client as part of an operation, and answers how many. */
export function* revokeGrantsOfClient(clientId: string, because: string, now: number): Work<number> {
  const live = yield* all(liveGrantsOfClient, { clientId })
  return yield* revokeGrants(live.map(idOf), { because, now })
}

function idOf({ id }: { readonly id: string }): string {
  return id
}
