import { tables } from '../schema.ts'
import { all, first, type Statement, statement, type Values, type Work } from '../statement.ts'
import type { GrantOperations, RefreshToken, Rotation } from '../store.ts'
import { recordEvent } from './events.ts'
import { grantColumns, loadGrant, readGrant } from './read-grant.ts'
import { revokeGrant } from './revoke-grant.ts'

type RotationRequest = Parameters<GrantOperations['rotateRefreshToken']>[0]

interface NewRefreshToken {
  readonly hash: string
  readonly grantId: string
  readonly expiresAt: number
}

export const insertRefreshToken: Statement<NewRefreshToken, unknown> = statement(
  (slot: Values<NewRefreshToken>) =>
    tables.insertInto('refresh_tokens').values({
      hash: slot('hash'),
      grant_id: slot('grantId'),
      expires_at: slot('expiresAt'),
      used_at: null,
      successor_hash: null,
      sealed_successor: null,
      sealed_until: null,
    }),
)

const selectRefreshToken = statement((slot: Values<{ hash: string }>) =>
  tables
    .selectFrom('refresh_tokens as token')
    .innerJoin('grants', 'grants.id', 'token.grant_id')
    .select(['token.hash', 'token.expires_at', 'token.used_at', 'token.sealed_successor'])
    .select(grantColumns)
    .where('token.hash', '=', slot('hash')),
)

interface Taking {
  readonly hash: string
  readonly successorHash: string
  readonly sealedSuccessor: string
  readonly sealedUntil: number
  readonly now: number
}

const takeRefreshToken = statement((slot: Values<Taking>) =>
  tables
    .updateTable('refresh_tokens')
    .set({
      used_at: slot('now'),
      successor_hash: slot('successorHash'),
      sealed_successor: slot('sealedSuccessor'),
      sealed_until: slot('sealedUntil'),
    })
    .where('hash', '=', slot('hash'))
    .where('used_at', 'is', null)
    .where('expires_at', '>', slot('now'))
    .where('grant_id', 'in', (query) =>
      query
        .selectFrom('grants')
        .select('grants.id')
        .whereRef('grants.id', '=', 'refresh_tokens.grant_id')
        .where('grants.revoked_at', 'is', null),
    )
    .returning('grant_id'),
)

const forgetSealedInParent = statement((slot: Values<{ hash: string }>) =>
  tables
    .updateTable('refresh_tokens')
    .set({ sealed_successor: null, sealed_until: null })
    .where('successor_hash', '=', slot('hash')),
)

export function* loadRefreshToken(hash: string): Work<RefreshToken | undefined> {
  const row = yield* first(selectRefreshToken, { hash })
  if (row === undefined) return undefined
  return {
    hash: row.hash,
    grant: readGrant(row),
    expiresAt: row.expires_at,
    usedAt: row.used_at ?? undefined,
  }
}

export function* rotateRefreshToken(request: RotationRequest): Work<Rotation> {
  const { hash, successor, graceMs, now } = request
  const taken = yield* first(takeRefreshToken, {
    hash,
    successorHash: successor.hash,
    sealedSuccessor: successor.sealed,
    sealedUntil: now + graceMs,
    now,
  })
  if (taken === undefined) return yield* answerUsedToken(request)
  const grant = yield* loadGrant(taken.grant_id)
  yield* all(insertRefreshToken, { ...successor, grantId: grant.id })
  // The client has shown that it holds this token: who still presents its parent is not retrying but replaying.
  yield* all(forgetSealedInParent, { hash })
  yield* recordEvent('token.rotated', { grant: grant.id, user: grant.userId, client: grant.clientId }, now)
  return { outcome: 'rotated', grant }
}

function* answerUsedToken({ hash, graceMs, now }: RotationRequest): Work<Rotation> {
  const token = yield* first(selectRefreshToken, { hash })
  if (token === undefined) return { outcome: 'unknown' }
  const grant = readGrant(token)
  if (grant.revokedAt !== undefined) return { outcome: 'revoked' }
  if (token.used_at === null) return { outcome: 'expired' }
  const who = { grant: grant.id, user: grant.userId, client: grant.clientId }
  // A clock that was set back must not open the window again for long: the distance counts, in both directions.
  const isWithinGrace = Math.abs(now - token.used_at) < graceMs
  if (isWithinGrace && token.sealed_successor !== null) {
    yield* recordEvent('token.retried', who, now)
    return { outcome: 'retried', grant, sealedSuccessor: token.sealed_successor }
  }
  yield* recordEvent('token.replayed', who, now)
  yield* revokeGrant({ id: grant.id, because: 'refresh-token-replayed', now })
  return { outcome: 'replayed', grant: yield* loadGrant(grant.id) }
}
