import { setTimeout as delay } from 'node:timers/promises'
import { openStore, type Store } from '@warder/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeCode, makeToken, redeem, rotate } from '../../packages/store/test/scene.ts'
import { type FaultProxy, startFaultProxy } from '../postgres/start-fault-proxy.ts'
import { type Postgres, startPostgres } from '../postgres/start-postgres.ts'

describe('V05 a primary with a hot standby behind one address', () => {
  let primary: Postgres
  let standby: Postgres
  let address: FaultProxy
  let url: string
  let store: Store
  beforeAll(async () => {
    // A commit that does not wait stays in memory for this long.
    primary = await startPostgres({ settings: ['wal_writer_delay = 10s'] })
    const direct = await primary.createDatabase()
    standby = await primary.startStandby()
    address = await startFaultProxy(primary.port)
    url = direct.replace(`:${primary.port}/`, `:${address.port}/`)
    store = await openStore({ url })
  })
  afterAll(async () => {
    await store.close()
    await address.stop()
    await primary.stop()
  })

  const standbyUrl = (): string => standby.urlOf(new URL(url).pathname.slice(1))
  const lead = (to: Postgres): void => {
    address.target = to.port
    address.resetAll()
  }
  const codeOnStandby = async (code: string): Promise<{ redeemed_at: number | null }[]> =>
    standby.query(`select redeemed_at from warder.codes where hash = '${code}'`, 'test_1')
  const untilOnStandby = async (code: string): Promise<void> => {
    while ((await codeOnStandby(code)).length === 0) await delay(20)
  }

  test('a standby that lags would show a used code as unused, and is refused at the start and later', async () => {
    const { code } = await makeCode(store)
    await untilOnStandby(code)
    await standby.query('select pg_wal_replay_pause()')
    const isPaused = `select 1 from pg_get_wal_replay_pause_state() as state where state = 'paused'`
    while ((await standby.query(isPaused)).length === 0) await delay(20)
    expect((await redeem(store, code)).outcome).toBe('redeemed')
    expect(await codeOnStandby(code)).toEqual([{ redeemed_at: null }])

    await expect(openStore({ url: standbyUrl() })).rejects.toThrow('standby')
    lead(standby)
    await expect(store.grants.loadCode(code)).rejects.toThrow('standby')
    await expect(redeem(store, code)).rejects.toThrow('standby')
    await expect(store.ping()).rejects.toThrow('standby')
    lead(primary)
    expect((await store.grants.loadCode(code))?.redeemedAt).toBeDefined()
    await standby.query('select pg_wal_replay_resume()')
  })

  test('a database or role that is read-only is refused, and opens again when it is not', async () => {
    await primary.query('alter database test_1 set default_transaction_read_only = on')
    await expect(openStore({ url })).rejects.toThrow('read-only')
    await primary.query('alter database test_1 reset default_transaction_read_only')
    await (await openStore({ url })).close()
  })

  test('a role that does not wait for the disk waits for it in our sessions', async () => {
    await primary.query('alter database test_1 set synchronous_commit = off')
    const other = await openStore({ url })
    const { code } = await makeCode(other)
    expect((await redeem(other, code)).outcome).toBe('redeemed')
    await primary.crash()
    await primary.restart()
    await primary.query('alter database test_1 reset synchronous_commit')
    expect((await other.grants.loadCode(code))?.redeemedAt).toBeDefined()
    await other.close()
  })

  test.each([
    ['off', 'on'],
    ['local', 'on'],
    ['remote_write', 'on'],
    ['on', 'on'],
    ['remote_apply', 'remote_apply'],
  ])('a commit of ours waits for a disk: where the database says %s, ours say %s', async (said, ours) => {
    await primary.query(`alter database test_1 set synchronous_commit = ${said}`)
    await primary.query(
      `create table seen (setting text);
       create function see() returns trigger language plpgsql
         as $$ begin insert into public.seen values (current_setting('synchronous_commit')); return new; end $$;
       create trigger see before insert on warder.events for each row execute function see()`,
      'test_1',
    )
    const other = await openStore({ url })
    await other.events.record('test', {}, 1)
    expect(await primary.query('select setting from seen', 'test_1')).toEqual([{ setting: ours }])
    await other.close()
    await primary.query('drop trigger see on warder.events; drop function see; drop table seen', 'test_1')
    await primary.query('alter database test_1 reset synchronous_commit')
  })

  test('after a failover to a synchronous standby everything that was used is used, without a restart', async () => {
    await primary.query(`alter system set synchronous_standby_names = '*'`)
    await primary.query('select pg_reload_conf()')
    const isSynchronous = `select 1 from pg_stat_replication where sync_state = 'sync'`
    while ((await primary.query(isSynchronous)).length === 0) await delay(20)
    const { code, token, grant } = await makeToken(store)
    const unused = await makeCode(store)
    const rotation = await rotate(store, token)
    expect(rotation.outcome).toBe('rotated')

    await primary.crash()
    await expect(store.ping()).rejects.toThrow()
    await standby.query('select pg_promote()')
    lead(standby)
    expect((await rotate(store, token)).outcome).toBe('retried')
    expect((await redeem(store, code)).outcome).toBe('replayed')
    expect((await store.grants.load(grant))?.revokedAt).toBeDefined()
    expect((await redeem(store, unused.code)).outcome).toBe('redeemed')
  })
})
