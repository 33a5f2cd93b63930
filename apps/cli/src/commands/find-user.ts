import type { Store, User } from '@warder/store'
import { Problem } from '../problem.ts'

/** The user with this e-mail address, however it is capitalised; a Problem when there is none. */
export async function findUser(store: Pick<Store, 'users'>, email: string): Promise<User> {
  const user = await store.users.loadByEmail(email.trim().toLowerCase())
  if (user === undefined) throw new Problem(`there is no user ${email}. See: warder user list`)
  return user
}
