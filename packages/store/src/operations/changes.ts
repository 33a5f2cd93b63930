import { type ChangeKind, tables } from '../schema.ts'
import { all, type Engine, first, statement, type Values, type Work } from '../statement.ts'
import type { ChangeOperations } from '../store.ts'

/** No access token lives longer, so nothing depends on an older revocation. */
export const longestAccessTokenMs: number = 60 * 60 * 1000

const takeNumbers = statement((slot: Values<{ count: number }>) =>
  tables
    .updateTable('change_counter')
    .set((column) => ({ number: column('number', '+', slot('count')) }))
    .returning('number'),
)

const lastNumber = statement(() => tables.selectFrom('change_counter').select('number'))

const changesAfter = statement((slot: Values<{ number: number; limit: number }>) =>
  tables
    .selectFrom('changes')
    .select(['number', 'kind', 'subject', 'at', 'until'])
    .where('number', '>', slot('number'))
    .orderBy('number')
    .limit(slot('limit')),
)

/** Writes one change as part of an operation. */
export function recordChange(
  kind: ChangeKind,
  subject: string,
  now: number,
  until: number = now + longestAccessTokenMs,
): Work<void> {
  return recordChanges(kind, [subject], now, until)
}

/**
 * Writes a change of each of these as part of an operation. Their numbers come from a row that stays locked until the commit,
 * so numbers become visible in order: who has read up to a number has missed none before it.
 */
export function* recordChanges(
  kind: ChangeKind,
  subjects: readonly string[],
  now: number,
  until: number = now + longestAccessTokenMs,
): Work<void> {
  const taken = yield* first(takeNumbers, { count: subjects.length })
  if (taken === undefined) throw new Error('the change counter is gone')
  const before = taken.number - subjects.length
  const changes = subjects.map((subject, at) => ({ number: before + 1 + at, kind, subject, at: now, until }))
  yield* all(
    statement(() => tables.insertInto('changes').values(changes)),
    {},
  )
}

export function changes(engine: Engine): ChangeOperations {
  return {
    async lastNumber() {
      const row = await engine.read(first(lastNumber, {}))
      if (row === undefined) throw new Error('the change counter is gone')
      return row.number
    },
    listAfter: (number, limit) => engine.read(all(changesAfter, { number, limit })),
  }
}
