import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { type Postgres, startPostgres } from '../postgres/start-postgres.ts'
import { storeRaces } from './store-races.ts'

describe('three processes on one SQLite file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-races-'))
  afterAll(() => rmSync(directory, { recursive: true }))
  let files = 0
  storeRaces(async () => {
    files += 1
    return { file: join(directory, `${files}.db`) }
  }, 25)
})

describe('three processes on one PostgreSQL', () => {
  let server: Postgres
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())
  storeRaces(async () => ({ url: await server.createDatabase() }), 8)
})
