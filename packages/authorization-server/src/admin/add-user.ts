import type { Store } from '@warder/store'
import { checkNewPassword, readEmail } from '../checks/check-new-user.ts'
import { makePasswords } from '../passwords.ts'
import { makeId } from '../tokens/secret.ts'

/**
 * Adds a user who may sign in. Answers the user, or `taken` when the e-mail address is in use. Throws `email.malformed` and
 * `password.weak`. What the user may do is the policy file's business.
 */
export async function addUser(
  store: Pick<Store, 'users'>,
  user: { readonly email: string; readonly password: string; readonly now: number },
): Promise<{ readonly id: string; readonly email: string } | 'taken'> {
  const email = readEmail(user.email)
  const passwordHash = await makePasswords().hash(checkNewPassword(user.password))
  const id = makeId('wus_')
  return (await store.users.add({ id, email, passwordHash, now: user.now })) ? { id, email } : 'taken'
}
