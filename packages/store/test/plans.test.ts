import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openStore } from '../src/index.ts'
import {
  addUser,
  beginSession,
  beginTransaction,
  hour,
  id,
  makeCode,
  makeToken,
  minute,
  redeem,
  rotate,
  start,
} from './scene.ts'

const directory = mkdtempSync(join(tmpdir(), 'warder-plans-'))
const statements = new Set<string>()
let database: Database.Database

beforeAll(async () => {
  const prepare = vi.spyOn(Database.prototype, 'prepare')
  const store = await openStore({ file: join(directory, 'x.sqlite') })
  prepare.mockClear()
  const user = await addUser(store)
  const { grant, token, code } = await makeToken(store)
  await rotate(store, token, id())
  await rotate(store, token, id())
  await redeem(store, code, id())
  const other = await makeToken(store)
  await rotate(store, other.token, id(), { graceMs: 0 })
  await rotate(store, other.token, id(), { graceMs: 0 })
  await store.grants.countWrongVerifier((await makeCode(store)).code, start)
  await store.grants.load(grant)
  await store.grants.loadCode(code)
  await store.grants.loadRefreshToken(token)
  await store.clients.load('none')
  await store.clients.add({ id: 'client', kind: 'self-registered', metadata: '{}', now: start })
  await store.sessions.load((await beginSession(store, user)).hash, start)
  await store.sessions.loadWithUser((await beginSession(store, user)).hash, start)
  await store.transactions.load(await beginTransaction(store, user), start)
  await store.changes.listAfter(0, 10)
  await store.sweep(start + minute)
  await store.sweep(start + 2 * hour)
  for (const [sql] of prepare.mock.calls) statements.add(sql)
  prepare.mockRestore()
  await store.close()
  database = new Database(join(directory, 'x.sqlite'))
})

afterAll(() => {
  database.close()
  rmSync(directory, { recursive: true, force: true })
})

/** Transactions are bounded in number, owner links and the counter are single rows; clients are swept once an hour. */
const mayScan = /^(delete from "(clients|owner_links)"|(select|update) .*"(transactions|change_counter)")/

test('V15 nothing that a request or a sweep runs looks through a table of grants, codes or tokens', () => {
  const queries = [...statements].filter((sql) => /^(select|update|delete)/.test(sql))
  // Those that nobody consented to are bounded in number too, and stand in an index of their own.
  const isScan = (step: string): boolean =>
    /^SCAN (?!clients USING .*INDEX clients_never_granted$)/.test(step)
  const scans = queries.filter((sql) => planOf(sql).some(isScan))
  expect(queries.length).toBeGreaterThan(25)
  expect(scans.filter((sql) => !mayScan.test(sql))).toEqual([])
})

test('no parameter stands bare, where SQLite would prepare the statement again for each value', () => {
  expect([...statements].filter((sql) => /(?<!\+)\?/.test(sql))).toEqual([])
})

test('a statement that does look through a table is noticed', () => {
  expect(planOf('select hash from codes where redirect_uri = ?')).toEqual(['SCAN codes'])
})

function planOf(sql: string): string[] {
  const explain = database.prepare<unknown[], { detail: string }>(`explain query plan ${sql}`)
  return explain.all(...Array.from(sql.matchAll(/\?/g), () => null)).map(({ detail }) => detail)
}
