import { tables } from '../schema.ts'
import { all, first, statement, type Values, type Work } from '../statement.ts'
import type { Grant, GrantOperations } from '../store.ts'
import { recordChange } from './changes.ts'
import { declineEverywhere, forgetDeclined, forgetGranted } from './consents.ts'
import { recordEvent } from './events.ts'
import { findGrant } from './read-grant.ts'
import { revokeGrant } from './revoke-grant.ts'

type ScopeChange = Parameters<GrantOperations['changeScopes']>[0]
type OwnRevocation = Parameters<GrantOperations['revokeAndForget']>[0]

const setScopes = statement((slot: Values<{ id: string; scopes: string }>) =>
  tables
    .updateTable('grants')
    .set({ scopes: slot('scopes') })
    .where('id', '=', slot('id')),
)

/**
 * Gives a live grant of this user other scopes. What was taken away counts as declined from now on, a decline of what was
 * added is forgotten, and guards hear of it: tokens with more than the grant has are dead.
 */
export function* changeScopes({ id, userId, scopes, now }: ScopeChange): Work<boolean> {
  const grant = yield* findOwnGrant(id, userId)
  if (grant === undefined) return false
  const removed = grant.scopes.filter((scope) => !scopes.includes(scope))
  const added = scopes.filter((scope) => !grant.scopes.includes(scope))
  if (removed.length === 0 && added.length === 0) return true
  yield* all(setScopes, { id, scopes: JSON.stringify(scopes) })
  yield* declineEverywhere(grant, removed, now)
  yield* forgetDeclined(grant, added, now)
  yield* recordChange('grant-changed', id, now)
  yield* recordEvent(
    'grant.changed',
    { grant: id, user: userId, client: grant.clientId, removed, added },
    now,
  )
  return true
}

/** Ends a live grant of this user, and forgets what the user said yes to: the client has to ask again. */
export function* revokeAndForget({ id, userId, because, now }: OwnRevocation): Work<boolean> {
  const grant = yield* findOwnGrant(id, userId)
  if (grant === undefined) return false
  yield* forgetGranted(grant)
  return yield* revokeGrant({ id, because, now })
}

const enabledUser = statement((slot: Values<{ userId: string }>) =>
  tables.selectFrom('users').select('id').where('id', '=', slot('userId')).where('disabled_at', 'is', null),
)

function* findOwnGrant(id: string, userId: string): Work<Grant | undefined> {
  if ((yield* first(enabledUser, { userId })) === undefined) return undefined
  const grant = yield* findGrant(id)
  return grant?.userId === userId && grant.revokedAt === undefined ? grant : undefined
}
