import { tables } from '../schema.ts'
import { all, type Engine, first, statement, type Values, type Work } from '../statement.ts'
import type { NewUser, UserOperations } from '../store.ts'
import { addUser } from './add-user.ts'
import { recordEvent } from './events.ts'

interface NewLink {
  readonly hash: string
  readonly expiresAt: number
  readonly now: number
}

const deleteLinks = statement(() => tables.deleteFrom('owner_links'))

const insertLink = statement((slot: Values<NewLink>) =>
  tables
    .insertInto('owner_links')
    .values({ hash: slot('hash'), expires_at: slot('expiresAt'), created_at: slot('now') }),
)

const liveLink = statement((slot: Values<{ hash: string; now: number }>) =>
  tables
    .selectFrom('owner_links')
    .select('hash')
    .where('hash', '=', slot('hash'))
    .where('expires_at', '>', slot('now')),
)

const takeLink = statement((slot: Values<{ hash: string; now: number }>) =>
  tables
    .deleteFrom('owner_links')
    .where('hash', '=', slot('hash'))
    .where('expires_at', '>', slot('now'))
    .returning('hash'),
)

const selectOwner = statement(() => tables.selectFrom('users').select('id').where('role', '=', 'owner'))

const userWithEmail = statement((slot: Values<{ email: string }>) =>
  tables.selectFrom('users').select('id').where('email', '=', slot('email')),
)

function* createLink(link: NewLink): Work<void> {
  yield* all(deleteLinks, {})
  yield* all(insertLink, link)
  yield* recordEvent('owner.link-made', { expiresAt: link.expiresAt }, link.now)
}

function* claim({
  linkHash: hash,
  user,
  now,
}: {
  linkHash: string
  user: NewUser
  now: number
}): Work<Awaited<ReturnType<UserOperations['claimOwner']>>> {
  // A slip of the keyboard must not cost the only link.
  if ((yield* first(liveLink, { hash, now })) && (yield* first(userWithEmail, user))) return 'email-taken'
  if ((yield* first(takeLink, { hash, now })) === undefined) return 'link-invalid'
  if (yield* first(selectOwner, {})) return 'owner-exists'
  yield* addUser(user, 'owner', now)
  return 'made'
}

export type OwnerOperations = Pick<
  UserOperations,
  'createOwnerLink' | 'isOwnerLinkAlive' | 'claimOwner' | 'hasOwner'
>

export function owner(engine: Engine): OwnerOperations {
  return {
    createOwnerLink: (link) => engine.atomically(createLink(link)),
    async isOwnerLinkAlive(hash, now) {
      return (await engine.read(first(liveLink, { hash, now }))) !== undefined
    },
    claimOwner: (request) => engine.atomically(claim(request)),
    async hasOwner() {
      return (await engine.read(first(selectOwner, {}))) !== undefined
    },
  }
}
