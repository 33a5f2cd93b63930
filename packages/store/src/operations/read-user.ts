import type { User } from '../store.ts'

/** What a query selects for `readUser`. */
export const userColumns = [
  'users.id',
  'users.email',
  'users.role',
  'users.password_hash',
  'users.created_at',
  'users.disabled_at',
] as const

interface UserRow {
  readonly id: string
  readonly email: string
  readonly role: User['role']
  readonly password_hash: string
  readonly created_at: number
  readonly disabled_at: number | null
}

export function readUser(row: UserRow): User {
  return {
    id: row.id,
    email: row.email,
    role: row.role,
    passwordHash: row.password_hash,
    createdAt: row.created_at,
    disabledAt: row.disabled_at ?? undefined,
  }
}
