import { openStore } from '@warder/store'
import { afterAll, beforeAll, describe } from 'vitest'
import { storeConformance } from '../../packages/store/test/conformance.ts'
import { type Postgres, startPostgres } from '../postgres/start-postgres.ts'

describe('PostgreSQL', () => {
  let server: Postgres
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  storeConformance(async () => {
    const url = await server.createDatabase()
    let store = await openStore({ url })
    return {
      store,
      async reopen() {
        await store.close()
        store = await openStore({ url })
        return store
      },
      remove: () => store.close(),
    }
  })
})
