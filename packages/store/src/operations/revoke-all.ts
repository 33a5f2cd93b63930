import { tables } from '../schema.ts'
import { all, type Engine, statement, type Values, type Work } from '../statement.ts'
import type { GrantOperations } from '../store.ts'
import { recordEvent } from './events.ts'
import { revokeGrant } from './revoke-grant.ts'

type Revocation = Parameters<GrantOperations['revokeAll']>[0]

/** One transaction ends no more grants than this, so that nobody waits long for the write lock. */
const batch = 200

/** What could make a new grant without the user being asked. */
const sources = [
  statement(() => tables.deleteFrom('transactions')),
  statement(() => tables.deleteFrom('sessions')),
  statement(() => tables.deleteFrom('owner_links')),
  statement(() => tables.deleteFrom('consents').where('decision', '=', 'granted')),
]

const someLiveGrants = statement((slot: Values<{ limit: number }>) =>
  tables.selectFrom('grants').select('id').where('revoked_at', 'is', null).limit(slot('limit')),
)

function* endSources({ because, now }: Revocation): Work<void> {
  for (const source of sources) yield* all(source, {})
  yield* recordEvent('grants.all-revoked', { because }, now)
}

function* endSomeGrants({ because, now }: Revocation): Work<number> {
  const live = yield* all(someLiveGrants, { limit: batch })
  for (const { id } of live) yield* revokeGrant({ id, because, now })
  return live.length
}

export async function revokeAll(engine: Engine, revocation: Revocation): Promise<number> {
  await engine.atomically(endSources(revocation))
  let ended = 0
  for (;;) {
    const some = await engine.atomically(endSomeGrants(revocation))
    ended += some
    if (some < batch) return ended
  }
}
