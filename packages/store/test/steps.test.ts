import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore, type Store } from '../src/index.ts'
import { clients } from '../src/operations/clients.ts'
import { grants } from '../src/operations/grants.ts'
import { makeSweep } from '../src/operations/sweep.ts'
import { users } from '../src/operations/users.ts'
import { openSqlite } from '../src/sqlite.ts'
import type { Engine, Work } from '../src/statement.ts'
import { addUser, day, hour, id, start } from './scene.ts'

/** Each step is a round trip where the database stands behind a socket, and the others wait for the lock meanwhile. */
describe('V07 an operation takes a few statements, however many grants it is about', {
  timeout: 30_000,
}, () => {
  let directory: string
  let store: Store
  let engine: Engine
  let steps = 0
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'warder-steps-'))
    const file = join(directory, 'x.sqlite')
    store = await openStore({ file })
    engine = await openSqlite(file)
    steps = 0
  })
  afterEach(async () => {
    await engine.close()
    await store.close()
    rmSync(directory, { recursive: true })
  })

  function* counted<Result>(work: Work<Result>): Work<Result> {
    let next = work.next([])
    while (!next.done) {
      steps += 1
      next = work.next(yield next.value)
    }
    return next.value
  }
  const counting: Engine = {
    atomically: (work) => engine.atomically(counted(work)),
    read: (work) => engine.read(counted(work)),
    close: () => engine.close(),
  }

  /** Live grants with a redeemed code and a refresh token each, whose sealed successor can be asked for. */
  const addGrants = (user: string, client: string, count: number, tokensEnd = start + 30 * day): void => {
    const database = new Database(join(directory, 'x.sqlite'))
    const insert = database.transaction(() => {
      for (const grant of Array.from({ length: count }, id)) {
        database
          .prepare(`insert into grants values (?, ?, ?, 'document', 'r', '[]', ?, null, null, '', '', ?)`)
          .run(grant, user, client, start, start)
        database
          .prepare(`insert into codes values (?, ?, 'r', 'c', ?, ?, 0)`)
          .run(`code ${grant}`, grant, start, start)
        database
          .prepare(`insert into refresh_tokens values (?, ?, ?, ?, ?, 'sealed', ?)`)
          .run(`token ${grant}`, grant, tokensEnd, start, `next ${grant}`, start + 30 * day)
      }
    })
    insert()
    database.close()
  }

  const query = <Row>(sql: string): Row[] => {
    const database = new Database(join(directory, 'x.sqlite'), { readonly: true })
    const rows = database.prepare<[], Row>(sql).all()
    database.close()
    return rows
  }

  test.each<[string, (user: string, client: string) => Promise<unknown>]>([
    ['disabling a user', (user) => users(counting).setDisabled(user, true, start)],
    ['a new password', (user) => users(counting).setPassword(user, 'new argon', start)],
    ['revoking a client', (_, client) => clients(counting).revoke(client, start)],
    ['revoking everything', () => grants(counting).revokeAll({ because: 'test', now: start })],
  ])('%s', async (_, act) => {
    const [user, client] = [await addUser(store), id()]
    addGrants(user, client, 1000)
    const other = await addUser(store)
    addGrants(other, id(), 1)
    const before = await store.changes.lastNumber()
    await act(user, client)
    expect(steps).toBeLessThan(60)
    expect(await store.grants.list({ userId: user, live: true })).toEqual([])
    const changes = (await store.changes.listAfter(before, 2000)).filter(
      ({ kind }) => kind === 'grant-revoked',
    )
    const ended = (await store.grants.list({ live: false })).map((grant) => grant.id)
    expect(changes.map(({ subject }) => subject).toSorted()).toEqual(ended.toSorted())
    const events = (await store.events.listAfter(0, 2000)).filter(({ kind }) => kind === 'grant.revoked')
    expect(events.map(({ details }) => JSON.parse(details).grant).toSorted()).toEqual(ended.toSorted())
    const sealed = query<{ alive: number }>(`select distinct revoked_at is null as alive
      from refresh_tokens join grants on grants.id = grant_id where sealed_successor is not null`)
    expect(sealed.map(({ alive }) => alive)).toEqual(ended.length > 1000 ? [] : [1])
  })

  test('a sweep that passes live grants, and one that deletes them', async () => {
    const user = await addUser(store)
    addGrants(user, 'live', 2000)
    await makeSweep(counting)(start + 2 * hour)
    expect(steps).toBeLessThan(15)
    expect(await store.grants.list({ userId: user })).toHaveLength(2000)
    addGrants(user, 'ended', 1000, start)
    steps = 0
    await makeSweep(counting)(start + 2 * hour)
    expect(steps).toBeLessThan(40)
    expect(await store.grants.list({ clientId: 'ended' })).toEqual([])
    expect(await store.grants.list({ userId: user })).toHaveLength(2000)
  })
})
