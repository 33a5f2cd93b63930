import { tables } from '../schema.ts'
import { all, type Engine, statement, type Values, type Work } from '../statement.ts'
import type { EventOperations } from '../store.ts'

const insertEvent = statement((slot: Values<{ at: number; kind: string; details: string }>) =>
  tables.insertInto('events').values({ at: slot('at'), kind: slot('kind'), details: slot('details') }),
)

const eventsAfter = statement((slot: Values<{ number: number; limit: number }>) =>
  tables
    .selectFrom('events')
    .select(['number', 'at', 'kind', 'details'])
    .where('number', '>', slot('number'))
    .orderBy('number')
    .limit(slot('limit')),
)

/** What an event tells; it names no secret and no hash of one. */
type Details = Readonly<Record<string, unknown>>

/** Writes one event as part of an operation. */
export function* recordEvent(kind: string, details: Details, now: number): Work<void> {
  yield* all(insertEvent, { at: now, kind, details: JSON.stringify(details) })
}

/** Writes an event of one kind for each of these, as part of an operation. */
export function* recordEvents(kind: string, each: readonly Details[], now: number): Work<void> {
  const rows = each.map((details) => ({ at: now, kind, details: JSON.stringify(details) }))
  yield* all(
    statement(() => tables.insertInto('events').values(rows)),
    {},
  )
}

export function events(engine: Engine): EventOperations {
  return {
    record: (kind, details, now) => engine.atomically(recordEvent(kind, details, now)),
    listAfter: (number, limit) => engine.read(all(eventsAfter, { number, limit })),
  }
}
