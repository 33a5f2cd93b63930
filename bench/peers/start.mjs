// What the programs beside Warder share: a database with Warder's settings, and a port.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'

/** A new SQLite file with write-ahead log; `FULL` puts each commit on the disk before it is answered, `NORMAL` does not. */
export function openDatabase(synchronous) {
  const directory = mkdtempSync(join(tmpdir(), 'warder-bench-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  process.on('SIGTERM', () => process.exit())
  const database = new Database(join(directory, 'peer.sqlite'))
  database.pragma('journal_mode = WAL')
  database.pragma(`synchronous = ${synchronous}`)
  return database
}

/** Listens on a free port of this machine and answers its origin. */
export async function start(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${server.address().port}`
}
