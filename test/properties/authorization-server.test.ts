import { beforeAll, test } from 'vitest'
import { type Documents, makeDocuments } from '../../packages/authorization-server/test/documents.ts'
import { runModel } from './run-model.ts'

/** `WARDER_RUNS=2000` for a night; `WARDER_SEED` goes another way. */
const numRuns = Number(process.env['WARDER_RUNS'] ?? 18)
const seed = Number(process.env['WARDER_SEED'] ?? 20_260_801)
const timeout = 100_000 + numRuns * 5_000

let documents: Documents
beforeAll(async () => {
  documents = await makeDocuments()
})

test('C02 C22 C23 C31 C34 V09 whatever clients, users, operators, clocks and crashes do, the server keeps its rules', {
  timeout,
}, async () => {
  await runModel(documents, { numRuns, seed })
})
