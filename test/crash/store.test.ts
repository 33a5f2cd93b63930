import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Postgres, startPostgres } from '../postgres/start-postgres.ts'
import { storeCrashes } from './store-crashes.ts'

describe('kill -9 of a process on SQLite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-crash-'))
  afterAll(() => rmSync(directory, { recursive: true }))
  const files: string[] = []
  storeCrashes(
    async () => {
      const file = join(directory, `${files.length}.db`)
      files.push(file)
      return { file }
    },
    { rounds: 25, longestMs: 30 },
  )

  test('V01 V02 and every file is whole', () => {
    expect(files.length).toBeGreaterThan(1)
    for (const file of files) {
      const database = new Database(file, { readonly: true })
      expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
      expect(database.pragma('foreign_key_check')).toEqual([])
      database.close()
    }
  })
})

describe('kill -9 of a process on PostgreSQL', () => {
  let server: Postgres
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())
  storeCrashes(async () => ({ url: await server.createDatabase() }), { rounds: 10, longestMs: 120 })
})
