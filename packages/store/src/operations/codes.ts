import { tables } from '../schema.ts'
import { all, first, statement, type Values, type Work } from '../statement.ts'
import type { Code, GrantOperations } from '../store.ts'
import { recordEvent } from './events.ts'
import { grantColumns, loadGrant, readGrant } from './read-grant.ts'
import { insertRefreshToken } from './refresh-tokens.ts'
import { revokeGrant } from './revoke-grant.ts'

type Redemption = Parameters<GrantOperations['redeemCode']>[0]
type RedemptionOutcome = Awaited<ReturnType<GrantOperations['redeemCode']>>

const deadlyWrongVerifiers = 5

const selectCode = statement((slot: Values<{ hash: string }>) =>
  tables
    .selectFrom('codes')
    .innerJoin('grants', 'grants.id', 'codes.grant_id')
    .select([
      'codes.hash',
      'codes.redirect_uri',
      'codes.challenge',
      'codes.expires_at',
      'codes.redeemed_at',
      'codes.wrong_verifiers',
    ])
    .select(grantColumns)
    .where('codes.hash', '=', slot('hash')),
)

const takeCode = statement((slot: Values<{ hash: string; now: number }>) =>
  tables
    .updateTable('codes')
    .set({ redeemed_at: slot('now') })
    .where('hash', '=', slot('hash'))
    .where('redeemed_at', 'is', null)
    .where('expires_at', '>', slot('now'))
    .where('wrong_verifiers', '<', deadlyWrongVerifiers)
    .where('grant_id', 'in', (query) =>
      query
        .selectFrom('grants')
        .select('grants.id')
        .whereRef('grants.id', '=', 'codes.grant_id')
        .where('grants.revoked_at', 'is', null),
    )
    .returning('grant_id'),
)

const addWrongVerifier = statement((slot: Values<{ hash: string }>) =>
  tables
    .updateTable('codes')
    .set((column) => ({ wrong_verifiers: column('wrong_verifiers', '+', 1) }))
    .where('hash', '=', slot('hash'))
    .where('redeemed_at', 'is', null)
    .returning(['grant_id', 'wrong_verifiers']),
)

export function* loadCode(hash: string): Work<Code | undefined> {
  const row = yield* first(selectCode, { hash })
  if (row === undefined) return undefined
  return {
    hash: row.hash,
    grant: readGrant(row),
    redirectUri: row.redirect_uri,
    challenge: row.challenge,
    expiresAt: row.expires_at,
    redeemedAt: row.redeemed_at ?? undefined,
    wrongVerifiers: row.wrong_verifiers,
  }
}

export function* countWrongVerifier(hash: string, now: number): Work<void> {
  const counted = yield* first(addWrongVerifier, { hash })
  if (counted === undefined) return
  const details = { grant: counted.grant_id, wrongVerifiers: counted.wrong_verifiers }
  yield* recordEvent('code.wrong-verifier', details, now)
}

export function* redeemCode({ codeHash: hash, refreshToken, now }: Redemption): Work<RedemptionOutcome> {
  const taken = yield* first(takeCode, { hash, now })
  if (taken === undefined) return yield* refuseCode(hash, now)
  const grant = yield* loadGrant(taken.grant_id)
  if (refreshToken) yield* all(insertRefreshToken, { ...refreshToken, grantId: grant.id })
  yield* recordEvent('code.redeemed', { grant: grant.id, user: grant.userId, client: grant.clientId }, now)
  return { outcome: 'redeemed', grant }
}

function* refuseCode(hash: string, now: number): Work<RedemptionOutcome> {
  const code = yield* loadCode(hash)
  if (code === undefined) return { outcome: 'unknown' }
  const { grant } = code
  if (grant.revokedAt !== undefined) return { outcome: 'revoked', grant }
  if (code.redeemedAt === undefined) return { outcome: 'expired', grant }
  yield* recordEvent('code.replayed', { grant: grant.id, user: grant.userId, client: grant.clientId }, now)
  yield* revokeGrant({ id: grant.id, because: 'code-replayed', now })
  return { outcome: 'replayed', grant: yield* loadGrant(grant.id) }
}
