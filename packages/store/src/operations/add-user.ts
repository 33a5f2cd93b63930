import { tables } from '../schema.ts'
import { all, statement, type Values, type Work } from '../statement.ts'
import type { NewUser, User } from '../store.ts'
import { recordChange } from './changes.ts'
import { recordEvent } from './events.ts'

const insertUser = statement((slot: Values<NewUser & { role: User['role']; now: number }>) =>
  tables.insertInto('users').values({
    id: slot('id'),
    email: slot('email'),
    role: slot('role'),
    password_hash: slot('passwordHash'),
    created_at: slot('now'),
    disabled_at: null,
  }),
)

/** Makes a user as part of an operation; throws when the id or the e-mail is taken. */
export function* addUser(user: NewUser, role: User['role'], now: number): Work<void> {
  yield* all(insertUser, { ...user, role, now })
  yield* recordChange('user-added', user.id, now)
  yield* recordEvent('user.added', { user: user.id, role }, now)
}
