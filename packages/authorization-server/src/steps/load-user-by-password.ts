import { Refusal } from '@warder/protocol'
import type { User } from '@warder/store'
import { readPeerKey } from '../peer-key.ts'
import type { Services } from '../services.ts'
import { hashSecret } from '../tokens/secret.ts'

/**
 * The user with this e-mail address and password, else `login.wrong`; one answer, and one amount of work, for unknown addresses,
 * disabled users and wrong passwords. Failures count for the account and for the peer's address.
 */
export async function loadUserByPassword(
  { store, passwords, now }: Pick<Services, 'store' | 'passwords' | 'now'>,
  email: string,
  password: string,
  address: string,
): Promise<User> {
  // Hashed, so that what somebody typed by mistake (a password, say) does not stand in the database.
  const account = `account:${hashSecret(email)}`
  const keys = [account, `address:${readPeerKey(address)}`]
  const user = email.length > 320 || password.length > 1024 ? undefined : await store.users.loadByEmail(email)
  const accepted = await passwords.verify(
    user?.disabledAt === undefined ? user?.passwordHash : undefined,
    password.slice(0, 1024),
    {
      async mayTry() {
        for (const key of keys) {
          const wait = (await store.users.loadLoginBlock(key)) - now()
          if (wait > 0) throw new Refusal('login.throttled', { retryAfter: Math.ceil(wait / 1000) })
        }
      },
      async failed() {
        for (const key of keys) await store.users.countLoginFailure(key, now())
      },
    },
  )
  if (!accepted || user === undefined) throw new Refusal('login.wrong')
  // The address keeps its count: one right password does not buy an attacker more guesses at other accounts.
  await store.users.clearLoginFailures(account)
  return user
}
