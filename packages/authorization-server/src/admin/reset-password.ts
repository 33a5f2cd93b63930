import type { Store } from '@warder/store'
import { checkNewPassword } from '../checks/check-new-user.ts'
import { makePasswords } from '../passwords.ts'

/**
 * Gives a user a new password and ends every grant, session and sign-in: whoever knew the old one is out. Answers whether
 * there is such a user. Throws `password.weak`.
 */
export async function resetPassword(
  store: Pick<Store, 'users'>,
  reset: { readonly id: string; readonly password: string; readonly now: number },
): Promise<boolean> {
  const passwordHash = await makePasswords().hash(checkNewPassword(reset.password))
  return store.users.setPassword(reset.id, passwordHash, reset.now)
}
