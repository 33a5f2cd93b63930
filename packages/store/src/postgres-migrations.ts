import { migrations } from './migrations.ts'

/**
 * The same migrations in the words of PostgreSQL. Text is compared and sorted by its bytes, as SQLite does, whatever the
 * locale of the database. Each column definition stands on a line of its own, which this relies on.
 */
export const postgresMigrations: readonly string[] = migrations.map((sql) =>
  sql
    .replace(/\binteger primary key autoincrement\b/g, 'bigint generated always as identity primary key')
    .replace(/^(\s+(?:alter table \w+ add column )?\w+) integer\b/gm, '$1 bigint')
    .replace(/^(\s+(?:alter table \w+ add column )?\w+) text\b/gm, '$1 text collate "C"')
    .replace(/\) strict(?:, without rowid)?;/g, ');'),
)
