import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@warder/store'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { readDatabaseUrl } from '../src/read-database-url.ts'

const directory = mkdtempSync(join(tmpdir(), 'warder-url-'))
const certificates = join(directory, 'ca.pem')
writeFileSync(certificates, 'certificates')
afterAll(() => rmSync(directory, { recursive: true }))

const remote = 'postgres://warder@db.example:6432/state'

describe('where the database is', () => {
  test('a URL names user, host, port and database; the port may be left out', () => {
    expect(readDatabaseUrl({ url: 'postgresql://wa%40rder:a%2Fb@[::1]/st%20ate' })).toMatchObject({
      user: 'wa@rder',
      password: 'a/b',
      host: '::1',
      port: 5432,
      database: 'st ate',
    })
    expect(readDatabaseUrl({ url: remote, password: 'given' })).toMatchObject({
      host: 'db.example',
      port: 6432,
      password: 'given',
    })
    expect(readDatabaseUrl({ url: 'postgres://warder@localhost/state?host=/run/postgresql' }).host).toBe(
      '/run/postgresql',
    )
  })

  test.each([
    'mysql://warder:secret@db.example/state',
    'postgres://:secret@db.example/state',
    'postgres://warder:secret@db.example/',
    'postgres://warder:secret@db.example/state?options=-csynchronous_commit%3Doff',
    'postgres://warder:secret@db.example/state?sslmode=verify-full&sslmode=disable',
    'postgres://warder:secret@db.example/sta%te',
    'postgres://warder:secret@db.example/state#x',
    'host=db.example password=secret',
  ])('%s is refused, and its password is not repeated', async (url) => {
    const refused = openStore({ url })
    await expect(refused).rejects.toThrow('the database URL')
    await expect(refused).rejects.not.toThrow(/secret/)
  })

  test('to another host it is TLS with a proven name, and nothing in between is accepted', async () => {
    expect(readDatabaseUrl({ url: remote }).ssl).toEqual({ rejectUnauthorized: true })
    expect(readDatabaseUrl({ url: `${remote}?sslrootcert=${certificates}` }).ssl).toEqual({
      rejectUnauthorized: true,
      ca: 'certificates',
    })
    for (const mode of ['require', 'prefer', 'allow', 'verify-ca', 'no-verify', '']) {
      expect(() => readDatabaseUrl({ url: `${remote}?sslmode=${mode}` })).toThrow(
        'only verify-full or disable',
      )
    }
    expect(() => readDatabaseUrl({ url: `${remote}?sslmode=disable` })).toThrow(
      'reads and changes everything',
    )
    expect(readDatabaseUrl({ url: `${remote}?sslmode=disable`, dangerouslyUnencrypted: true }).ssl).toBe(
      false,
    )
    for (const host of ['127.0.0.1.evil.example', 'localhost.evil.example', '128.0.0.1', '[::2]']) {
      expect(readDatabaseUrl({ url: `postgres://warder@${host}/state` }).ssl).not.toBe(false)
    }
  })

  test('on this machine it is plain, unless the URL asks for more', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', '[::1]']) {
      const url = `postgres://warder@${host}/state`
      expect(readDatabaseUrl({ url }).ssl).toBe(false)
      expect(readDatabaseUrl({ url: `${url}?sslmode=verify-full` }).ssl).toEqual({ rejectUnauthorized: true })
      expect(readDatabaseUrl({ url: `${url}?sslrootcert=${certificates}` }).ssl).toMatchObject({
        ca: 'certificates',
      })
    }
  })
})

describe('the password', () => {
  const names = ['PGPASSWORD', 'PGPASSFILE'] as const
  const before = names.map((name) => process.env[name])
  afterEach(() => {
    for (const [index, name] of names.entries()) {
      const value = before[index]
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
  const file = join(directory, 'pgpass')
  const write = (...lines: string[]): void => {
    writeFileSync(file, lines.join('\n'), { mode: 0o600 })
    process.env['PGPASSFILE'] = file
  }
  const passwordOf = (url: string): string | undefined => readDatabaseUrl({ url }).password

  test('the first line of the password file that fits counts, with its escapes', () => {
    write(
      '# comment',
      'db.example:5432:state:warder:wrong port',
      'db.example:*:st\\:ate:warder:a\\:b\\\\c',
      '*:*:*:*:any',
    )
    expect(passwordOf('postgres://warder@db.example:6432/st%3Aate')).toBe('a:b\\c')
    expect(passwordOf(remote)).toBe('any')
    write('db.example:6432:state:somebody:x')
    expect(passwordOf(remote)).toBeUndefined()
  })

  test('PGPASSWORD counts before the file, the URL before it, the option before all', () => {
    write('*:*:*:*:file')
    process.env['PGPASSWORD'] = 'environment'
    expect(passwordOf(remote)).toBe('environment')
    expect(passwordOf('postgres://warder:url@db.example/state')).toBe('url')
    expect(
      readDatabaseUrl({ url: 'postgres://warder:url@db.example/state', password: 'option' }).password,
    ).toBe('option')
  })

  test('a password file that others can read is refused', () => {
    write('*:*:*:*:file')
    chmodSync(file, 0o640)
    expect(() => passwordOf(remote)).toThrow(`run: chmod 600 ${file}`)
    chmodSync(file, 0o600)
    expect(passwordOf(remote)).toBe('file')
  })
})
