import { tables } from '../schema.ts'
import { all, first, statement, type Values, type Work } from '../statement.ts'
import { recordChange } from './changes.ts'
import { recordEvent } from './events.ts'

interface Revocation {
  readonly id: string
  readonly because: string
  readonly now: number
}

const endGrant = statement((slot: Values<Revocation>) =>
  tables
    .updateTable('grants')
    .set({ revoked_at: slot('now'), revoked_because: slot('because') })
    .where('id', '=', slot('id'))
    .where('revoked_at', 'is', null)
    .returning(['id', 'user_id', 'client_id']),
)

const forgetSealed = statement((slot: Values<{ id: string }>) =>
  tables
    .updateTable('refresh_tokens')
    .set({ sealed_successor: null, sealed_until: null })
    .where('grant_id', '=', slot('id'))
    .where('sealed_successor', 'is not', null),
)

const liveGrantsOfUser = statement((slot: Values<{ userId: string }>) =>
  tables
    .selectFrom('grants')
    .select('id')
    .where('user_id', '=', slot('userId'))
    .where('revoked_at', 'is', null),
)

/**
 * Ends a grant as part of an operation. Its codes and refresh tokens are dead with it, since each use of one asks for a live
 * grant; guards hear of it by the change. `false` when it was not alive.
 */
export function* revokeGrant(revocation: Revocation): Work<boolean> {
  const ended = yield* first(endGrant, revocation)
  if (ended === undefined) return false
  yield* all(forgetSealed, { id: ended.id })
  yield* recordChange('grant-revoked', ended.id, revocation.now)
  const details = {
    grant: ended.id,
    user: ended.user_id,
    client: ended.client_id,
    because: revocation.because,
  }
  yield* recordEvent('grant.revoked', details, revocation.now)
  return true
}

/** Ends every live grant of a user as part of an operation. */
export function* revokeGrantsOfUser(userId: string, because: string, now: number): Work<void> {
  for (const { id } of yield* all(liveGrantsOfUser, { userId })) yield* revokeGrant({ id, because, now })
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
  for (const { id } of live) yield* revokeGrant({ id, because, now })
  return live.length
}
