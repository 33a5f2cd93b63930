import { type ChangeKind, tables } from '../schema.ts'
import { all, type Engine, first, statement, type Values, type Work } from '../statement.ts'
import type { ChangeOperations } from '../store.ts'

/** No access token lives longer, so nothing depends on an older revocation. */
export const longestAccessTokenMs: number = 60 * 60 * 1000

const takeNumber = statement(() =>
  tables
    .updateTable('change_counter')
    .set((column) => ({ number: column('number', '+', 1) }))
    .returning('number'),
)

const insertChange = statement(
  (slot: Values<{ number: number; kind: ChangeKind; subject: string; at: number; until: number }>) =>
    tables.insertInto('changes').values({
      number: slot('number'),
      kind: slot('kind'),
      subject: slot('subject'),
      at: slot('at'),
      until: slot('until'),
    }),
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

/**
 * Writes one change as part of an operation. Its number comes from a row that stays locked until the commit, so numbers
 * become visible in order: who has read up to a number has missed none before it.
 */
export function* recordChange(
  kind: ChangeKind,
  subject: string,
  now: number,
  until: number = now + longestAccessTokenMs,
): Work<void> {
  const taken = yield* first(takeNumber, {})
  if (taken === undefined) throw new Error('the change counter is gone')
  yield* all(insertChange, { number: taken.number, kind, subject, at: now, until })
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
