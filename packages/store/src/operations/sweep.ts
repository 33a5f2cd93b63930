import { tables } from '../schema.ts'
import { all, type Engine, type Statement, statement, type Values, type Work } from '../statement.ts'
import { longestAccessTokenMs } from './changes.ts'
import { rememberedFailuresMs } from './login-failures.ts'

/** One transaction takes no more rows than this, so that nobody waits long for the write lock. */
const batch = 500
const documentKeptMs = 30 * 24 * 60 * 60 * 1000
/** Anybody may register a client, so what nobody consented to must not stay. */
const unusedClientKeptMs = 30 * 24 * 60 * 60 * 1000

interface Times {
  readonly now: number
  /** What ended before this has no access token left. */
  readonly settled: number
  readonly forgetFailures: number
  readonly forgetDocuments: number
  readonly forgetClients: number
}

const deleteTokens = statement((slot: Values<Times>) =>
  tables
    .deleteFrom('refresh_tokens')
    .where('hash', 'in', (query) =>
      query
        .selectFrom('refresh_tokens as old')
        .select('old.hash')
        .where('old.expires_at', '<=', slot('settled'))
        .limit(batch),
    )
    .returning('grant_id'),
)

/** Codes that have expired since the sweep before, up to a batch of them. */
const selectCodes = statement((slot: Values<Times & { after: number }>) =>
  tables
    .selectFrom('codes')
    .select(['grant_id', 'expires_at'])
    .where('expires_at', '>', slot('after'))
    .where('expires_at', '<=', slot('settled'))
    .orderBy('expires_at')
    .limit(batch),
)

const selectCodesOf = statement((slot: Values<{ expiresAt: number }>) =>
  tables.selectFrom('codes').select('grant_id').where('expires_at', '=', slot('expiresAt')),
)

// A redeemed code stays as long as its family, so that its replay is known for what it is.
const deleteCodesOfGrant = statement((slot: Values<{ grantId: string; settled: number }>) =>
  tables
    .deleteFrom('codes')
    .where('grant_id', '=', slot('grantId'))
    .where('expires_at', '<=', slot('settled'))
    .where((row) =>
      row.not(
        row.exists(
          row
            .selectFrom('refresh_tokens')
            .select('refresh_tokens.hash')
            .where('refresh_tokens.grant_id', '=', slot('grantId')),
        ),
      ),
    ),
)

const deleteGrant = statement((slot: Values<{ grantId: string }>) =>
  tables
    .deleteFrom('grants')
    .where('id', '=', slot('grantId'))
    .where((row) =>
      row.and(
        (['codes', 'refresh_tokens'] as const).map((table) =>
          row.not(
            row.exists(
              row.selectFrom(table).select(`${table}.hash`).where(`${table}.grant_id`, '=', slot('grantId')),
            ),
          ),
        ),
      ),
    ),
)

/** Deletes what is left of these grants when nothing of them can be used or replayed any more. */
function* deleteEnded(grantIds: Iterable<string>, { settled }: Times): Work<void> {
  for (const grantId of new Set(grantIds)) {
    yield* all(deleteCodesOfGrant, { grantId, settled })
    yield* all(deleteGrant, { grantId })
  }
}

/** A batch of refresh tokens that have expired, and with the last one of a grant the grant. Answers how many tokens. */
function* sweepTokens(times: Times): Work<number> {
  const deleted = yield* all(deleteTokens, times)
  yield* deleteEnded(deleted.map(grantOf), times)
  return deleted.length
}

/** Looks at a batch of codes that have expired after a time, and answers up to which time it came. */
function* sweepCodes(times: Times, after: number): Work<number> {
  const expired = yield* all(selectCodes, { ...times, after })
  const last = expired.at(-1)?.expires_at
  if (last === undefined || expired.length < batch) {
    yield* deleteEnded(expired.map(grantOf), times)
    return times.settled
  }
  // A batch may end amid codes of the same millisecond.
  const atLast = yield* all(selectCodesOf, { expiresAt: last })
  yield* deleteEnded([...expired, ...atLast].map(grantOf), times)
  return last
}

function grantOf({ grant_id }: { readonly grant_id: string }): string {
  return grant_id
}

const forgetSealed = statement((slot: Values<Times>) =>
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
)

/** All that stands by itself. */
const others: readonly Statement<Times, unknown>[] = [
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
  // After grants and transactions have gone: a client that is on its way to a consent stays.
  statement((slot: Values<Times>) =>
    tables
      .deleteFrom('clients')
      .where('id', 'in', (query) =>
        query
          .selectFrom('clients as old')
          .select('old.id')
          .where('old.kind', '=', 'self-registered')
          .where('old.created_at', '<=', slot('forgetClients'))
          .where((row) =>
            row.and(
              (['grants', 'consents', 'transactions'] as const).map((table) =>
                row.not(
                  row.exists(
                    row
                      .selectFrom(table)
                      .select(`${table}.client_id`)
                      .whereRef(`${table}.client_id`, '=', 'old.id'),
                  ),
                ),
              ),
            ),
          )
          .limit(batch),
      )
      .returning('id'),
  ),
]

/**
 * Makes the sweep of a store: it deletes what has expired, a batch a transaction. Housekeeping: it writes no event. A live
 * grant is not looked at again once its code has expired, so that a sweep costs what it deletes, however many grants there
 * are; only the first one in the life of a process passes over all of them.
 */
export function makeSweep(engine: Engine): (now: number) => Promise<void> {
  let codesSeen = 0
  return async (now) => {
    const times = {
      now,
      settled: now - longestAccessTokenMs,
      forgetFailures: now - rememberedFailuresMs,
      forgetDocuments: now - documentKeptMs,
      forgetClients: now - unusedClientKeptMs,
    }
    await repeat(engine, forgetSealed, times)
    while ((await engine.atomically(sweepTokens(times))) === batch);
    // After a clock that was set back, codes expire anew.
    codesSeen = Math.min(codesSeen, times.settled)
    while (codesSeen < times.settled) codesSeen = await engine.atomically(sweepCodes(times, codesSeen))
    for (const step of others) await repeat(engine, step, times)
  }
}

async function repeat(engine: Engine, step: Statement<Times, unknown>, times: Times): Promise<void> {
  let taken: readonly unknown[]
  do taken = await engine.atomically(all(step, times))
  while (taken.length === batch)
}
