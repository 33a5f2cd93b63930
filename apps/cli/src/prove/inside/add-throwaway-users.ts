import { randomBytes } from 'node:crypto'
import { addUser } from '@warder/authorization-server'
import type { Store } from '@warder/store'
import type { CaseUser } from './find-case.ts'

const day = 24 * 60 * 60_000

/**
 * Adds the user who signs in, and an owner, without whom nobody can. Only for a database that is thrown away: one password
 * for both, which nobody ever learns.
 */
export async function addThrowawayUsers(
  store: Store,
  { kind, name }: CaseUser,
): Promise<{ readonly email: string; readonly password: string }> {
  const now = Date.now()
  const password = randomBytes(24).toString('base64url')
  const email = kind === 'user' ? name : 'user@throwaway.invalid'
  const added = await addUser(store, { email, password, now })
  const user = added === 'taken' ? undefined : await store.users.loadById(added.id)
  if (user === undefined) throw new Error('the throwaway user could not be added')
  const owner = {
    id: 'throwaway-owner',
    email: kind === 'owner' ? name : 'owner@throwaway.invalid',
    passwordHash: user.passwordHash,
  }
  const linkHash = randomBytes(32).toString('base64url')
  await store.users.createOwnerLink({ hash: linkHash, expiresAt: now + day, now })
  const claimed = await store.users.claimOwner({ linkHash, user: owner, now })
  if (claimed !== 'made') throw new Error(`the throwaway owner could not be made: ${claimed}`)
  return { email: kind === 'owner' ? owner.email : email, password }
}
