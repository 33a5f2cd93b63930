import { writeSync } from 'node:fs'
import { openStore } from '@warder/store'
import Database from 'better-sqlite3'
import pg from 'pg'
import { type Call, makeCall } from '../races/call.ts'
import type { Place } from '../races/racer.ts'

/**
 * A process that dies. Each statement that the database has run, BEGIN and COMMIT too, is a moment; at the chosen one the
 * process kills itself, with nothing flushed, closed or rolled back. `-1`: it waits to be killed.
 */
const [from, moment, script] = process.argv.slice(2) as ['opening' | 'calls', string, string]
const place = JSON.parse(process.env['WARDER_TEST_PLACE'] ?? '') as Place

let passed = -1
let isCounting = from === 'opening'
const pass = (): void => {
  if (!isCounting) return
  passed += 1
  if (passed === Number(moment)) process.kill(process.pid, 'SIGKILL')
}

const scratch = new Database(':memory:')
const statements = Object.getPrototypeOf(scratch.prepare('select 1')) as Record<'run' | 'all', Method>
scratch.close()
type Method = (this: unknown, ...values: unknown[]) => unknown
for (const name of ['run', 'all'] as const) {
  const method = statements[name]
  statements[name] = function (...values) {
    const answer = method.apply(this, values)
    pass()
    return answer
  }
}
const databases = Database.prototype as unknown as Record<'exec', Method>
const exec = databases.exec
databases.exec = function (...values) {
  const answer = exec.apply(this, values)
  pass()
  return answer
}

const clients = pg.Client.prototype as unknown as Record<'query', (...values: unknown[]) => Promise<unknown>>
const query = clients.query
clients.query = async function (...values) {
  const answer = await query.apply(this, values)
  pass()
  return answer
}

const store = await openStore(place)
isCounting = true
writeSync(1, 'open\n')
for (const call of JSON.parse(script) as Call[]) {
  await makeCall(store, call)
  writeSync(1, 'done\n')
}
await store.close()
writeSync(1, `survived ${passed + 1} moments\n`)
