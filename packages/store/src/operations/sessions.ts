import { tables } from '../schema.ts'
import { all, type Engine, first, statement, type Values, type Work } from '../statement.ts'
import type { NewSession, Session, SessionOperations } from '../store.ts'
import { recordEvent } from './events.ts'
import { readUser, userColumns } from './read-user.ts'

const insertSession = statement((slot: Values<NewSession>) =>
  tables
    .insertInto('sessions')
    .columns(['hash', 'user_id', 'signed_in_at', 'expires_at'])
    .expression(
      tables
        .selectFrom('users')
        .select((column) => [
          slot('hash').as('hash'),
          column.ref('users.id').as('user_id'),
          slot('signedInAt').as('signed_in_at'),
          slot('expiresAt').as('expires_at'),
        ])
        .where('users.id', '=', slot('userId'))
        .where('users.password_hash', '=', slot('passwordHash'))
        .where('users.disabled_at', 'is', null),
    )
    .returning('hash'),
)

/** What makes a session live, in one place. */
const selectLive = (slot: Values<{ hash: string; now: number }>) =>
  tables
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select([
      'sessions.hash',
      'sessions.user_id as userId',
      'sessions.signed_in_at as signedInAt',
      'sessions.expires_at as expiresAt',
    ])
    .where('sessions.hash', '=', slot('hash'))
    .where('sessions.expires_at', '>', slot('now'))
    .where('users.disabled_at', 'is', null)

const liveSession = statement(selectLive)
const liveSessionWithUser = statement((slot: Values<{ hash: string; now: number }>) =>
  selectLive(slot).select(userColumns),
)

const liveSessionsOfUser = statement((slot: Values<{ userId: string; now: number }>) =>
  tables
    .selectFrom('sessions')
    .select(['hash', 'user_id as userId', 'signed_in_at as signedInAt', 'expires_at as expiresAt'])
    .where('user_id', '=', slot('userId'))
    .where('expires_at', '>', slot('now'))
    .orderBy('signed_in_at', 'desc')
    .orderBy('hash'),
)

const deleteSession = statement((slot: Values<{ hash: string }>) =>
  tables.deleteFrom('sessions').where('hash', '=', slot('hash')).returning('user_id'),
)

function* create(session: NewSession): Work<boolean> {
  if ((yield* first(insertSession, session)) === undefined) return false
  yield* recordEvent('session.begun', { user: session.userId }, session.now)
  return true
}

function* end(hash: string, now: number): Work<void> {
  const ended = yield* first(deleteSession, { hash })
  if (ended) yield* recordEvent('session.ended', { user: ended.user_id }, now)
}

/** Only a live one, of a user who is not disabled. */
export function* loadSession(hash: string, now: number): Work<Session | undefined> {
  return yield* first(liveSession, { hash, now })
}

export function sessions(engine: Engine): SessionOperations {
  return {
    create: (session) => engine.atomically(create(session)),
    load: (hash, now) => engine.read(loadSession(hash, now)),
    async loadWithUser(hash, now) {
      const row = await engine.read(first(liveSessionWithUser, { hash, now }))
      if (row === undefined) return undefined
      const { userId, signedInAt, expiresAt } = row
      return { session: { hash, userId, signedInAt, expiresAt }, user: readUser(row) }
    },
    list: (userId, now) => engine.read(all(liveSessionsOfUser, { userId, now })),
    end: (hash, now) => engine.atomically(end(hash, now)),
  }
}
