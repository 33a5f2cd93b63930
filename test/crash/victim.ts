import { writeSync } from 'node:fs'
import { openStore } from '@warder/store'
import Database from 'better-sqlite3'
import { type Call, makeCall } from '../races/call.ts'

/**
 * A process that dies. Each statement that SQLite has run, BEGIN and COMMIT too, is a moment; at the chosen one the process
 * kills itself, with nothing flushed, closed or rolled back. `-1`: it waits to be killed.
 */
const [file, from, moment, script] = process.argv.slice(2) as [string, 'opening' | 'calls', string, string]

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

const store = await openStore({ file })
isCounting = true
writeSync(1, 'open\n')
for (const call of JSON.parse(script) as Call[]) {
  await makeCall(store, call)
  writeSync(1, 'done\n')
}
await store.close()
writeSync(1, `survived ${passed + 1} moments\n`)
