import { Refusal } from '@warder/protocol'
import type { Store } from '@warder/store'
import { hashSecret, makeSecret } from '../tokens/secret.ts'

const lifetimeMs = 15 * 60_000

/** A new owner link, as a whole URL: fifteen minutes, single use, and earlier ones end. Throws `owner.exists`. */
export async function makeOwnerLink(options: {
  readonly store: Pick<Store, 'users'>
  readonly issuer: string
  /** Milliseconds since the epoch. */
  readonly now: number
}): Promise<string> {
  const { store, issuer, now } = options
  if (await store.users.hasOwner()) throw new Refusal('owner.exists')
  const link = makeSecret()
  await store.users.createOwnerLink({ hash: hashSecret(link), expiresAt: now + lifetimeMs, now })
  return `${issuer}/owner/${link}`
}
