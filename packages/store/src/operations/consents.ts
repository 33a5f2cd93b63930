import { tables } from '../schema.ts'
import { all, statement, type Values, type Work } from '../statement.ts'
import type { ConsentKey, RememberedConsent } from '../store.ts'

interface Consent {
  readonly key: ConsentKey
  readonly scope: string
  readonly decision: RememberedConsent['decision']
}

const upsertConsent = statement(
  (slot: Values<ConsentKey & { scope: string; decision: RememberedConsent['decision']; at: number }>) =>
    tables
      .insertInto('consents')
      .values({
        user_id: slot('userId'),
        client_id: slot('clientId'),
        redirect_host: slot('redirectHost'),
        resource: slot('resource'),
        scope: slot('scope'),
        decision: slot('decision'),
        at: slot('at'),
      })
      .onConflict((conflict) =>
        conflict
          .columns(['user_id', 'client_id', 'redirect_host', 'resource', 'scope'])
          .doUpdateSet((row) => ({ decision: row.ref('excluded.decision'), at: row.ref('excluded.at') })),
      ),
)

const selectConsents = statement((slot: Values<ConsentKey>) =>
  tables
    .selectFrom('consents')
    .select(['scope', 'decision', 'at'])
    .where('user_id', '=', slot('userId'))
    .where('client_id', '=', slot('clientId'))
    .where('redirect_host', '=', slot('redirectHost'))
    .where('resource', '=', slot('resource'))
    .orderBy('scope'),
)

/** Remembers what was said as part of an operation; the last word counts. Throws when it is about another user or client. */
export function* rememberConsents(
  consents: readonly Consent[],
  who: { userId: string | null; clientId: string },
  now: number,
): Work<void> {
  for (const { key, scope, decision } of consents) {
    if (key.userId !== who.userId || key.clientId !== who.clientId) {
      throw new Error('a consent belongs to the user and the client of its transaction')
    }
    yield* all(upsertConsent, { ...key, scope, decision, at: now })
  }
}

export function* loadConsents(key: ConsentKey): Work<readonly RememberedConsent[]> {
  return yield* all(selectConsents, key)
}
