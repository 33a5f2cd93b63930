import { tables } from '../schema.ts'
import { all, type Engine, first, statement, type Values, type Work } from '../statement.ts'
import type { Transaction, TransactionOperations } from '../store.ts'
import { forgetDeclined, listDeclined, loadConsents, rememberConsents } from './consents.ts'
import { recordEvent } from './events.ts'
import { makeGrant } from './make-grant.ts'
import { loadSession } from './sessions.ts'

type NewTransaction = Parameters<TransactionOperations['create']>[0]
type SignIn = Parameters<TransactionOperations['signIn']>[0]
type Finish = Parameters<TransactionOperations['finishWithCode']>[0]
type Denial = Parameters<TransactionOperations['finishWithDenial']>[0]

const liveOfClientAndPeer = 50
const liveOfPeer = 500
const inAll = 5_000

interface BegunTransaction extends Omit<NewTransaction, 'session'> {
  readonly peer: string
  readonly userId: string | null
  readonly signedInAt: number | null
}

const insertTransaction = statement((slot: Values<BegunTransaction>) =>
  tables.insertInto('transactions').values({
    id: slot('id'),
    client_id: slot('clientId'),
    peer: slot('peer'),
    request: slot('request'),
    browser_hash: slot('browserHash'),
    form_hash: slot('formHash'),
    user_id: slot('userId'),
    signed_in_at: slot('signedInAt'),
    created_at: slot('now'),
    expires_at: slot('expiresAt'),
  }),
)

const countLike = statement((slot: Values<{ clientId: string; peer: string }>) =>
  tables.selectNoFrom((row) => {
    const ofPeer = row
      .selectFrom('transactions')
      .select((each) => each.fn.countAll<number | string>().as('count'))
      .where('peer', '=', slot('peer'))
    const all = row
      .selectFrom('transactions')
      .select((each) => each.fn.countAll<number | string>().as('count'))
    return [
      ofPeer.where('client_id', '=', slot('clientId')).as('ofClientAndPeer'),
      ofPeer.as('ofPeer'),
      all.as('inAll'),
    ]
  }),
)

const dropOldestOfClient = statement((slot: Values<{ clientId: string; peer: string; now: number }>) =>
  tables
    .deleteFrom('transactions')
    .where('peer', '=', slot('peer'))
    .where('client_id', '=', slot('clientId'))
    .where('number', 'not in', (query) =>
      query
        .selectFrom('transactions as kept')
        .select('kept.number')
        .where('kept.peer', '=', slot('peer'))
        .where('kept.client_id', '=', slot('clientId'))
        .where('kept.expires_at', '>', slot('now'))
        .orderBy('kept.number', 'desc')
        .limit(liveOfClientAndPeer),
    ),
)

const dropOldestOfPeer = statement((slot: Values<{ peer: string; now: number }>) =>
  tables
    .deleteFrom('transactions')
    .where('peer', '=', slot('peer'))
    .where('number', 'not in', (query) =>
      query
        .selectFrom('transactions as kept')
        .select('kept.number')
        .where('kept.peer', '=', slot('peer'))
        .where('kept.expires_at', '>', slot('now'))
        .orderBy('kept.number', 'desc')
        .limit(liveOfPeer),
    ),
)

const dropOldestOfBusiestPeer = statement(() =>
  tables.deleteFrom('transactions').where('number', '=', (query) =>
    query
      .selectFrom('transactions as flood')
      .select((row) => row.fn.min('flood.number').as('number'))
      .where('flood.peer', '=', (busiest) =>
        busiest
          .selectFrom('transactions as each')
          .select('each.peer')
          .groupBy('each.peer')
          .orderBy((row) => row.fn.countAll(), 'desc')
          .orderBy('each.peer')
          .limit(1),
      ),
  ),
)

const liveTransaction = statement((slot: Values<{ id: string; now: number }>) =>
  tables
    .selectFrom('transactions')
    .select([
      'id',
      'request',
      'browser_hash',
      'form_hash',
      'user_id',
      'signed_in_at',
      'created_at',
      'expires_at',
    ])
    .where('id', '=', slot('id'))
    .where('expires_at', '>', slot('now')),
)

interface PutUser extends Omit<SignIn, 'passwordHash'> {
  /** Null: whichever it is. */
  readonly passwordHash: string | null
  readonly signedInAt: number
}

const putUser = statement((slot: Values<PutUser>) =>
  tables
    .updateTable('transactions')
    .set({
      user_id: slot('userId'),
      signed_in_at: slot('signedInAt'),
      browser_hash: slot('newBrowserHash'),
      form_hash: slot('newFormHash'),
    })
    .where('id', '=', slot('id'))
    .where('expires_at', '>', slot('now'))
    .where('browser_hash', '=', slot('browserHash'))
    .where((row) =>
      row.exists(
        tables
          .selectFrom('users')
          .select('users.id')
          .where('users.id', '=', slot('userId'))
          .where('users.password_hash', '=', (user) =>
            user.fn.coalesce(slot('passwordHash'), 'users.password_hash'),
          )
          .where('users.disabled_at', 'is', null),
      ),
    )
    .returning(['client_id']),
)

