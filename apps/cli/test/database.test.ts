import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { readInput } from '../src/command.ts'
import { protect } from '../src/commands/protect.ts'
import { type DatabaseAddress, openDatabase, readDatabase } from '../src/database.ts'
import { loadSecret } from '../src/load-secret.ts'
import { Problem } from '../src/problem.ts'
import { readProtectOptions } from '../src/protect/read-options.ts'

afterEach(() => vi.unstubAllEnvs())

describe('which database', () => {
  const read = (...argv: string[]): DatabaseAddress | undefined => readDatabase(readInput(protect, argv))

  test('none; the option; else the variable, which may hold a password that is never shown', () => {
    vi.stubEnv('WARDER_DATABASE', '')
    expect(read()).toBeUndefined()
    const url = 'postgres://warder@db.example.com:5432/warder?sslrootcert=ca.pem'
    expect(read('--database', url)).toEqual({ url, shown: 'postgres://warder@db.example.com:5432/warder' })
    vi.stubEnv('WARDER_DATABASE', 'postgresql://warder:canary@db.example.com/state')
    expect(read()).toEqual({
      url: 'postgresql://warder:canary@db.example.com/state',
      shown: 'postgres://warder@db.example.com/state',
    })
    expect(read('--database', url)?.url).toBe(url)
  })

  test.each([
    ['postgres://warder:canary@db.example.com/warder', 'must not contain a password'],
    ['postgres://warder@db.example.com/warder?password=canary', 'must not contain a password'],
    ['mysql://warder:canary@db.example.com/warder', '--database takes an address'],
    ['host=db.example.com password=canary', '--database takes an address'],
  ])('%s as an argument is refused, and not repeated', (url, line) => {
    expect(() => read('--database', url)).toThrow(line)
    expect(() => read('--database', url)).not.toThrow(/canary/)
  })

  test('there is nothing to keep in one where another server issues the tokens', () => {
    const issuer = ['--issuer', 'https://login.example.com']
    expect(readProtectOptions(readInput(protect, issuer)).database).toBeUndefined()
    vi.stubEnv('WARDER_DATABASE', 'postgres://warder@db.example.com/warder')
    expect(() => readProtectOptions(readInput(protect, issuer))).toThrow('nothing for --database')
  })

  test('one that does not answer is one clear line', async () => {
    const url = 'postgres://warder:canary@127.0.0.1:9/warder'
    const opened = openDatabase({ url, shown: 'postgres://warder@127.0.0.1:9/warder' })
    await expect(opened).rejects.toThrow(Problem)
    await expect(opened).rejects.toThrow(
      'postgres://warder@127.0.0.1:9/warder cannot be used: nothing answers',
    )
  })
})

describe('the secret', () => {
  const path = mkdtempSync(join(tmpdir(), 'warder-secret-'))
  afterAll(() => rmSync(path, { recursive: true }))

  test('is made once in the directory, for its user only', () => {
    const made = loadSecret({ path }, undefined)
    expect(made.length).toBe(32)
    expect(statSync(join(path, 'secret')).mode & 0o777).toBe(0o600)
    expect(loadSecret({ path }, undefined)).toEqual(made)
    chmodSync(join(path, 'secret'), 0o640)
    expect(() => loadSecret({ path }, undefined)).toThrow('others can read')
  })

  test('a named one counts instead; a group may read it, others may not; it has 32 bytes', () => {
    const other = join(path, 'other')
    mkdirSync(other)
    const file = join(path, 'named')
    writeFileSync(file, 'x'.repeat(32), { mode: 0o640 })
    expect(Buffer.from(loadSecret({ path: other }, file)).toString()).toBe('x'.repeat(32))
    expect(() => statSync(join(other, 'secret'))).toThrow('ENOENT')
    chmodSync(file, 0o644)
    expect(() => loadSecret({ path: other }, file)).toThrow(`others can read ${file}`)
    writeFileSync(`${file}-long`, 'x'.repeat(33), { mode: 0o600 })
    expect(() => loadSecret({ path: other }, `${file}-long`)).toThrow('must have exactly 32 bytes')
    expect(() => loadSecret({ path: other }, `${file}-absent`)).toThrow('cannot be read')
  })
})
