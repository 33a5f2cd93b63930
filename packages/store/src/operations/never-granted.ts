import { sql } from 'kysely'
import { tables } from '../schema.ts'
import { all, first, statement, type Values, type Work } from '../statement.ts'
import { recordEvent } from './events.ts'

/** Of those that nobody ever consented to, so many stay; strangers make them. */
const neverGrantedKept = 2_000

/** The kind stands there as it is, not as a value for later, so that the index of these few is used. */
const neverGranted = tables
  .selectFrom('clients')
  .where('clients.kind', '=', sql.lit('self-registered' as const))
  .where('clients.first_granted_at', 'is', null)

const countNeverGranted = statement(() =>
  neverGranted.select((row) => row.fn.countAll<number | string>().as('count')),
)

/** One that is on its way to a consent neither goes nor counts, and no more does one that somebody said no to. */
const dropOldestNeverGranted = statement(() =>
  tables.deleteFrom('clients').where('id', 'in', () =>
    neverGranted
      .select('clients.id')
      .where((row) =>
        row.and(
          (['consents', 'transactions'] as const).map((table) =>
            row.not(
              row.exists(
                row
                  .selectFrom(table)
                  .select(`${table}.client_id`)
                  .whereRef(`${table}.client_id`, '=', 'clients.id'),
              ),
            ),
          ),
        ),
      )
      .orderBy('clients.created_at', 'desc')
      .orderBy('clients.id', 'desc')
      .limit(neverGrantedKept)
      .offset(neverGrantedKept),
  ),
)

const setFirstGrant = statement((slot: Values<{ clientId: string; now: number }>) =>
  tables
    .updateTable('clients')
    .set({ first_granted_at: slot('now') })
    .where('id', '=', slot('clientId'))
    .where('kind', '=', 'self-registered')
    .where('first_granted_at', 'is', null)
    .returning(['id as client', 'kind']),
)

/** After a client has registered itself: of too many that nobody ever consented to, the oldest go. */
export function* dropFloodOfClients(): Work<void> {
  const counted = yield* first(countNeverGranted, {})
  if (Number(counted?.count) > neverGrantedKept) yield* all(dropOldestNeverGranted, {})
}

/** When a grant is made: with its first one a client that registered itself is there to stay, and an event. */
export function* noteFirstGrant(clientId: string, now: number): Work<void> {
  const added = yield* first(setFirstGrant, { clientId, now })
  if (added !== undefined) yield* recordEvent('client.added', added, now)
}
