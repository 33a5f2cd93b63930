import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { negativeTests } from '../negative-tests.ts'
import { rows } from './rows/index.ts'
import { runRow } from './run-row.ts'
import { readRecords, startWarderTarget } from './targets/warder.ts'

const titles = new Map(negativeTests.map(({ id, title }) => [id, title]))

describe('W06 every row of the table at Warder ends exactly as the catalogue says', () => {
  let warder: Awaited<ReturnType<typeof startWarderTarget>>
  let strangers = 0
  let stopped = false

  beforeAll(async () => {
    warder = await startWarderTarget()
  })
  afterAll(async () => {
    if (!stopped) await warder.stop()
  })

  test.each(
    rows.map((row) => ({ row, title: `${row.id} ${titles.get(row.id)}: ${row.tries.length} tries` })),
  )('$title', async ({ row }) => {
    const run = await runRow(row, warder)
    if ('lacks' in run) throw new Error(`Warder is said to lack ${run.lacks.join(', ')}`)
    expect(run.results.filter(({ verdict }) => verdict !== 'exact')).toEqual([])
    expect(run.results).toHaveLength(row.tries.length)
    strangers += run.results.filter(({ observed }) => observed === 'RS401').length
  })

  test('what strangers tried is counted by reason, and no log or error output holds a secret', async () => {
    const said = warder.processes.map((one) => one.said())
    await Promise.all(warder.processes.map((one) => one.stop()))
    const records = warder.directories.flatMap(readRecords)
    const counts = records.filter(({ kind }) => kind === 'count')
    const total = counts.reduce((sum, { count }) => sum + Number(count), 0)
    expect(total).toBeGreaterThanOrEqual(strangers)
    const reasons = new Set(counts.map(({ reason }) => reason))
    for (const reason of [
      'missing',
      'malformed',
      'algorithm',
      'type',
      'key',
      'signature',
      'issuer',
      'audience',
    ])
      expect(reasons).toContain(`token.${reason}`)
    const files = warder.directories.flatMap((directory) =>
      globSync('data/log/*.jsonl', { cwd: directory }).map((file) =>
        readFileSync(join(directory, file), 'utf8'),
      ),
    )
    for (const text of [...said, ...files]) {
      expect(text).not.toContain(warder.values.password)
      expect(text).not.toMatch(/eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/)
      expect(text).not.toMatch(/node:internal|\n\s+at .+:\d+:\d+/)
    }
    stopped = true
    await warder.stop()
  })
})
