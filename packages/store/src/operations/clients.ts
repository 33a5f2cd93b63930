import { tables } from '../schema.ts'
import { all, type Engine, first, statement, type Values, type Work } from '../statement.ts'
import type { ClientOperations, RevokedClient, StoredClient, StoredDocument } from '../store.ts'
import { forgetGrantedToClient } from './consents.ts'
import { recordEvent } from './events.ts'
import { dropFloodOfClients } from './never-granted.ts'
import { revokeGrantsOfClient } from './revoke-grant.ts'

interface NewClient {
  readonly id: string
  readonly kind: StoredClient['kind']
  readonly metadata: string
  readonly now: number
}

const insertClient = statement((slot: Values<NewClient>) =>
  tables.insertInto('clients').values({
    id: slot('id'),
    kind: slot('kind'),
    metadata: slot('metadata'),
    created_at: slot('now'),
    disabled_at: null,
    first_granted_at: null,
  }),
)

const selectClients = tables
  .selectFrom('clients')
  .select(['id', 'kind', 'metadata', 'created_at', 'disabled_at'])
const clientById = statement((slot: Values<{ id: string }>) => selectClients.where('id', '=', slot('id')))
const allClients = statement(() => selectClients.orderBy('created_at').orderBy('id'))

const upsertDocument = statement((slot: Values<Omit<StoredDocument, 'etag'> & { etag: string | null }>) =>
  tables
    .insertInto('client_documents')
    .values({
      url: slot('url'),
      body: slot('body'),
      etag: slot('etag'),
      fetched_at: slot('fetchedAt'),
      fresh_until: slot('freshUntil'),
    })
    .onConflict((conflict) =>
      conflict.column('url').doUpdateSet((row) => ({
        body: row.ref('excluded.body'),
        etag: row.ref('excluded.etag'),
        fetched_at: row.ref('excluded.fetched_at'),
        fresh_until: row.ref('excluded.fresh_until'),
      })),
    ),
)

/** What is more is fetched anew when it is needed: strangers choose these URLs, and what stands at them. */
const documentsKept = 2_000

const dropStalestDocuments = statement(() =>
  tables
    .deleteFrom('client_documents')
    .where('url', 'in', (query) =>
      query
        .selectFrom('client_documents as stale')
        .select('stale.url')
        .orderBy('stale.fresh_until', 'desc')
        .limit(documentsKept)
        .offset(documentsKept),
    ),
)

const documentByUrl = statement((slot: Values<{ url: string }>) =>
  tables
    .selectFrom('client_documents')
    .select(['url', 'body', 'etag', 'fetched_at', 'fresh_until'])
    .where('url', '=', slot('url')),
)

/** What strangers register is an event once somebody consents to it: they could fill the log. */
function* add(client: NewClient): Work<void> {
  yield* all(insertClient, client)
  if (client.kind === 'self-registered') yield* dropFloodOfClients()
  else yield* recordEvent('client.added', { client: client.id, kind: client.kind }, client.now)
}

function* saveDocument(document: StoredDocument): Work<void> {
  yield* all(upsertDocument, { ...document, etag: document.etag ?? null })
  yield* all(dropStalestDocuments, {})
}

const disableClient = statement((slot: Values<{ id: string; now: number }>) =>
  tables
    .updateTable('clients')
    .set({ disabled_at: slot('now') })
    .where('id', '=', slot('id'))
    .where('disabled_at', 'is', null)
    .returning('id'),
)

const endTransactions = statement((slot: Values<{ id: string }>) =>
  tables.deleteFrom('transactions').where('client_id', '=', slot('id')),
)

function* revoke(id: string, now: number): Work<RevokedClient> {
  const isRegistered = (yield* first(clientById, { id })) !== undefined
  if ((yield* first(disableClient, { id, now })) !== undefined) {
    yield* recordEvent('client.disabled', { client: id }, now)
  }
  yield* all(endTransactions, { id })
  yield* forgetGrantedToClient(id)
  return { isDisabled: isRegistered, endedGrants: yield* revokeGrantsOfClient(id, 'client-revoked', now) }
}

interface ClientRow {
  readonly id: string
  readonly kind: StoredClient['kind']
  readonly metadata: string
  readonly created_at: number
  readonly disabled_at: number | null
}

function readClient(row: ClientRow): StoredClient {
  return {
    id: row.id,
    kind: row.kind,
    metadata: row.metadata,
    createdAt: row.created_at,
    disabledAt: row.disabled_at ?? undefined,
  }
}

export function clients(engine: Engine): ClientOperations {
  return {
    add: (client) => engine.atomically(add(client)),
    async load(id) {
      const row = await engine.read(first(clientById, { id }))
      return row && readClient(row)
    },
    async list() {
      return (await engine.read(all(allClients, {}))).map(readClient)
    },
    revoke: (id, now) => engine.atomically(revoke(id, now)),
    async saveDocument(document) {
      await engine.atomically(saveDocument(document))
    },
    async loadDocument(url) {
      const row = await engine.read(first(documentByUrl, { url }))
      if (row === undefined) return undefined
      return {
        url: row.url,
        body: row.body,
        etag: row.etag ?? undefined,
        fetchedAt: row.fetched_at,
        freshUntil: row.fresh_until,
      }
    },
  }
}
