import { sql } from 'kysely'
import { tables } from '../schema.ts'
import { all, statement, type Values, type Work } from '../statement.ts'
import type { GrantInUse } from '../store.ts'
import { longestAccessTokenMs } from './changes.ts'
import { grantColumns, readGrant } from './read-grant.ts'

const grantsInUse = statement((slot: Values<{ userId: string; now: number; settled: number }>) =>
  tables
    .selectFrom('grants')
    .select(grantColumns)
    .select((row) =>
      row
        .selectFrom('refresh_tokens')
        .select(sql<number | null>`max(refresh_tokens.used_at)`.as('last'))
        .whereRef('refresh_tokens.grant_id', '=', 'grants.id')
        .as('last_refreshed_at'),
    )
    .where('grants.user_id', '=', slot('userId'))
    .where('grants.revoked_at', 'is', null)
    .where((row) =>
      row.or([
        row('grants.created_at', '>', slot('settled')),
        row.exists(
          row
            .selectFrom('refresh_tokens as token')
            .select('token.hash')
            .whereRef('token.grant_id', '=', 'grants.id')
            .where('token.used_at', 'is', null)
            .where('token.expires_at', '>', slot('now')),
        ),
      ]),
    )
    .orderBy('grants.created_at', 'desc')
    .orderBy('grants.id'),
)

/** The grants of a user that can still be used: with a refresh token, or so young that an access token may be alive. */
export function* listGrantsInUse(userId: string, now: number): Work<readonly GrantInUse[]> {
  const rows = yield* all(grantsInUse, { userId, now, settled: now - longestAccessTokenMs })
  return rows.map((row) => ({ ...readGrant(row), lastRefreshedAt: row.last_refreshed_at ?? undefined }))
}
