import { tables } from '../schema.ts'
import { all, type Engine, first, statement, type Values, type Work } from '../statement.ts'
import { inChunks } from './in-chunks.ts'

/** One transaction takes no more rows than this, so that nobody waits long for the write lock. */
export const batch = 500
/** So many expired codes are looked at at once, which takes no lock. */
const stretch = 5_000

export interface Settled {
  /** What ended before this has no access token left. */
  readonly settled: number
}

const deleteTokens = statement((slot: Values<Settled>) =>
  tables
    .deleteFrom('refresh_tokens')
    .where('hash', 'in', (query) =>
      query
        .selectFrom('refresh_tokens as old')
        .select('old.hash')
        .where('old.expires_at', '<=', slot('settled'))
        .limit(batch),
    )
    .returning('grant_id'),
)

interface Stretch {
  readonly after: number
  readonly upTo: number
}

const stretchEnd = statement((slot: Values<Stretch>) =>
  tables
    .selectFrom('codes')
    .select('expires_at')
    .where('expires_at', '>', slot('after'))
    .where('expires_at', '<=', slot('upTo'))
    .orderBy('expires_at')
    .limit(1)
    .offset(stretch),
)

/** A redeemed code stays as long as its family, so that its replay is known for what it is. */
const codesWithoutFamily = tables
  .selectFrom('codes')
  .where((row) =>
    row.not(
      row.exists(
        row
          .selectFrom('refresh_tokens')
          .select('refresh_tokens.hash')
          .whereRef('refresh_tokens.grant_id', '=', 'codes.grant_id'),
      ),
    ),
  )

const grantsOfEndedCodes = statement((slot: Values<Stretch>) =>
  codesWithoutFamily
    .select('codes.grant_id')
    .where('codes.expires_at', '>', slot('after'))
    .where('codes.expires_at', '<=', slot('upTo')),
)

/** Deletes what is left of these grants when nothing of them can be used or replayed any more. */
function* deleteEnded(some: readonly string[], { settled }: Settled): Work<void> {
  yield* all(
    statement(() =>
      tables
        .deleteFrom('codes')
        .where('hash', 'in', () =>
          codesWithoutFamily
            .select('codes.hash')
            .where('codes.grant_id', 'in', some)
            .where('codes.expires_at', '<=', settled),
        ),
    ),
    {},
  )
  yield* all(
    statement(() =>
      tables
        .deleteFrom('grants')
        .where('id', 'in', some)
        .where((row) =>
          row.and(
            (['codes', 'refresh_tokens'] as const).map((table) =>
              row.not(
                row.exists(
                  row
                    .selectFrom(table)
                    .select(`${table}.hash`)
                    .whereRef(`${table}.grant_id`, '=', 'grants.id'),
                ),
              ),
            ),
          ),
        ),
    ),
    {},
  )
}

/** A batch of refresh tokens that have expired, and with the last one of a grant the grant. Answers how many tokens. */
export function* sweepTokens(times: Settled): Work<number> {
  const deleted = yield* all(deleteTokens, times)
  for (const some of inChunks(deleted.map(grantOf))) yield* deleteEnded(some, times)
  return deleted.length
}

/** Passes a stretch of codes that have expired after a time, and answers up to which time it came. */
export async function sweepCodes(engine: Engine, times: Settled, after: number): Promise<number> {
  const end = await engine.read(first(stretchEnd, { after, upTo: times.settled }))
  const upTo = end?.expires_at ?? times.settled
  const ended = await engine.read(all(grantsOfEndedCodes, { after, upTo }))
  for (const some of inChunks(ended.map(grantOf))) await engine.atomically(deleteEnded(some, times))
  return upTo
}

function grantOf({ grant_id }: { readonly grant_id: string }): string {
  return grant_id
}
