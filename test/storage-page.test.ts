import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openStore } from '@warder/store'
import { expect, onTestFinished, test } from 'vitest'

const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'storage.md'), 'utf8')

test('docs/storage.md says of each table what it holds, and of no other', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-storage-page-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'warder.sqlite')
  await (await openStore({ file })).close()
  const database = new DatabaseSync(file)
  onTestFinished(() => database.close())
  const tables = database
    .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite%' order by name")
    .all()
    .map(({ name }) => name)
  const rows = [...page.matchAll(/^\| `(\w+)`/gm)].map((match) => match[1])
  expect(rows.toSorted()).toEqual(tables)
})
