import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@warder/store'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postgresMigrations } from '../../packages/store/src/postgres-migrations.ts'
import { storeRestore } from '../../packages/store/test/conformance/restore.ts'
import { addUser, beginTransaction, id, makeToken, rotate, start } from '../../packages/store/test/scene.ts'
import { type Postgres, startPostgres } from '../postgres/start-postgres.ts'

async function makeCertificate(name: string): Promise<{ cert: string; private: string }> {
  return generate([{ name: 'commonName', value: name }], {
    keySize: 2048,
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: name }] },
    ],
  })
}

describe('opening a PostgreSQL database', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-tls-'))
  let server: Postgres
  let certificate: { cert: string; private: string }
  beforeAll(async () => {
    certificate = await makeCertificate('localhost')
    server = await startPostgres({
      settings: ['ssl = on', "ssl_cert_file = 'own.crt'", "ssl_key_file = 'own.key'"],
      files: { 'own.crt': certificate.cert, 'own.key': certificate.private },
    })
  })
  afterAll(async () => {
    await server.stop()
    rmSync(directory, { recursive: true })
  })

  const nameOf = (url: string): string => new URL(url).pathname.slice(1)

  test('V10 a database that a newer version has migrated is refused and left alone', async () => {
    const url = await server.createDatabase()
    const store = await openStore({ url })
    const { token } = await makeToken(store)
    await store.close()
    const change = (by: number) =>
      server.query(`update warder.store_version set version = version + ${by}`, nameOf(url))
    await change(1)
    await expect(openStore({ url })).rejects.toThrow('newer version')
    await change(-1)
    const again = await openStore({ url })
    expect((await rotate(again, token)).outcome).toBe('rotated')
    await again.close()
  })

  test.each([
    'create schema warder; create table warder.notes (text text)',
    'create schema warder; create view warder.notes as select 1 as number',
    "create schema warder; create table warder.store_version as select 'other' as program, 1 as version",
    'create schema warder; create table warder.store_version (program text, version bigint)',
    'create schema warder; create table warder.store_version as select 1 as number',
  ])('V10 the schema of another program is refused and left alone: %s', async (sql) => {
    const url = await server.createDatabase()
    await server.query(sql, nameOf(url))
    await expect(openStore({ url })).rejects.toThrow('belongs to another program')
    const tables = `select relname from pg_class where relnamespace = 'warder'::regnamespace`
    expect(await server.query(tables, nameOf(url))).toHaveLength(1)
  })

  test('tables of another program in other schemas are nobody’s business', async () => {
    const url = await server.createDatabase()
    await server.query(
      'create table users (name text); create table store_version (version int)',
      nameOf(url),
    )
    const store = await openStore({ url })
    const user = await addUser(store)
    expect((await store.users.loadById(user))?.id).toBe(user)
    expect(await server.query('select * from public.users', nameOf(url))).toEqual([])
    await store.close()
  })

  test('V10 a database of the first version is brought up to date with its tokens alive', async () => {
    const url = await server.createDatabase()
    const first = (postgresMigrations[0] ?? '').replace(/^/, 'set search_path to warder;')
    await server.query(
      `create schema warder; create table warder.store_version as select 'warder' as program, 1::bigint as version;
       ${first};
       insert into users values ('u', 'u@example.com', 'user', 'argon', 1, null);
       insert into grants values ('g', 'u', 'client', 'local', 'resource', '["read"]', ${start}, null, null);
       insert into refresh_tokens values ('t', 'g', ${start + 1000}, null, null, null, null)`,
      nameOf(url),
    )
    const store = await openStore({ url })
    expect(await store.grants.load('g')).toMatchObject({
      createdAt: start,
      signedInAt: start,
      clientName: '',
    })
    expect((await rotate(store, 't')).outcome).toBe('rotated')
    await store.close()
  })

  test('V10 a node goes on without an error while a newer one adds columns', async () => {
    const url = await server.createDatabase()
    const store = await openStore({ url })
    const { user } = await makeToken(store)
    const transaction = await beginTransaction(store, user)
    await store.clients.add({ id: 'client', kind: 'pre-registered', metadata: '{}', now: start })
    const document = { url: 'url', body: '', etag: undefined, fetchedAt: start, freshUntil: start }
    await store.clients.saveDocument(document)
    const look = () =>
      Promise.all([
        store.users.loadById(user),
        store.users.loadByEmail(`${user}@example.com`),
        store.users.list(),
        store.clients.load('client'),
        store.clients.list(),
        store.clients.loadDocument('url'),
        store.transactions.load(transaction, start),
        store.grants.list({ userId: user }),
      ])
    // Each connection knows each statement by then.
    for (let round = 0; round < 12; round += 1) await look()
    const before = await look()
    const tables = `select relname as name from pg_class
      where relnamespace = 'warder'::regnamespace and relkind = 'r'`
    for (const { name } of await server.query<{ name: string }>(tables, nameOf(url))) {
      await server.query(`alter table warder.${name} add column later text`, nameOf(url))
    }
    for (let round = 0; round < 12; round += 1) expect(await look()).toEqual(before)
    await store.close()
  })

  test.each(['read committed', 'repeatable read', 'serializable'])(
    'nodes that start together on an empty database agree, where transactions are %s',
    async (level) => {
      const url = await server.createDatabase()
      await server.query(`alter database ${nameOf(url)} set default_transaction_isolation = '${level}'`)
      const stores = await Promise.all(Array.from({ length: 5 }, () => openStore({ url })))
      const { token } = await makeToken(stores[0]!)
      expect((await rotate(stores[4]!, token)).outcome).toBe('rotated')
      for (const store of stores) await store.close()
    },
  )

  test('a role with no right to make a schema uses the one that was made for it', async () => {
    const url = new URL(await server.createDatabase())
    const role = `role_${id().slice(0, 8)}`
    await server.query(
      `create role ${role} login password 'own'; revoke create on database ${nameOf(url.href)} from public`,
    )
    const own = `postgres://${role}@127.0.0.1:${server.port}${url.pathname}`
    await expect(openStore({ url: own, password: 'own' })).rejects.toThrow('permission denied')
    await server.query(`create schema warder authorization ${role}`, nameOf(url.href))
    const store = await openStore({ url: own, password: 'own' })
    await makeToken(store)
    await store.close()
  })

  test('a database in another encoding is refused', async () => {
    await server.query(
      `create database latin template template0 encoding 'LATIN1' locale_provider libc locale 'C'`,
    )
    await expect(openStore({ url: server.urlOf('latin') })).rejects.toThrow('encoding LATIN1')
  })

  test('TLS: the right name, proven by the right certificate, or nothing', async () => {
    const write = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text)
      return join(directory, name)
    }
    const [right, wrong] = [
      write('right.pem', certificate.cert),
      write('wrong.pem', (await makeCertificate('localhost')).cert),
    ]
    const url = (await server.createDatabase()).replace('127.0.0.1', 'localhost')
    const store = await openStore({ url: `${url}?sslrootcert=${right}` })
    const [row] = await server.query<{ ssl: boolean }>(
      `select bool_and(ssl) as ssl from pg_stat_ssl natural join pg_stat_activity
        where application_name = 'warder' and datname = '${nameOf(url)}'`,
    )
    expect(row?.ssl).toBe(true)
    await store.close()
    await expect(openStore({ url: `${url}?sslrootcert=${wrong}` })).rejects.toThrow('self-signed')
    await expect(openStore({ url: `${url}?sslmode=verify-full` })).rejects.toThrow('self-signed')
    const byAddress = url.replace('localhost', '127.0.0.1')
    await expect(openStore({ url: `${byAddress}?sslrootcert=${right}` })).rejects.toThrow('does not match')
    await server.query('alter system set ssl = off')
    await server.query('select pg_reload_conf()')
    await expect(openStore({ url: `${url}?sslrootcert=${right}` })).rejects.toThrow('does not support SSL')
  })

  describe('backup and restore', () => {
    let copies = 0
    storeRestore({
      newPlace: async () => ({ url: await server.createDatabase() }),
      async copy({ url }) {
        copies += 1
        await server.query(`create database copy_${copies} template ${nameOf(url)}`)
        return { url: server.urlOf(`copy_${copies}`) }
      },
    })
  })
})
