import { tables } from '../schema.ts'
import { all, type Engine, first, statement, type Values, type Work } from '../statement.ts'
import type { NewUser, UserOperations } from '../store.ts'
import { addUser } from './add-user.ts'
import { recordChange } from './changes.ts'
import { forgetGrantedOfUser } from './consents.ts'
import { recordEvent } from './events.ts'
import { loginFailures } from './login-failures.ts'
import { owner } from './owner.ts'
import { readUser, userColumns } from './read-user.ts'
import { revokeGrantsOfUser } from './revoke-grant.ts'

const selectUsers = tables.selectFrom('users').select(userColumns)
const userById = statement((slot: Values<{ id: string }>) => selectUsers.where('id', '=', slot('id')))
const userByEmail = statement((slot: Values<{ email: string }>) =>
  selectUsers.where('email', '=', slot('email')),
)
const allUsers = statement(() => selectUsers.orderBy('created_at').orderBy('id'))

const updatePassword = statement((slot: Values<{ id: string; passwordHash: string }>) =>
  tables
    .updateTable('users')
    .set({ password_hash: slot('passwordHash') })
    .where('id', '=', slot('id'))
    .returning('id'),
)

const updateDisabled = statement((slot: Values<{ id: string; disabledAt: number | null }>) =>
  tables
    .updateTable('users')
    .set({ disabled_at: slot('disabledAt') })
    .where('id', '=', slot('id')),
)

const endSessions = statement((slot: Values<{ id: string }>) =>
  tables.deleteFrom('sessions').where('user_id', '=', slot('id')),
)

const endTransactions = statement((slot: Values<{ id: string }>) =>
  tables.deleteFrom('transactions').where('user_id', '=', slot('id')),
)

function* add(user: NewUser & { now: number }): Work<boolean> {
  if (yield* first(userByEmail, user)) return false
  yield* addUser(user, 'user', user.now)
  return true
}

function* endEverything(id: string, because: string, now: number): Work<void> {
  yield* all(endSessions, { id })
  yield* all(endTransactions, { id })
  // Else a client that an intruder said yes to would get its next grant without anybody being asked.
  yield* forgetGrantedOfUser(id)
  yield* revokeGrantsOfUser(id, because, now)
}

function* setPassword(id: string, passwordHash: string, now: number): Work<boolean> {
  if ((yield* first(updatePassword, { id, passwordHash })) === undefined) return false
  yield* recordEvent('user.password-set', { user: id }, now)
  yield* endEverything(id, 'password-set', now)
  return true
}

function* setDisabled(id: string, disabled: boolean, now: number): Work<boolean> {
  const user = yield* first(userById, { id })
  if (user === undefined) return false
  if ((user.disabled_at !== null) === disabled) return true
  yield* all(updateDisabled, { id, disabledAt: disabled ? now : null })
  yield* recordChange(disabled ? 'user-disabled' : 'user-enabled', id, now)
  yield* recordEvent(disabled ? 'user.disabled' : 'user.enabled', { user: id }, now)
  if (disabled) yield* endEverything(id, 'user-disabled', now)
  return true
}

export function users(engine: Engine): UserOperations {
  return {
    ...owner(engine),
    ...loginFailures(engine),
    add: (user) => engine.atomically(add(user)),
    async loadById(id) {
      const row = await engine.read(first(userById, { id }))
      return row && readUser(row)
    },
    async loadByEmail(email) {
      const row = await engine.read(first(userByEmail, { email }))
      return row && readUser(row)
    },
    async list() {
      return (await engine.read(all(allUsers, {}))).map(readUser)
    },
    setPassword: (id, passwordHash, now) => engine.atomically(setPassword(id, passwordHash, now)),
    setDisabled: (id, disabled, now) => engine.atomically(setDisabled(id, disabled, now)),
  }
}
