import { tables } from '../schema.ts'
import { all, type Engine, statement, type Values, type Work } from '../statement.ts'
import type { GrantOperations } from '../store.ts'
import { recordEvent } from './events.ts'
import { chunk } from './in-chunks.ts'
import { revokeGrants } from './revoke-grant.ts'

type Revocation = Parameters<GrantOperations['revokeAll']>[0]

/** What could make a new grant without the user being asked. */
const sources = [
  statement(() => tables.deleteFrom('transactions')),
  statement(() => tables.deleteFrom('sessions')),
  statement(() => tables.deleteFrom('owner_links')),
  statement(() => tables.deleteFrom('consents').where('decision', '=', 'granted')),
]

/** One transaction ends no more than these, so that nobody waits long for the write lock. */
const nextLiveGrants = statement((slot: Values<{ after: string }>) =>
  tables
    .selectFrom('grants')
    .select('id')
    .where('id', '>', slot('after'))
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .limit(chunk),
)

function* endSources({ because, now }: Revocation): Work<void> {
  for (const source of sources) yield* all(source, {})
  yield* recordEvent('grants.all-revoked', { because }, now)
}

/** Ends the next live grants after an id, and answers which. */
function* endNextGrants(after: string, revocation: Revocation): Work<readonly string[]> {
  const ids = (yield* all(nextLiveGrants, { after })).map(({ id }) => id)
  yield* revokeGrants(ids, revocation)
  return ids
}

export async function revokeAll(engine: Engine, revocation: Revocation): Promise<number> {
  await engine.atomically(endSources(revocation))
  let count = 0
  let last: string | undefined = ''
  while (last !== undefined) {
    const ended: readonly string[] = await engine.atomically(endNextGrants(last, revocation))
    count += ended.length
    last = ended.at(-1)
  }
  return count
}
