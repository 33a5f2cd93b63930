import { changes } from './operations/changes.ts'
import { clients } from './operations/clients.ts'
import { events } from './operations/events.ts'
import { grants } from './operations/grants.ts'
import { keys } from './operations/keys.ts'
import { policies } from './operations/policies.ts'
import { sessions } from './operations/sessions.ts'
import { makeSweep } from './operations/sweep.ts'
import { transactions } from './operations/transactions.ts'
import { users } from './operations/users.ts'
import type { DatabaseOptions } from './read-database-url.ts'
import type { Engine } from './statement.ts'
import type { Store } from './store.ts'

/**
 * Opens the store and brings its tables up to date. Encrypts nothing: callers pass hashes and sealed text.
 *
 * `file`: one SQLite file (made, with its directory, when missing), for any number of processes of one machine. Throws when
 * group or others can read the file or its directory, when the file is another program's, or when a newer version has migrated it.
 *
 * `url`: a PostgreSQL database, for any number of nodes; see `DatabaseOptions` and `openPostgres`.
 */
export async function openStore(options: { readonly file: string } | DatabaseOptions): Promise<Store> {
  // Each engine is loaded only where it is used: a start waits for what it loads.
  if ('url' in options) return createStore(await (await import('./postgres.ts')).openPostgres(options))
  return createStore(await (await import('./sqlite.ts')).openSqlite(options.file))
}

function createStore(engine: Engine): Store {
  const feed = changes(engine)
  return {
    users: users(engine),
    clients: clients(engine),
    transactions: transactions(engine),
    sessions: sessions(engine),
    grants: grants(engine),
    keys: keys(engine),
    policies: policies(engine),
    changes: feed,
    events: events(engine),
    sweep: makeSweep(engine),
    async ping() {
      await feed.lastNumber()
    },
    close: () => engine.close(),
  }
}
