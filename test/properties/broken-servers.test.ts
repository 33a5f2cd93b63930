import { beforeAll, describe, expect, test } from 'vitest'
import { type Documents, makeDocuments } from '../../packages/authorization-server/test/documents.ts'
import { brokenServers } from './broken-servers.ts'
import { runModel } from './run-model.ts'

let documents: Documents
beforeAll(async () => {
  documents = await makeDocuments()
})

describe('the model finds a server on which', () => {
  test.each(brokenServers)('%s', { timeout: 200_000 }, async (_, sabotage) => {
    await expect(
      runModel(documents, { numRuns: 100, seed: 1, endOnFailure: true, sabotage }),
    ).rejects.toThrow('Property failed')
  })
})
