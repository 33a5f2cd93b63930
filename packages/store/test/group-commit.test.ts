import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type GroupCommit, makeGroupCommit } from '../src/group-commit.ts'

let directory: string
let database: Database.Database
/** Another process, as far as SQLite can tell: it sees what is committed. */
let observer: Database.Database
let commit: GroupCommit

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'warder-group-'))
  database = new Database(join(directory, 'x.sqlite'))
  database.pragma('journal_mode = WAL')
  database.exec(`
    create table names (name text primary key) strict;
    create table owners (name text references names (name) deferrable initially deferred) strict;
  `)
  observer = new Database(join(directory, 'x.sqlite'))
  commit = makeGroupCommit(database)
})

afterEach(() => {
  database.close()
  observer.close()
  rmSync(directory, { recursive: true, force: true })
})

const committed = (): unknown[] => observer.prepare('select name from names order by name').pluck().all()

const add =
  (name: string, sql = 'insert into names values (?)') =>
  (): string => {
    database.prepare(sql).run(name)
    return name
  }

test('work of one turn is committed together, and answered only when it is', async () => {
  const seen: unknown[] = []
  const look = (name: string) => (): string => {
    seen.push(committed())
    return add(name)()
  }
  const answers = ['a', 'b', 'c'].map((name) => commit(look(name)).then((answer) => [answer, committed()]))
  expect(await Promise.all(answers)).toEqual(['a', 'b', 'c'].map((name) => [name, ['a', 'b', 'c']]))
  expect(seen).toEqual([[], [], []])
})

test('work of a later turn is committed by itself', async () => {
  await commit(add('a'))
  expect(await commit(() => committed())).toEqual(['a'])
})

test('a throw undoes its own work, and that of nobody else', async () => {
  const fail = (): never => {
    add('half')()
    throw new Error('no')
  }
  const answers = await Promise.allSettled([commit(add('a')), commit(fail), commit(add('c'))])
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(committed()).toEqual(['a', 'c'])
})

test('when the commit fails, nothing has happened and nobody is told otherwise', async () => {
  const orphan = add('nobody', 'insert into owners values (?)')
  const answers = await Promise.allSettled([commit(add('a')), commit(orphan), commit(add('c'))])
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  expect(committed()).toEqual([])
  expect(await commit(add('later'))).toBe('later')
  expect(committed()).toEqual(['later'])
})

test('a failure that ends the whole transaction fails everybody in it', async () => {
  await commit(add('taken'))
  const fatal = add('taken', 'insert or rollback into names values (?)')
  const answers = [commit(add('a')), commit(fatal), commit(add('c'))]
  for (const answer of await Promise.allSettled(answers))
    expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' } })
  expect(committed()).toEqual(['taken'])
  expect(await commit(add('later'))).toBe('later')
})

test('more than one group is all done in the end, in its order', async () => {
  const order: number[] = []
  await Promise.all(Array.from({ length: 200 }, (_, place) => commit(() => order.push(place))))
  expect(order).toEqual(Array.from({ length: 200 }, (_, place) => place))
})

test('what waits when the store closes is done first', async () => {
  const answers = Array.from({ length: 70 }, (_, place) => commit(add(String(place))))
  commit.finish()
  expect(committed()).toHaveLength(70)
  await Promise.all(answers)
})
