import { inspect } from 'node:util'
import { openStore, type Store } from '@warder/store'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addUser, id, makeCode, makeToken, redeem, rotate, start } from '../../packages/store/test/scene.ts'
import { type Direction, type FaultProxy, startFaultProxy } from '../postgres/start-fault-proxy.ts'
import { type Postgres, startPostgres } from '../postgres/start-postgres.ts'

const deadlineMs = 1000
/** Many times the deadline: who is not done by then hangs. */
const hungMs = 15_000

/** What became of a call; `hung` when it came to nothing. */
async function outcomeOf(call: Promise<unknown>): Promise<string> {
  const settled = call.then(
    () => 'done',
    () => 'threw',
  )
  const timer = Promise.withResolvers<string>()
  const handle = setTimeout(() => timer.resolve('hung'), hungMs)
  const outcome = await Promise.race([settled, timer.promise])
  clearTimeout(handle)
  return outcome
}

describe('a bad network and a bad database', () => {
  let server: Postgres
  let proxy: FaultProxy
  let database: string
  /** Through the bad network. */
  let store: Store
  /** Past it. */
  let direct: Store
  beforeAll(async () => {
    server = await startPostgres()
    proxy = await startFaultProxy(server.port)
    const url = await server.createDatabase()
    database = new URL(url).pathname.slice(1)
    store = await openStore({ url: url.replace(`:${server.port}/`, `:${proxy.port}/`), deadlineMs })
    direct = await openStore({ url })
  })
  afterAll(async () => {
    proxy.disarm()
    await store.close()
    await direct.close()
    await proxy.stop()
    await server.stop()
  })
  beforeEach(() => proxy.disarm())

  /** Redeems through the network as it is now, and says what was stored, whatever was answered. */
  const redeemThrough = async (): Promise<{ outcome: string; isStored: boolean }> => {
    const { code } = await makeCode(direct)
    const token = id()
    const outcome = await outcomeOf(redeem(store, code, token))
    proxy.disarm()
    const isStored = (await direct.grants.loadCode(code))?.redeemedAt !== undefined
    expect((await direct.grants.loadRefreshToken(token)) !== undefined).toBe(isStored)
    return { outcome, isStored }
  }

  /** How many bytes one redemption takes in a direction, on a connection that knows its statements. */
  const measure = async (direction: Direction): Promise<number> => {
    for (let warm = 0; warm < 4; warm += 1) await redeemThrough()
    proxy.arm({ direction, bytes: Number.POSITIVE_INFINITY, kind: 'reset' })
    const { code } = await makeCode(direct)
    await redeem(store, code)
    return proxy.seen(direction)
  }

  test.each(['to-server', 'to-client'] as const)(
    'V07 a connection that is reset %s in the middle of any message: an error, whole or nothing, and the next call works',
    async (direction) => {
      const bytes = await measure(direction)
      expect(bytes).toBeGreaterThan(200)
      const results = []
      for (let cut = 0; cut < bytes; cut += Math.ceil(bytes / 40)) {
        await redeemThrough()
        proxy.arm({ direction, bytes: cut, kind: 'reset' })
        const { outcome, isStored } = await redeemThrough()
        expect(outcome).toBe('threw')
        results.push(isStored)
        expect(await redeemThrough()).toEqual({ outcome: 'done', isStored: true })
      }
      expect(results[0]).toBe(false)
    },
  )

  test('V07 a commit whose answer is lost is an error, though it happened', async () => {
    const bytes = await measure('to-client')
    proxy.arm({ direction: 'to-client', bytes: bytes - 1, kind: 'reset' })
    expect(await redeemThrough()).toEqual({ outcome: 'threw', isStored: true })
    expect(await redeemThrough()).toEqual({ outcome: 'done', isStored: true })
  })

  test.each(['to-server', 'to-client'] as const)(
    'V07 a connection that hangs %s at any place ends in an error, and the next call works',
    async (direction) => {
      const bytes = await measure(direction)
      for (const part of [0, 0.2, 0.5, 0.9]) {
        await redeemThrough()
        proxy.arm({ direction, bytes: Math.floor(bytes * part), kind: 'hang' })
        expect(await redeemThrough()).toEqual({ outcome: 'threw', isStored: false })
        proxy.resetAll()
        expect(await redeemThrough()).toEqual({ outcome: 'done', isStored: true })
      }
    },
  )

  test('V07 a network that takes connections and says nothing: reads, writes and a start end in an error', async () => {
    const hang = { direction: 'to-server', bytes: 0, kind: 'hang' } as const
    proxy.resetAll()
    proxy.arm(hang)
    const url = server.urlOf(database).replace(`:${server.port}/`, `:${proxy.port}/`)
    const calls = [
      ...Array.from({ length: 20 }, () => store.grants.load('x')),
      ...Array.from({ length: 20 }, () => addUser(store)),
      openStore({ url, deadlineMs }),
    ]
    expect(new Set(await Promise.all(calls.map(outcomeOf)))).toEqual(new Set(['threw']))
    proxy.disarm()
    proxy.resetAll()
    await store.ping()
    expect(await redeemThrough()).toEqual({ outcome: 'done', isStored: true })
  })

  test('V07 a node that freezes within a transaction does not keep the lock', async () => {
    const bytes = await measure('to-server')
    const [{ code }, other] = [await makeCode(direct), await makeCode(direct)]
    proxy.arm({ direction: 'to-server', bytes: Math.floor(bytes / 2), kind: 'hang' })
    const frozen = outcomeOf(redeem(store, code))
    expect((await redeem(direct, other.code)).outcome).toBe('redeemed')
    expect(await frozen).toBe('threw')
    expect((await direct.grants.loadCode(code))?.redeemedAt).toBeUndefined()
    proxy.disarm()
    proxy.resetAll()
    expect((await redeem(store, code)).outcome).toBe('redeemed')
  })

  /** Keeps a lock in the database while the work runs. */
  const whileLocked = async (sql: string, work: () => Promise<void>): Promise<void> => {
    const holder = server.query(`begin; ${sql}; select pg_sleep(60)`, database).catch(() => {})
    const waiting = `select pid from pg_stat_activity where query like '%pg_sleep(60)' and state = 'active'
      and wait_event = 'PgSleep' and pid <> pg_backend_pid()`
    let pids: { pid: number }[] = []
    while (pids.length === 0) pids = await server.query<{ pid: number }>(waiting)
    await work()
    await server.query(`select pg_terminate_backend(${pids[0]!.pid})`)
    await holder
  }

  test('V07 the write lock is taken for long: writes end in an error, reads go on, and all is well afterwards', async () => {
    const { code, user } = await makeCode(direct)
    await whileLocked('select pg_advisory_xact_lock(1467114610)', async () => {
      const writes = Array.from({ length: 20 }, () => outcomeOf(redeem(store, code)))
      expect((await store.users.loadById(user))?.id).toBe(user)
      expect(new Set(await Promise.all(writes))).toEqual(new Set(['threw']))
      await store.ping()
    })
    expect((await redeem(store, code)).outcome).toBe('redeemed')
  })

  test('V07 every connection waits for a table: reads end in an error, and all is well afterwards', async () => {
    const { user } = await makeCode(direct)
    await whileLocked('lock table warder.users in access exclusive mode', async () => {
      const reads = Array.from({ length: 20 }, () => outcomeOf(store.users.loadById(user)))
      expect(new Set(await Promise.all(reads))).toEqual(new Set(['threw']))
    })
    expect((await store.users.loadById(user))?.id).toBe(user)
  })

  test('V07 a statement that takes ten seconds ends in an error and leaves nothing', async () => {
    const { token } = await makeToken(direct)
    const run = (sql: string) => server.query(sql, database)
    await run(`create function warder.slow() returns trigger language plpgsql
      as $$ begin perform pg_sleep(10); return new; end $$`)
    await run(
      'create trigger slow before insert on warder.events for each row execute function warder.slow()',
    )
    const child = id()
    expect(await outcomeOf(rotate(store, token, child))).toBe('threw')
    await run('drop trigger slow on warder.events; drop function warder.slow')
    expect(await direct.grants.loadRefreshToken(child)).toBeUndefined()
    expect((await rotate(store, token, child)).outcome).toBe('rotated')
  })

  test('V07 what a person does about very many grants is done from far away too', async () => {
    const url = new URL(server.urlOf(database))
    url.port = String(proxy.port)
    const far = await openStore({ url: url.href })
    const [user, other] = [await addUser(direct), await addUser(direct)]
    for (const owner of [user, other]) {
      await server.query(
        `insert into warder.grants (id, user_id, client_id, client_class, resource, scopes, created_at)
          select '${owner} ' || i, '${owner}', '${owner}', 'document', 'r', '[]', ${start}
          from generate_series(1, 1000) i`,
        database,
      )
    }
    proxy.delayMs = 10
    const number = await direct.changes.lastNumber()
    expect(await far.users.setDisabled(user, true, start)).toBe(true)
    expect(await far.clients.revoke(other, start)).toMatchObject({ endedGrants: 1000 })
    expect(await direct.grants.list({ userId: user, live: true })).toEqual([])
    expect(await direct.grants.list({ userId: other, live: true })).toEqual([])
    // One that says that the user is disabled, and one for each grant.
    expect(await direct.changes.listAfter(number, 9000)).toHaveLength(2001)
    proxy.disarm()
    await far.close()
  })

  test('errors name neither a value nor the password', async () => {
    const secret = `secret-${id()}`
    const add = () => direct.clients.add({ id: secret, kind: 'self-registered', metadata: '{}', now: start })
    await add()
    const refused = await add().catch((error: unknown) => error)
    expect(inspect(refused)).toContain('clients_pkey')
    expect(inspect(refused, { depth: 9, showHidden: true })).not.toContain(secret)
    const odd = await direct.changes.listAfter(secret as never, 1).catch((error: unknown) => error)
    expect(inspect(odd)).toContain('22P02')
    expect(inspect(odd, { depth: 9, showHidden: true })).not.toContain(secret)
    const wrong = await openStore({ url: server.urlOf(database), password: secret }).catch((error) => error)
    expect(inspect(wrong)).toContain('password authentication failed')
    expect(inspect(wrong, { depth: 9, showHidden: true })).not.toContain(secret)
    expect(inspect(wrong, { depth: 9, showHidden: true })).not.toContain(server.password)
    // The twin: after the error its connection is as good as before.
    for (const client of [id(), id(), id()]) {
      await direct.clients.add({ id: client, kind: 'self-registered', metadata: '{}', now: start })
      expect((await direct.clients.load(client))?.id).toBe(client)
    }
  })
})
