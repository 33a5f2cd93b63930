import { tables } from '../schema.ts'
import { all, statement, type Values, type Work } from '../statement.ts'
import type {
  ConsentKey,
  DeclinedConsent,
  RememberedConsent,
  SaidConsent,
  TransactionOperations,
} from '../store.ts'
import { recordChange } from './changes.ts'

/** For this long a decline keeps a client from asking again, so long guards must be able to hear of it. */
export const declineCountsMs: number = 24 * 60 * 60 * 1000

const upsertConsent = statement((slot: Values<ConsentKey & RememberedConsent>) =>
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
      client_digest: slot('clientDigest'),
    })
    .onConflict((conflict) =>
      conflict.columns(['user_id', 'client_id', 'redirect_host', 'resource', 'scope']).doUpdateSet((row) => ({
        decision: row.ref('excluded.decision'),
        at: row.ref('excluded.at'),
        client_digest: row.ref('excluded.client_digest'),
      })),
    ),
)

const selectConsents = statement((slot: Values<ConsentKey>) =>
  tables
    .selectFrom('consents')
    .select(['scope', 'decision', 'at', 'client_digest as clientDigest'])
    .where('user_id', '=', slot('userId'))
    .where('client_id', '=', slot('clientId'))
    .where('redirect_host', '=', slot('redirectHost'))
    .where('resource', '=', slot('resource'))
    .orderBy('scope'),
)

/** What was said about one client at one resource, wherever its answers go. */
interface Subject {
  readonly userId: string
  readonly clientId: string
  readonly resource: string
}

const deleteDeclined = statement((slot: Values<Subject & { scope: string }>) =>
  tables
    .deleteFrom('consents')
    .where('user_id', '=', slot('userId'))
    .where('client_id', '=', slot('clientId'))
    .where('resource', '=', slot('resource'))
    .where('scope', '=', slot('scope'))
    .where('decision', '=', 'declined')
    .returning('scope'),
)

const deleteGranted = statement((slot: Values<Pick<Subject, 'userId' | 'clientId'>>) =>
  tables
    .deleteFrom('consents')
    .where('user_id', '=', slot('userId'))
    .where('client_id', '=', slot('clientId'))
    .where('decision', '=', 'granted'),
)

const deleteAllGranted = {
  ofUser: statement((slot: Values<Pick<Subject, 'userId'>>) =>
    tables.deleteFrom('consents').where('user_id', '=', slot('userId')).where('decision', '=', 'granted'),
  ),
  ofClient: statement((slot: Values<Pick<Subject, 'clientId'>>) =>
    tables.deleteFrom('consents').where('client_id', '=', slot('clientId')).where('decision', '=', 'granted'),
  ),
}

const turnDeclined = statement((slot: Values<Subject & { scope: string; at: number }>) =>
  tables
    .updateTable('consents')
    .set({ decision: 'declined', at: slot('at') })
    .where('user_id', '=', slot('userId'))
    .where('client_id', '=', slot('clientId'))
    .where('resource', '=', slot('resource'))
    .where('scope', '=', slot('scope')),
)

/** Remembers what was said as part of an operation; the last word counts. Throws when it is about another user or client. */
export function* rememberConsents(
  consents: readonly SaidConsent[],
  who: { userId: string | null; clientId: string },
  now: number,
): Work<void> {
  for (const { key, scope, decision, clientDigest = '' } of consents) {
    if (key.userId !== who.userId || key.clientId !== who.clientId) {
      throw new Error('a consent belongs to the user and the client of its transaction')
    }
    yield* all(upsertConsent, { ...key, scope, decision, at: now, clientDigest })
  }
  if (who.userId !== null && consents.some(({ decision }) => decision === 'declined')) {
    yield* recordConsentsChange(who.userId, now)
  }
}

/** Forgets that the user said no to these scopes, wherever the answers of the client went then. */
export function* forgetDeclined(subject: Subject, scopes: readonly string[], now: number): Work<void> {
  let forgotten = 0
  for (const scope of scopes) forgotten += (yield* all(deleteDeclined, { ...subject, scope })).length
  if (forgotten > 0) yield* recordConsentsChange(subject.userId, now)
}

/** Remembers a no that was said apart from any request: it replaces every earlier yes of the user to this client. */
export function* declineEverywhere(key: ConsentKey, scopes: readonly string[], now: number): Work<void> {
  for (const scope of scopes) {
    yield* all(turnDeclined, { ...key, scope, at: now })
    yield* all(upsertConsent, { ...key, scope, decision: 'declined', at: now, clientDigest: '' })
  }
  if (scopes.length > 0) yield* recordConsentsChange(key.userId, now)
}

/** Forgets every yes to this client, also one that it has not used yet: its next request, wherever, is asked about again. */
export function* forgetGranted(subject: Pick<Subject, 'userId' | 'clientId'>): Work<void> {
  yield* all(deleteGranted, subject)
}

/** Forgets every yes of a user: somebody else may have said it in the user's name. */
export function* forgetGrantedOfUser(userId: string): Work<void> {
  yield* all(deleteAllGranted.ofUser, { userId })
}

/** Forgets every yes to a client, whoever said it. */
export function* forgetGrantedToClient(clientId: string): Work<void> {
  yield* all(deleteAllGranted.ofClient, { clientId })
}

export function* loadConsents(key: ConsentKey): Work<readonly RememberedConsent[]> {
  return yield* all(selectConsents, key)
}

type DeclinedFilter = Parameters<TransactionOperations['listDeclined']>[0]

export function* listDeclined({ userId, since }: DeclinedFilter): Work<readonly DeclinedConsent[]> {
  let query = tables
    .selectFrom('consents')
    .select(['user_id as userId', 'client_id as clientId', 'resource', 'scope', 'at'])
    .where('decision', '=', 'declined')
    .where('at', '>', since)
  if (userId !== undefined) query = query.where('user_id', '=', userId)
  return yield* all(
    statement(() => query),
    {},
  )
}

/** Guards read the declines of the user anew. */
function recordConsentsChange(userId: string, now: number): Work<void> {
  return recordChange('consents-changed', userId, now, now + declineCountsMs)
}
