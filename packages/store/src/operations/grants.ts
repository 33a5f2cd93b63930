import { tables } from '../schema.ts'
import { all, type Engine, first, statement, type Values, type Work } from '../statement.ts'
import type { Grant, GrantOperations } from '../store.ts'
import { changeScopes, revokeAndForget } from './change-scopes.ts'
import { recordChange } from './changes.ts'
import { countWrongVerifier, loadCode, redeemCode } from './codes.ts'
import { recordEvent } from './events.ts'
import { listGrantsInUse } from './grants-of-user.ts'
import { findGrant, grantColumns, readGrant } from './read-grant.ts'
import { loadRefreshToken, rotateRefreshToken } from './refresh-tokens.ts'
import { revokeAll } from './revoke-all.ts'
import { revokeGrant } from './revoke-grant.ts'

type AccessTokenRevocation = Parameters<GrantOperations['revokeAccessToken']>[0]

/** Guards accept a token for a moment after its end, since clocks differ; its revocation must outlive that. */
const clockToleranceMs = 5 * 60 * 1000

type GrantFilter = Parameters<GrantOperations['list']>[0]

/** Built for each call: a condition that is not there lets the indexes of the others work. */
function* list({ userId, clientId, live }: GrantFilter): Work<readonly Grant[]> {
  let query = tables.selectFrom('grants').select(grantColumns).orderBy('created_at').orderBy('id')
  if (userId !== undefined) query = query.where('user_id', '=', userId)
  if (clientId !== undefined) query = query.where('client_id', '=', clientId)
  if (live !== undefined) query = query.where('revoked_at', live ? 'is' : 'is not', null)
  return (yield* all(
    statement(() => query),
    {},
  )).map(readGrant)
}

const liveResources = statement(() =>
  tables
    .selectFrom('grants')
    .select('resource')
    .distinct()
    .where('revoked_at', 'is', null)
    .orderBy('resource'),
)

const tokenRevocation = statement((slot: Values<{ id: string }>) =>
  tables
    .selectFrom('changes')
    .select('number')
    .where('kind', '=', 'token-revoked')
    .where('subject', '=', slot('id')),
)

function* revokeAccessToken({ id, grantId, expiresAt, now }: AccessTokenRevocation): Work<void> {
  if (yield* first(tokenRevocation, { id })) return
  yield* recordChange('token-revoked', id, now, expiresAt + clockToleranceMs)
  yield* recordEvent('access-token.revoked', { token: id, grant: grantId }, now)
}

export function grants(engine: Engine): GrantOperations {
  return {
    loadCode: (hash) => engine.read(loadCode(hash)),
    countWrongVerifier: (hash, now) => engine.atomically(countWrongVerifier(hash, now)),
    redeemCode: (redemption) => engine.atomically(redeemCode(redemption)),
    loadRefreshToken: (hash) => engine.read(loadRefreshToken(hash)),
    rotateRefreshToken: (rotation) => engine.atomically(rotateRefreshToken(rotation)),
    load: (id) => engine.read(findGrant(id)),
    list: (filter) => engine.read(list(filter)),
    async listResources() {
      return (await engine.read(all(liveResources, {}))).map(({ resource }) => resource)
    },
    listInUse: (userId, now) => engine.read(listGrantsInUse(userId, now)),
    changeScopes: (change) => engine.atomically(changeScopes(change)),
    revokeAndForget: (revocation) => engine.atomically(revokeAndForget(revocation)),
    revoke: (id, because, now) => engine.atomically(revokeGrant({ id, because, now })),
    revokeAll: (revocation) => revokeAll(engine, revocation),
    revokeAccessToken: (token) => engine.atomically(revokeAccessToken(token)),
  }
}
