import { tables } from '../schema.ts'
import { all, type Engine, type Statement, statement, type Values } from '../statement.ts'
import { longestAccessTokenMs } from './changes.ts'
import { rememberedFailuresMs } from './login-failures.ts'
import { batch, type Settled, sweepCodes, sweepTokens } from './sweep-grants.ts'

const documentKeptMs = 30 * 24 * 60 * 60 * 1000
/** Anybody may register a client, so what nobody consented to must not stay. */
const unusedClientKeptMs = 30 * 24 * 60 * 60 * 1000
/** All that are old are looked at, since most of them are in use. */
const betweenClientsMs = 60 * 60 * 1000

interface Times extends Settled {
  readonly now: number
  readonly forgetFailures: number
  readonly forgetDocuments: number
  readonly forgetClients: number
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
]

/** A client that is on its way to a consent stays. */
const deleteUnusedClients = statement((slot: Values<Times>) =>
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
)

/**
 * Makes the sweep of a store: it deletes what has expired, a batch a transaction. Housekeeping: it writes no event. A live
 * grant is not looked at again once its code has expired, so that a sweep costs what it deletes, however many grants there
 * are; only the first one in the life of a process passes over all of them. Clients are gone through once an hour.
 */
export function makeSweep(engine: Engine): (now: number) => Promise<void> {
  let codesSeen = 0
  let clientsSeen = Number.NEGATIVE_INFINITY
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
    while (codesSeen < times.settled) codesSeen = await sweepCodes(engine, times, codesSeen)
    for (const step of others) await repeat(engine, step, times)
    // After grants and transactions have gone.
    if (Math.abs(now - clientsSeen) < betweenClientsMs) return
    await repeat(engine, deleteUnusedClients, times)
    clientsSeen = now
  }
}

async function repeat(engine: Engine, step: Statement<Times, unknown>, times: Times): Promise<void> {
  let taken: readonly unknown[]
  do taken = await engine.atomically(all(step, times))
  while (taken.length === batch)
}
