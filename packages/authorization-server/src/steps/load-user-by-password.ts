import { Refusal } from '@warder/protocol'
import type { User } from '@warder/store'
import type { WebRequest } from '../message.ts'
import { readPeerKey } from '../peer-key.ts'
import type { Services } from '../services.ts'
import { hashSecret } from '../tokens/secret.ts'

/**
 * The user with this e-mail address and password, else `login.wrong`; one answer, and one amount of work, for unknown addresses,
 * disabled users and wrong passwords. Failures count for the account and for the peer's address, or for the browser alone where
 * this user has signed in with it before.
 */
export async function loadUserByPassword(
  { store, passwords, devices, now }: Pick<Services, 'store' | 'passwords' | 'devices' | 'now'>,
  attempt: {
    readonly email: string
    readonly password: string
    readonly address: string
    /** Only its cookies are read. */
    readonly request: WebRequest
  },
): Promise<User> {
  const { email, password, address, request } = attempt
  const user = password.length > 1024 ? undefined : await store.users.loadByEmail(email)
  const device = user === undefined ? undefined : devices.find(request, user)
  // Hashed, so that what somebody typed by mistake (a password, say) does not stand in the database.
  const account = `account:${hashSecret(email)}`
  const keys = device === undefined ? [account, `address:${readPeerKey(address)}`] : [device]
  const mayTry = async (): Promise<void> => {
    for (const key of keys) {
      const wait = await store.users.loadLoginBlock(key, now())
      if (wait > 0) throw new Refusal('login.throttled', { retryAfter: Math.ceil(wait / 1000) })
    }
  }
  // Whoever is blocked takes nobody's place in the queue either.
  await mayTry()
  const accepted = await passwords.verify(
    user?.disabledAt === undefined ? user?.passwordHash : undefined,
    password.slice(0, 1024),
    {
      isKnown: device !== undefined,
      mayTry,
      async failed() {
        for (const key of keys) await store.users.countLoginFailure(key, now())
      },
    },
  )
  if (!accepted || user === undefined) throw new Refusal('login.wrong')
  // The address keeps its count: one right password does not buy an attacker more guesses at other accounts. Nor does a known
  // browser give those who guess from elsewhere new attempts.
  await store.users.clearLoginFailures(device ?? account)
  return user
}