const takeSignedIn = statement(
  (slot: Values<{ id: string; userId: string; clientId: string; now: number }>) =>
    tables
      .deleteFrom('transactions')
      .where('id', '=', slot('id'))
      .where('expires_at', '>', slot('now'))
      .where('client_id', '=', slot('clientId'))
      .where('user_id', 'in', (query) =>
        query
          .selectFrom('users')
          .select('users.id')
          .where('users.id', '=', slot('userId'))
          .where('users.disabled_at', 'is', null),
      )
      .returning(['user_id', 'client_id', 'signed_in_at']),
)

const takeAny = statement((slot: Values<{ id: string; now: number }>) =>
  tables
    .deleteFrom('transactions')
    .where('id', '=', slot('id'))
    .where('expires_at', '>', slot('now'))
    .returning(['user_id', 'client_id']),
)

/**
 * Writes an event only where a user is known: a stranger could fill the log. What is to be dropped is looked for only where
 * there are more than may stay.
 */
function* create({ peer = '', session, ...transaction }: NewTransaction): Work<void> {
  const signedIn = session === undefined ? undefined : yield* loadSession(session, transaction.now)
  const { userId = null, signedInAt = null } = signedIn ?? {}
  const begun = { ...transaction, peer, userId, signedInAt }
  yield* all(insertTransaction, begun)
  if (userId !== null) yield* recordSignIn({ ...begun, userId })
  const counted = yield* first(countLike, begun)
  if (Number(counted?.ofClientAndPeer) > liveOfClientAndPeer) yield* all(dropOldestOfClient, begun)
  if (Number(counted?.ofPeer) > liveOfPeer) yield* all(dropOldestOfPeer, begun)
  if (Number(counted?.inAll) > inAll) yield* all(dropOldestOfBusiestPeer, {})
}

function* signIn(change: SignIn): Work<boolean> {
  const { passwordHash = null, signedInAt = change.now } = change
  const changed = yield* first(putUser, { ...change, passwordHash, signedInAt })
  if (changed === undefined) return false
  yield* recordSignIn({ ...change, clientId: changed.client_id })
  return true
}

function recordSignIn(who: {
  readonly id: string
  readonly userId: string
  readonly clientId: string
  readonly now: number
}): Work<void> {
  const details = { transaction: who.id, user: who.userId, client: who.clientId }
  return recordEvent('transaction.signed-in', details, who.now)
}

function* finishWithCode({ id, grant, code, consents, unasked = false, now }: Finish): Work<boolean> {
  const { userId, clientId } = grant
  if (unasked && !(yield* isGrantedStill(grant))) return false
  const taken = yield* first(takeSignedIn, { id, userId, clientId, now })
  if (taken === undefined) return false
  yield* makeGrant(grant, code, { signedInAt: taken.signed_in_at ?? now, now })
  yield* forgetDeclined(grant, grant.scopes, now)
  yield* rememberConsents(consents, { userId, clientId }, now)
  const details = {
    transaction: id,
    grant: grant.id,
    user: userId,
    client: clientId,
    clientClass: grant.clientClass,
    clientDigest: grant.clientDigest,
    resource: grant.resource,
    scopes: grant.scopes,
    declined: consents.filter(({ decision }) => decision === 'declined').map(({ scope }) => scope),
  }
  yield* recordEvent('transaction.granted', details, now)
  return true
}

/** Whether the user's yes to each of these scopes is remembered, from when the client was what it is now. */
function* isGrantedStill(grant: Finish['grant']): Work<boolean> {
  const { userId, clientId, resource, scopes, redirectHost = '', clientDigest = '' } = grant
  const said = yield* loadConsents({ userId, clientId, resource, redirectHost })
  const granted = said.filter((one) => one.decision === 'granted' && one.clientDigest === clientDigest)
  return scopes.every((scope) => granted.some((one) => one.scope === scope))
}

function* finishWithDenial({ id, consents, now }: Denial): Work<boolean> {
  const taken = yield* first(takeAny, { id, now })
  if (taken === undefined) return false
  const { user_id: userId, client_id: clientId } = taken
  yield* rememberConsents(consents, { userId, clientId }, now)
  yield* recordEvent('transaction.denied', { transaction: id, user: userId, client: clientId }, now)
  return true
}

export function transactions(engine: Engine): TransactionOperations {
  return {
    create: (transaction) => engine.atomically(create(transaction)),
    async load(id, now): Promise<Transaction | undefined> {
      const row = await engine.read(first(liveTransaction, { id, now }))
      if (row === undefined) return undefined
      return {
        id: row.id,
        request: row.request,
        browserHash: row.browser_hash,
        formHash: row.form_hash,
        userId: row.user_id ?? undefined,
        signedInAt: row.signed_in_at ?? undefined,
        createdAt: row.created_at,
        expiresAt: row.expires_at,
      }
    },
    signIn: (change) => engine.atomically(signIn(change)),
    finishWithCode: (finish) => engine.atomically(finishWithCode(finish)),
    finishWithDenial: (finish) => engine.atomically(finishWithDenial(finish)),
    loadConsents: (key) => engine.read(loadConsents(key)),
    listDeclined: (filter) => engine.read(listDeclined(filter)),
  }
}
