import { PostgresQueryCompiler } from 'kysely'
import { makeCompile } from './compile-statement.ts'
import { beginWrite, migratePostgres } from './postgres-migrate.ts'
import { openPool, type PostgresPool, type RunQuery } from './postgres-pool.ts'
import { type DatabaseOptions, readDatabaseUrl } from './read-database-url.ts'
import type { Engine, Step, Work } from './statement.ts'

/** One writes; the other stands in line for the lock already, so that it goes on without a round trip in between. */
const writers = 2
/** Apart from the writers, so that who waits for the lock keeps nobody from reading. */
const readers = 4

/**
 * Opens a PostgreSQL database for any number of nodes, six connections each. Every operation happens or throws within its
 * deadline. Throws when the URL asks for a connection that others could read, when the server is a standby, when the schema is
 * another program's, or when a newer version of this package has migrated it. Does not encrypt what is stored.
 */
export async function openPostgres(options: DatabaseOptions): Promise<Engine> {
  const target = readDatabaseUrl(options)
  const { deadlineMs = 6000 } = options
  const writing = openPool(target, { max: writers, deadlineMs })
  const reading = openPool(target, { max: readers, deadlineMs })
  const close = async (): Promise<void> => {
    await Promise.all([writing.close(), reading.close()])
  }
  try {
    await migratePostgres(writing)
  } catch (error) {
    await close()
    throw error
  }
  return createEngine(writing, reading, close)
}

function createEngine(writing: PostgresPool, reading: PostgresPool, close: () => Promise<void>): Engine {
  const compile = makeCompile(new PostgresQueryCompiler())
  const names = new Map<string, string>()

  const nameOf = (sql: string): string => {
    const name = names.get(sql) ?? `w${names.size}`
    names.set(sql, name)
    return name
  }

  const execute = async (run: RunQuery, { statement, values }: Step): Promise<readonly unknown[]> => {
    const { sql, fill } = compile(statement)
    return (await run({ name: nameOf(sql), text: sql, values: fill(values) })).rows
  }

  const drive = async <Result>(run: RunQuery, work: Work<Result>): Promise<Result> => {
    let next = work.next([])
    while (!next.done) next = work.next(await execute(run, next.value))
    return next.value
  }

  return {
    atomically: (work) =>
      writing.use(async (run) => {
        await run({ text: beginWrite })
        const result = await drive(run, work)
        const { command } = await run({ text: 'commit' })
        if (command !== 'COMMIT') throw new Error(`PostgreSQL: commit was answered by ${command}`)
        return result
      }),
    read: (work) => reading.use((run) => drive(run, work)),
    close,
  }
}
