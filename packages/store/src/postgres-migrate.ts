import { postgresMigrations } from './postgres-migrations.ts'
import { type PostgresPool, type RunQuery, schemaName } from './postgres-pool.ts'

/** "Wrdr": the advisory lock that every transaction which writes holds to its end. */
const lock = 0x57726472

/** Whatever the database or the role is set to: who has waited for the lock must see what was committed meanwhile. */
const begin = 'begin isolation level read committed read write'

/** Begins a transaction that is the only one to write, in one message. */
export const beginWrite: string = `${begin}; select pg_advisory_xact_lock(${lock})`

/** A new version may have to go through every row. */
const migrationMs = 60_000

/**
 * Brings the tables up to date: all that is missing in one transaction, or nothing. Any number of nodes may try at once. Throws
 * when the schema is another program's, or when a newer version has migrated it.
 */
export async function migratePostgres(pool: PostgresPool): Promise<void> {
  if ((await pool.use(readVersion)) === postgresMigrations.length) return
  await pool.use(async (run) => {
    await run({
      text: `${begin}; set local lock_timeout = ${migrationMs}; set local statement_timeout = ${migrationMs};
        select pg_advisory_xact_lock(${lock})`,
    })
    const version = await readVersion(run)
    if (version === 0) {
      // Asked first: the rights for a schema that stands there already may be fewer.
      if (!(await hasSchema(run))) await run({ text: `create schema ${schemaName}` })
      await run({
        text: `create table ${schemaName}.store_version (program text not null, version bigint not null);
          insert into ${schemaName}.store_version values ('warder', 0)`,
      })
    }
    for (const text of postgresMigrations.slice(version)) await run({ text })
    await run({ text: `update ${schemaName}.store_version set version = ${postgresMigrations.length}` })
    await run({ text: 'commit' })
  }, migrationMs)
}

/** 0 when nothing of ours is there yet, and nothing of anybody else's. */
async function readVersion(run: RunQuery): Promise<number> {
  const text = `select relname as name from pg_catalog.pg_class
    where relnamespace = to_regnamespace('${schemaName}') and relkind in ('r', 'p', 'v', 'm', 'f')`
  const names = (await run({ text })).rows.map(({ name }) => name)
  if (names.length === 0) return 0
  const found = names.includes('store_version')
    ? (await run({ text: `select * from ${schemaName}.store_version` })).rows
    : []
  const version = Number(found[0]?.['version'])
  if (found.length !== 1 || found[0]?.['program'] !== 'warder' || !Number.isSafeInteger(version))
    throw new Error(`the schema ${schemaName} of this database belongs to another program`)
  if (version > postgresMigrations.length) {
    throw new Error(
      `the database was migrated by a newer version (${version}, this one knows ${postgresMigrations.length})`,
    )
  }
  return version
}

async function hasSchema(run: RunQuery): Promise<boolean> {
  const text = `select to_regnamespace('${schemaName}') is not null as found`
  return (await run({ text })).rows[0]?.['found'] === true
}
