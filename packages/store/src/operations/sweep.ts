import { tables } from '../schema.ts'
import { all, type Engine, type Statement, statement, type Values } from '../statement.ts'
import { longestAccessTokenMs } from './changes.ts'
import { rememberedFailuresMs } from './login-failures.ts'

/** One transaction takes no more rows than this, so that nobody waits long for the write lock. */
const batch = 500
const documentKeptMs = 30 * 24 * 60 * 60 * 1000

interface Times {
  readonly now: number
  /** What ended before this has no access token left. */
  readonly settled: number
  readonly forgetFailures: number
  readonly forgetDocuments: number
}

/** In this order: a grant goes after everything that refers to it. */
const steps: readonly Statement<Times, unknown>[] = [
  statement((slot: Values<Times>) =>
    tables
      .updateTable('refresh_tokens')
      .set({ sealed_successor: null, sealed_until: null })
      .where('hash', 'in', (query) =>
        query
          .selectFrom('refresh_tokens as old')
          .select('old.hash')
          .where('old.sealed_until', '<=', slot('now'))
          .limit(batch),
      )
      .returning('hash'),
  ),
  statement((slot: Values<Times>) =>
    tables
      .deleteFrom('refresh_tokens')
      .where('hash', 'in', (query) =>
        query
          .selectFrom('refresh_tokens as old')
          .select('old.hash')
          .where('old.expires_at', '<=', slot('settled'))
          .limit(batch),
      )
      .returning('hash'),
  ),
  // A redeemed code stays as long as its family, so that its replay is known for what it is.
  statement((slot: Values<Times>) =>
    tables
      .deleteFrom('codes')
      .where('hash', 'in', (query) =>
        query
          .selectFrom('codes as old')
          .select('old.hash')
          .where('old.expires_at', '<=', slot('settled'))
          .where((row) =>
            row.not(
              row.exists(
                row
                  .selectFrom('refresh_tokens')
                  .select('refresh_tokens.hash')
                  .whereRef('refresh_tokens.grant_id', '=', 'old.grant_id'),
              ),
            ),
          )
          .limit(batch),
      )
      .returning('hash'),
  ),
  statement((slot: Values<Times>) =>
    tables
      .deleteFrom('grants')
      .where('id', 'in', (query) =>
        query
          .selectFrom('grants as old')
          .select('old.id')
          .where('old.created_at', '<=', slot('settled'))
          .where((row) =>
            row.not(
              row.exists(
                row.selectFrom('codes').select('codes.hash').whereRef('codes.grant_id', '=', 'old.id'),
              ),
            ),
          )
          .where((row) =>
            row.not(
              row.exists(
                row
                  .selectFrom('refresh_tokens')
                  .select('refresh_tokens.hash')
                  .whereRef('refresh_tokens.grant_id', '=', 'old.id'),
              ),
            ),
          )
          .limit(batch),
      )
      .returning('id'),
  ),
  statement((slot: Values<Times>) =>
    tables.deleteFrom('transactions').where('expires_at', '<=', slot('now')),
  ),
  statement((slot: Values<Times>) => tables.deleteFrom('sessions').where('expires_at', '<=', slot('now'))),
  statement((slot: Values<Times>) => tables.deleteFrom('owner_links').where('expires_at', '<=', slot('now'))),
  statement((slot: Values<Times>) =>
    tables.deleteFrom('login_failures').where('last_at', '<=', slot('forgetFailures')),
  ),
  statement((slot: Values<Times>) => tables.deleteFrom('changes').where('until', '<=', slot('now'))),
  statement((slot: Values<Times>) =>
    tables.deleteFrom('client_documents').where('fresh_until', '<=', slot('forgetDocuments')),
  ),
]

/** Deletes what has expired, a batch a transaction. Housekeeping: it writes no event. */
export async function sweep(engine: Engine, now: number): Promise<void> {
  const times = {
    now,
    settled: now - longestAccessTokenMs,
    forgetFailures: now - rememberedFailuresMs,
    forgetDocuments: now - documentKeptMs,
  }
  for (const step of steps) {
    let taken: readonly unknown[]
    do taken = await engine.atomically(all(step, times))
    while (taken.length === batch)
  }
}
