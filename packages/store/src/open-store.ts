import { changes } from './operations/changes.ts'
import { clients } from './operations/clients.ts'
import { events } from './operations/events.ts'
import { grants } from './operations/grants.ts'
import { keys } from './operations/keys.ts'
import { sessions } from './operations/sessions.ts'
import { sweep } from './operations/sweep.ts'
import { transactions } from './operations/transactions.ts'
import { users } from './operations/users.ts'
import { openSqlite } from './sqlite.ts'
import type { Engine } from './statement.ts'
import type { Store } from './store.ts'

/**
 * Opens the store in one SQLite file (made, with its directory, when missing) and brings its tables up to date. Any number
 * of processes of one machine may have it open. Throws when group or others can read the file or its directory, when the
 * file is another program's, or when a newer version has migrated it. Encrypts nothing: callers pass hashes and sealed text.
 */
export async function openStore(options: { file: string }): Promise<Store> {
  return createStore(await openSqlite(options.file))
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
    changes: feed,
    events: events(engine),
    sweep: (now) => sweep(engine, now),
    async ping() {
      await feed.lastNumber()
    },
    close: () => engine.close(),
  }
}
