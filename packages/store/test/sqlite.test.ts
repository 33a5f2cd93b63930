import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@warder/store'
import Database from 'better-sqlite3'
import { afterAll, describe, expect, test } from 'vitest'
import { migrations } from '../src/migrations.ts'
import { storeRestore } from './conformance/restore.ts'
import { storeConformance } from './conformance.ts'
import { addUser, beginSession, beginTransaction, id, makeFinish, makeToken, rotate, start } from './scene.ts'

describe('SQLite', { timeout: 30_000 }, () => {
  storeConformance(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'warder-store-'))
    const file = join(directory, 'warder.db')
    let store = await openStore({ file })
    return {
      store,
      async reopen() {
        await store.close()
        store = await openStore({ file })
        return store
      },
      async remove() {
        await store.close()
        rmSync(directory, { recursive: true })
      },
    }
  })
})

describe('a copy of the file', { timeout: 30_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-store-copy-'))
  afterAll(() => rmSync(directory, { recursive: true }))
  let files = 0
  const newFile = (): string => {
    files += 1
    return join(directory, `${files}.db`)
  }
  storeRestore({
    newPlace: async () => ({ file: newFile() }),
    async copy({ file }) {
      const copy = newFile()
      const database = new Database(file)
      database.prepare('vacuum into ?').run(copy)
      database.close()
      chmodSync(copy, 0o600)
      return { file: copy }
    },
  })
})

describe('the file', { timeout: 30_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'warder-store-file-'))
  afterAll(() => rmSync(root, { recursive: true }))
  let count = 0
  const newDirectory = (mode = 0o700): string => {
    count += 1
    const path = join(root, `directory ${count}`)
    mkdirSync(path)
    chmodSync(path, mode)
    return path
  }
  const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

  test('the database, its log and its directory are made for their user only, whatever the umask', async () => {
    const before = process.umask(0)
    try {
      const directory = join(newDirectory(), 'made', 'deeply')
      const file = join(directory, 'warder.db')
      const store = await openStore({ file })
      await makeToken(store)
      expect(modeOf(directory)).toBe('700')
      for (const suffix of ['', '-wal', '-shm']) expect(modeOf(`${file}${suffix}`)).toBe('600')
      await store.close()
    } finally {
      process.umask(before)
    }
  })

  test.each([0o755, 0o750, 0o710, 0o701, 0o720])('a directory of mode %o is refused', async (mode) => {
    const directory = newDirectory(mode)
    await expect(openStore({ file: join(directory, 'warder.db') })).rejects.toThrow(
      `${directory} is open to other users of this machine (mode ${mode.toString(8)}); run: chmod 700 ${directory}`,
    )
    chmodSync(directory, 0o700)
    await (await openStore({ file: join(directory, 'warder.db') })).close()
  })

  test.each(['', '-wal'])('a file warder.db%s that others can read is refused', async (suffix) => {
    const file = join(newDirectory(), 'warder.db')
    const open = await openStore({ file })
    chmodSync(`${file}${suffix}`, 0o640)
    await expect(openStore({ file })).rejects.toThrow(`run: chmod 600 ${file}${suffix}`)
    chmodSync(`${file}${suffix}`, 0o600)
    await (await openStore({ file })).close()
    await open.close()
  })

  test('V10 a grant from before there were sign-in times has that of its making', async () => {
    const file = join(newDirectory(), 'warder.db')
    const old = new Database(file)
    old.exec(migrations[0] ?? '')
    old.pragma(`application_id = ${0x57726472}`)
    old.pragma('user_version = 1')
    old.exec(`insert into users values ('u', 'u@example.com', 'user', 'argon', 1, null);
      insert into grants values ('g', 'u', 'client', 'local', 'resource', '["read"]', ${start}, null, null)`)
    old.close()
    chmodSync(file, 0o600)
    const store = await openStore({ file })
    expect(await store.grants.load('g')).toMatchObject({
      scopes: ['read'],
      createdAt: start,
      signedInAt: start,
      clientName: '',
    })
    await store.close()
  })

  test('V10 a file that a newer version has migrated is refused and left alone', async () => {
    const file = join(newDirectory(), 'warder.db')
    const store = await openStore({ file })
    const { token } = await makeToken(store)
    await store.close()
    const setVersion = (change: number): void => {
      const database = new Database(file)
      const version = database.pragma('user_version', { simple: true }) as number
      database.pragma(`user_version = ${version + change}`)
      database.close()
    }
    setVersion(1)
    await expect(openStore({ file })).rejects.toThrow('newer version')
    setVersion(-1)
    const again = await openStore({ file })
    expect((await rotate(again, token)).outcome).toBe('rotated')
    await again.close()
  })

  test('V10 a database of another program, or a file that is none, is refused and left alone', async () => {
    const file = join(newDirectory(), 'other.db')
    const other = new Database(file)
    other.exec('create table notes (text)')
    other.close()
    chmodSync(file, 0o600)
    await expect(openStore({ file })).rejects.toThrow('not a database of this program')
    const text = join(newDirectory(), 'text')
    writeFileSync(text, 'not a database, but long enough to be looked at\n'.repeat(100), { mode: 0o600 })
    await expect(openStore({ file: text })).rejects.toThrow()
    expect(statSync(text).size).toBe(4800)
  })

  test('a sealed successor stays no longer than it may be asked for', async () => {
    const file = join(newDirectory(), 'warder.db')
    const store = await openStore({ file })
    const look = new Database(file, { readonly: true })
    const sealed = look.prepare(
      'select sealed_successor from refresh_tokens where sealed_successor is not null',
    )
    const { token, grant } = await makeToken(store)
    const [child, grandchild] = [id(), id()]
    await rotate(store, token, child)
    expect(sealed.pluck().all()).toEqual([`sealed ${child}`])
    await rotate(store, child, grandchild)
    expect(sealed.all()).toEqual([`sealed ${grandchild}`])
    await store.sweep(start + 29_999)
    expect(sealed.all()).toEqual([`sealed ${grandchild}`])
    await store.sweep(start + 30_000)
    expect(sealed.all()).toEqual([])
    await rotate(store, grandchild)
    expect(sealed.all()).toHaveLength(1)
    await store.grants.revoke(grant, 'test', start)
    expect(sealed.all()).toEqual([])
    look.close()
    await store.close()
  })

  test('a user whom the file calls disabled gets nothing, however that came about', async () => {
    const file = join(newDirectory(), 'warder.db')
    const store = await openStore({ file })
    const user = await addUser(store)
    const finish = makeFinish(await beginTransaction(store, user), user)
    const session = await beginSession(store, user)
    const other = new Database(file)
    const setDisabled = other.prepare('update users set disabled_at = ? where id = ?')
    setDisabled.run(start, user)
    expect(await store.transactions.finishWithCode(finish)).toBe(false)
    expect(await store.sessions.load(session.hash, start)).toBeUndefined()
    setDisabled.run(null, user)
    expect(await store.transactions.finishWithCode(finish)).toBe(true)
    expect(await store.sessions.load(session.hash, start)).toEqual(session)
    other.close()
    await store.close()
  })

  test('each commit is on the disk before it is answered, and others may read meanwhile', async () => {
    const file = join(newDirectory(), 'warder.db')
    const [one, two] = await Promise.all([openStore({ file }), openStore({ file })])
    const { token } = await makeToken(one)
    expect((await two.grants.loadRefreshToken(token))?.hash).toBe(token)
    const look = new Database(file, { readonly: true })
    expect(look.pragma('journal_mode', { simple: true })).toBe('wal')
    look.close()
    await one.close()
    await two.close()
  })
})
