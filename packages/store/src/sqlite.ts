import { setTimeout as delay } from 'node:timers/promises'
import { claimPrivateFile } from '@warder/private-files'
import Database from 'better-sqlite3'
import { SqliteQueryCompiler } from 'kysely'
import { type Compiled, makeCompile } from './compile-statement.ts'
import { makeGroupCommit } from './group-commit.ts'
import { migrations } from './migrations.ts'
import type { Engine, Step, Work } from './statement.ts'

/** "Wrdr", in the header of each database file of ours. */
const applicationId = 0x57726472
const busyMs = 5000

/**
 * Opens one SQLite file for any number of processes on one machine: WAL, each commit on the disk before it is answered.
 * Throws when others can read the file or its directory, when the file belongs to another program, or when a newer
 * version of this package has migrated it. Does not encrypt.
 */
export async function openSqlite(file: string): Promise<Engine> {
  const path = claimPrivateFile(file)
  const database = new Database(path, { timeout: busyMs })
  try {
    checkOwnership(database, path)
    await useWriteAheadLog(database)
    database.pragma('synchronous = FULL')
    database.pragma('foreign_keys = ON')
    // What a savepoint could undo: by default in a file beside the database, once one commit has touched sixteen pages.
    database.pragma('temp_store = MEMORY')
    database.pragma('trusted_schema = OFF')
    migrate(database, path)
  } catch (error) {
    database.close()
    throw error
  }
  return createEngine(database)
}

function checkOwnership(database: Database.Database, path: string): void {
  // In this order: another process may be filling the file, and gives it the id together with its first table.
  const isEmpty = database.prepare('select 1 from sqlite_schema').get() === undefined
  const id = database.pragma('application_id', { simple: true })
  if (id !== applicationId && !(id === 0 && isEmpty)) {
    throw new Error(`${path} is not a database of this program`)
  }
}

/** Two processes that switch at the same moment do not wait for each other by themselves: SQLite calls no busy handler there. */
async function useWriteAheadLog(database: Database.Database): Promise<void> {
  for (let waited = 0; ; waited += 20) {
    try {
      const mode = database.pragma('journal_mode = WAL', { simple: true })
      if (mode !== 'wal')
        throw new Error(`the file system does not support the write-ahead log (got ${String(mode)})`)
      return
    } catch (error) {
      if (!isBusy(error) || waited >= busyMs) throw error
      await delay(20)
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')
}

/** Each migration is one transaction that looks at the version again once it holds the lock, so nodes may race. */
function migrate(database: Database.Database, path: string): void {
  const version = (): number => database.pragma('user_version', { simple: true }) as number
  const step = database.transaction((number: number, sql: string) => {
    if (version() >= number) return
    database.exec(sql)
    database.pragma(`application_id = ${applicationId}`)
    database.pragma(`user_version = ${number}`)
  })
  for (const [index, sql] of migrations.entries()) {
    if (version() <= index) step.immediate(index + 1, sql)
  }
  if (version() > migrations.length) {
    throw new Error(
      `${path} was migrated by a newer version (${version()}, this one knows ${migrations.length})`,
    )
  }
}

/**
 * Writes parameters as `+?`, which means the same. Where a plan might depend on the value of a bare `?` (joins, limits), SQLite
 * prepares the statement again at each run, at several times the cost of the run itself.
 */
class StableQueryCompiler extends SqliteQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return '+?'
  }
}

type Run = (values: readonly unknown[]) => readonly unknown[]

function createEngine(database: Database.Database): Engine {
  const compile = makeCompile(new StableQueryCompiler())
  const prepared = new WeakMap<Compiled, Run>()

  const prepare = (compiled: Compiled): Run => {
    const native = database.prepare<unknown[]>(compiled.sql)
    const run: Run = native.reader
      ? (values) => native.all(...values)
      : (values) => {
          native.run(...values)
          return []
        }
    prepared.set(compiled, run)
    return run
  }

  const execute = ({ statement, values }: Step): readonly unknown[] => {
    const compiled = compile(statement)
    return (prepared.get(compiled) ?? prepare(compiled))(compiled.fill(values))
  }

  const drive = <Result>(work: Work<Result>): Result => {
    let next = work.next([])
    while (!next.done) next = work.next(execute(next.value))
    return next.value
  }

  const commit = makeGroupCommit(database)
  return {
    atomically: (work) => commit(() => drive(work)),
    async read<Result>(work: Work<Result>): Promise<Result> {
      return drive(work)
    },
    async close(): Promise<void> {
      commit.finish()
      database.close()
    },
  }
}
